import type { QueryClient } from '@tanstack/react-query';
import { changeChatSession, chatSessionKey, chatSessionsKey } from './chat-session.ts';
import type { LiveTurns } from './live-turns.ts';
import type { ChatNews } from './other-tabs.ts';

/** Brings what another tab did to a chat into this one: what it shows is read again, what is gone goes at once. */
export function hearOtherTabs(
  { queryClient, liveTurns }: { queryClient: QueryClient; liveTurns: Pick<LiveTurns, 'drop'> },
  { chat_session_id, gone }: ChatNews,
) {
  if (gone) {
    liveTurns.drop(chat_session_id);
    changeChatSession(queryClient, chat_session_id, null);
    // A page that shows it asks again, and hears that it is not there.
    void queryClient.resetQueries({ queryKey: chatSessionKey(chat_session_id) });
  } else {
    // The key of a chat begins those of all that belongs to it.
    void queryClient.invalidateQueries({ queryKey: chatSessionKey(chat_session_id) });
  }
  void queryClient.invalidateQueries({ queryKey: chatSessionsKey });
  void queryClient.invalidateQueries({ queryKey: ['me'] });
}
