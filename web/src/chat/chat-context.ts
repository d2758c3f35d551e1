import { createContext, use, useSyncExternalStore } from 'react';
import { useStored } from '../platform/store.ts';
import { type Draft, type Drafts, editDraftKey } from './drafts.ts';
import type { LiveTurns } from './live-turns.ts';
import type { TellOtherTabs } from './other-tabs.ts';

type Chat = { drafts: Drafts; liveTurns: LiveTurns; tellOtherTabs: TellOtherTabs };

export const ChatContext = createContext<Chat | null>(null);

/** Drafts and running turns: what outlives the page that shows it; and the other tabs of this browser. */
export function useChat() {
  const chat = use(ChatContext);
  if (chat === null) throw new Error('useChat was called outside ChatContext');
  return chat;
}

/** What is written under a key and not sent. */
export function useDraft(draft_key: string): Draft {
  const { drafts } = useChat();
  return useSyncExternalStore(drafts.subscribe, () => drafts.get(draft_key));
}

/** The message of a chat that is open for editing, if any. */
export function useEditedMessageId(chat_session_id: string) {
  const { drafts } = useChat();
  return useSyncExternalStore(
    drafts.subscribe,
    () => drafts.get(editDraftKey(chat_session_id)).edits_message_id,
  );
}

/** The turn of a chat that this page has sent or joined, if any. */
export function useLiveTurn(chat_session_id: string) {
  return useStored(useChat().liveTurns.store, chat_session_id);
}
