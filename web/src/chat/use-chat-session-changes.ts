import { useQueryClient } from '@tanstack/react-query';
import { sentenceFor } from '../platform/api-error.ts';
import { usePlatform } from '../platform/platform-context.ts';
import { showToast } from '../platform/toasts.tsx';
import { useChat } from './chat-context.ts';
import { type ChatSession, changeChatSession, chatSessionKey, chatSessionsKey } from './chat-session.ts';
import { messagesKey } from './message.ts';

/** Renaming and deleting: shown at once, taken back with a word when the server does not follow. */
export function useChatSessionChanges() {
  const { api } = usePlatform();
  const { liveTurns, tellOtherTabs } = useChat();
  const queryClient = useQueryClient();

  async function attempt(change: () => void, ask: () => Promise<void>, complaint: string) {
    await queryClient.cancelQueries({ queryKey: chatSessionsKey });
    const before = queryClient.getQueryData(chatSessionsKey);
    change();
    try {
      await ask();
      return true;
    } catch (error) {
      queryClient.setQueryData(chatSessionsKey, before);
      showToast(`${complaint} ${sentenceFor(error)}`);
      void queryClient.invalidateQueries({ queryKey: chatSessionsKey });
      return false;
    }
  }

  return {
    async rename(chat_session: ChatSession, title: string) {
      const setTitle = (next: string) =>
        changeChatSession(queryClient, chat_session.id, (current) => ({ ...current, title: next }));
      const renamed = await attempt(
        () => setTitle(title),
        async () => {
          const { title: kept } = await api.patch<ChatSession>(`/api/chat-sessions/${chat_session.id}`, {
            title,
          });
          setTitle(kept);
        },
        `The chat is still called “${chat_session.title}”.`,
      );
      if (renamed) tellOtherTabs({ chat_session_id: chat_session.id, gone: false });
      else setTitle(chat_session.title);
    },

    /** Answers whether the chat is gone. */
    async remove(chat_session: ChatSession) {
      const removed = await attempt(
        () => changeChatSession(queryClient, chat_session.id, null),
        () => api.delete(`/api/chat-sessions/${chat_session.id}`),
        `“${chat_session.title}” was not deleted.`,
      );
      if (removed) {
        tellOtherTabs({ chat_session_id: chat_session.id, gone: true });
        liveTurns.drop(chat_session.id);
        queryClient.removeQueries({ queryKey: messagesKey(chat_session.id) });
        queryClient.removeQueries({ queryKey: chatSessionKey(chat_session.id) });
      }
      return removed;
    },
  };
}
