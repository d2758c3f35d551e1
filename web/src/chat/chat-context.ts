import { createContext, use, useSyncExternalStore } from 'react';
import { useStored } from '../platform/store.ts';
import type { Draft, Drafts } from './drafts.ts';
import type { LiveTurns } from './live-turns.ts';

type Chat = { drafts: Drafts; liveTurns: LiveTurns };

export const ChatContext = createContext<Chat | null>(null);

/** Drafts and running turns: what outlives the page that shows it. */
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

/** The turn of a chat that this page has sent or joined, if any. */
export function useLiveTurn(chat_session_id: string) {
  return useStored(useChat().liveTurns.store, chat_session_id);
}
