import { sentenceFor } from '../platform/api-error.ts';
import { newId } from '../platform/new-id.ts';
import { showToast } from '../platform/toasts.tsx';
import { useChat } from './chat-context.ts';
import type { MessagePage } from './message.ts';

/** What a member can do with the turns of a chat: send, stop, try again, take back. */
export function useTurnActions(chat_session_id: string, assistant_slug: string | undefined) {
  const { drafts, liveTurns } = useChat();
  return {
    send() {
      if (assistant_slug === undefined) return;
      const taken = drafts.take(chat_session_id);
      liveTurns.begin(newId(), chat_session_id, { assistant_slug, ...taken, draft_key: chat_session_id });
    },

    async stop() {
      try {
        await liveTurns.stop(chat_session_id);
      } catch (error) {
        showToast(`The reply was not stopped. ${sentenceFor(error)}`);
      }
    },

    /** Tries the last failed turn again: the same one where it may never have arrived, else a new one with the same words. */
    retry(history: { failed_turn: MessagePage['failed_turn'] } | undefined) {
      const live = liveTurns.store.get(chat_session_id);
      if (live?.outcome?.status === 'failed' && live.outcome.retry !== 'anew') {
        liveTurns.takeUp(chat_session_id);
        return;
      }
      const request = live?.outcome?.status === 'failed' ? live.request : null;
      const content = request?.content ?? history?.failed_turn?.content;
      if (assistant_slug === undefined || content === undefined) return;
      const files = request?.files ?? history?.failed_turn?.files ?? [];
      liveTurns.begin(newId(), chat_session_id, {
        assistant_slug,
        content,
        files,
        draft_key: chat_session_id,
      });
    },

    /** Takes the words of a message that has not gone out back into the composer. */
    takeBack() {
      const request = liveTurns.store.get(chat_session_id)?.request;
      liveTurns.drop(chat_session_id);
      if (request) drafts.putBack(chat_session_id, request, null);
    },
  };
}
