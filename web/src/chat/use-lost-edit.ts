import { useEffect } from 'react';
import { useChat } from './chat-context.ts';
import { editDraftKey } from './drafts.ts';
import type { Message } from './message.ts';

const notice = 'The message that you were editing is not part of this chat any more. Your words are here.';

/**
 * Moves an edit whose message has left the chat, as when another tab edited it first, to where the next message is
 * written: there its words can be seen. `messages`: undefined until they are known.
 */
export function useLostEdit(
  chat_session_id: string,
  edited_message_id: string | null,
  messages: Message[] | undefined,
) {
  const { drafts } = useChat();
  useEffect(() => {
    if (edited_message_id === null || messages === undefined) return;
    if (messages.some(({ id }) => id === edited_message_id)) return;
    const edit_key = editDraftKey(chat_session_id);
    const content = drafts.get(edit_key).content.trim();
    drafts.clear(edit_key);
    // The page was left before it heard that the server had taken the edit.
    const arrived = messages.findLast(({ sender }) => sender === 'user')?.content === content;
    if (arrived || content === '') return;
    drafts.putBack(chat_session_id, { content, files: [], edits_message_id: null }, notice);
  }, [chat_session_id, edited_message_id, messages, drafts]);
}
