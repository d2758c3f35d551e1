import { useQueryClient } from '@tanstack/react-query';
import type { MemberFile } from '../files/file.ts';
import { sentenceFor } from '../platform/api-error.ts';
import { newId } from '../platform/new-id.ts';
import { showToast } from '../platform/toasts.tsx';
import { useChat } from './chat-context.ts';
import type { TurnFailure } from './conversation.ts';
import { editDraftKey } from './drafts.ts';
import type { TurnRequest } from './live-turn.ts';
import { messagesKey } from './message.ts';

/** What a member can do with the turns of a chat: send, edit, have answered again, stop, try again, take back. */
export function useTurnActions(chat_session_id: string, assistant_slug: string | undefined) {
  const { drafts, liveTurns } = useChat();
  const queryClient = useQueryClient();
  const edit_key = editDraftKey(chat_session_id);

  function begin(makeRequest: () => Omit<TurnRequest, 'assistant_slug'>) {
    if (assistant_slug === undefined) return;
    drafts.notice(chat_session_id, null);
    liveTurns.begin(newId(), chat_session_id, { assistant_slug, ...makeRequest() });
  }

  /** `failed`: the turn whose message is answered again, where the stored messages may not have it yet. */
  function answerAgain(message_id: string, failed: TurnRequest | null = null) {
    const { content = '', files = [], edits_message_id = null } = failed ?? {};
    const request = { content, files, edits_message_id, repeats_message_id: message_id, draft_key: null };
    begin(() => request);
  }

  const send = (draft_key: string) =>
    begin(() => ({ ...drafts.take(draft_key), repeats_message_id: null, draft_key }));

  return {
    send: () => send(chat_session_id),
    answerAgain: (message_id: string) => answerAgain(message_id),

    /** Opens a message in its place. */
    edit: (message: { message_id: string; content: string; files: MemberFile[] }) =>
      drafts.edit(edit_key, message),
    sendEdit: () => send(edit_key),
    cancelEdit: () => drafts.clear(edit_key),

    async stop() {
      try {
        await liveTurns.stop(chat_session_id);
      } catch (error) {
        showToast(`The reply was not stopped. ${sentenceFor(error)}`);
      }
    },

    /** Tries a failed turn again: the same one where it may never have arrived, else its message is answered again. */
    retry({ retry, user_message_id }: TurnFailure) {
      if (retry !== 'anew') {
        liveTurns.takeUp(chat_session_id);
      } else if (user_message_id !== null) {
        const live = liveTurns.store.get(chat_session_id);
        answerAgain(user_message_id, live?.user_message_id === user_message_id ? live.request : null);
      } else {
        // A turn that was joined and then lost: the server knows how the chat stands.
        liveTurns.drop(chat_session_id);
        void queryClient.invalidateQueries({ queryKey: messagesKey(chat_session_id) });
      }
    },

    /** Gives up a turn that has not gone out: its words go back to where they were written. */
    takeBack() {
      const request = liveTurns.store.get(chat_session_id)?.request;
      liveTurns.drop(chat_session_id);
      if (!request?.draft_key) return;
      drafts.settle(request.draft_key);
      drafts.putBack(request.edits_message_id === null ? chat_session_id : edit_key, request, null);
    },
  };
}
