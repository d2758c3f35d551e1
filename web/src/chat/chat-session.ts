import {
  type InfiniteData,
  infiniteQueryOptions,
  type QueryClient,
  queryOptions,
} from '@tanstack/react-query';
import type { Api } from '../platform/api.ts';

export type ChatSession = {
  id: string;
  assistant_slug: string;
  title: string;
  created_at: string;
  updated_at: string;
};

type ChatSessionPage = { chat_sessions: ChatSession[]; next_cursor: string | null };
export type ChatSessionPages = InfiniteData<ChatSessionPage, string | null>;

export const chatSessionsKey = ['chat-sessions', 'list'];
export const chatSessionKey = (id: string) => ['chat-sessions', id];

/** The member's chats, newest first, page by page. */
export const chatSessionsQuery = (api: Api) =>
  infiniteQueryOptions({
    queryKey: chatSessionsKey,
    queryFn: ({ pageParam, signal }) => {
      const cursor = pageParam === null ? '' : `&cursor=${encodeURIComponent(pageParam)}`;
      return api.get<ChatSessionPage>(`/api/chat-sessions?limit=30${cursor}`, signal);
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    select: (data) => data.pages.flatMap((page) => page.chat_sessions),
  });

export const chatSessionQuery = (api: Api, id: string) =>
  queryOptions({
    queryKey: chatSessionKey(id),
    queryFn: ({ signal }) => api.get<ChatSession>(`/api/chat-sessions/${id}`, signal),
  });

/** Changes one chat wherever it is remembered; without a change it is taken out of the list. */
export function changeChatSession(
  queryClient: QueryClient,
  id: string,
  change: ((chat_session: ChatSession) => ChatSession) | null,
) {
  queryClient.setQueryData<ChatSessionPages>(chatSessionsKey, (data) => {
    if (data === undefined) return data;
    const pages = data.pages.map((page) => ({
      ...page,
      chat_sessions: page.chat_sessions.flatMap((chat_session) => {
        if (chat_session.id !== id) return [chat_session];
        return change === null ? [] : [change(chat_session)];
      }),
    }));
    return { ...data, pages };
  });
  if (change !== null) {
    queryClient.setQueryData<ChatSession>(
      chatSessionKey(id),
      (chat_session) => chat_session && change(chat_session),
    );
  }
}

/** Puts a chat on top of the list: it is new, or it was just written in. */
export function raiseChatSession(queryClient: QueryClient, chat_session: ChatSession) {
  queryClient.setQueryData(chatSessionKey(chat_session.id), chat_session);
  changeChatSession(queryClient, chat_session.id, null);
  queryClient.setQueryData<ChatSessionPages>(chatSessionsKey, (data) => {
    const [first, ...rest] = data?.pages ?? [];
    if (data === undefined || first === undefined) return data;
    return { ...data, pages: [{ ...first, chat_sessions: [chat_session, ...first.chat_sessions] }, ...rest] };
  });
}
