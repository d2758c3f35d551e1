import { useEffect } from 'react';
import { useChat } from './chat-context.ts';
import { editDraftKey } from './drafts.ts';
import type { Message } from './message.ts';

const notice = 'The chat has gone on since you began to edit. Your words are here.';

/**
 * Moves an edit whose message is not the member's last one any more, as when another tab edited it first or wrote a
 * further one, to where the next message is written: the server takes it no longer. `messages`: undefined until known.
 */
export function useLostEdit(
  chat_session_id: string,
  edited_message_id: string | null,
  messages: Message[] | undefined,
) {
  const { drafts } = useChat();
  useEffect(() => {
    if (edited_message_id === null || messages === undefined) return;
    const last = messages.findLast(({ sender }) => sender === 'user');
    if (last?.id === edited_message_id) return;
    const edit_key = editDraftKey(chat_session_id);
    const content = drafts.get(edit_key).content.trim();
    drafts.clear(edit_key);
    // The page was left before it heard that the server had taken the edit.
    if (last?.content === content || content === '') return;
    drafts.putBack(chat_session_id, { content, files: [], edits_message_id: null }, notice);
  }, [chat_session_id, edited_message_id, messages, drafts]);
}
