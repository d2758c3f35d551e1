import { QueryClient } from '@tanstack/react-query';
import { expect, test } from 'vitest';
import {
  type ChatSession,
  type ChatSessionPages,
  changeChatSession,
  chatSessionKey,
  chatSessionsKey,
  raiseChatSession,
} from './chat-session.ts';

const session = (id: string, title = id): ChatSession => ({
  id,
  title,
  assistant_slug: 'storyteller',
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
});

function clientWith(...pages: string[][]) {
  const queryClient = new QueryClient();
  queryClient.setQueryData<ChatSessionPages>(chatSessionsKey, {
    pages: pages.map((ids) => ({ chat_sessions: ids.map((id) => session(id)), next_cursor: null })),
    pageParams: pages.map(() => null),
  });
  const ids = () =>
    queryClient
      .getQueryData<ChatSessionPages>(chatSessionsKey)
      ?.pages.flatMap((page) => page.chat_sessions.map(({ id }) => id));
  return { queryClient, ids };
}

test('a chat that is written in moves to the top from any page, and stands there once', () => {
  const { queryClient, ids } = clientWith(['a', 'b'], ['c']);
  raiseChatSession(queryClient, session('c', 'New title'));
  expect(ids()).toEqual(['c', 'a', 'b']);
  expect(queryClient.getQueryData<ChatSession>(chatSessionKey('c'))?.title).toBe('New title');
});

test('a deleted chat leaves the others in place', () => {
  const { queryClient, ids } = clientWith(['a', 'b'], ['c']);
  changeChatSession(queryClient, 'b', null);
  expect(ids()).toEqual(['a', 'c']);
});
