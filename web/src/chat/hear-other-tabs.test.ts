import { QueryClient } from '@tanstack/react-query';
import { expect, test, vi } from 'vitest';
import { type ChatSession, type ChatSessionPages, chatSessionKey, chatSessionsKey } from './chat-session.ts';
import { hearOtherTabs } from './hear-other-tabs.ts';
import { messagesKey, seedMessages } from './message.ts';
import { type ChatNews, connectTabs } from './other-tabs.ts';

const session = (id: string): ChatSession => ({
  id,
  title: id,
  assistant_slug: 'storyteller',
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
});

function pageWith(...ids: string[]) {
  const queryClient = new QueryClient();
  for (const id of ids) {
    queryClient.setQueryData(chatSessionKey(id), session(id));
    seedMessages(queryClient, id);
  }
  queryClient.setQueryData<ChatSessionPages>(chatSessionsKey, {
    pages: [{ chat_sessions: ids.map(session), next_cursor: null }],
    pageParams: [null],
  });
  const drop = vi.fn();
  return {
    queryClient,
    drop,
    hear: (news: ChatNews) => hearOtherTabs({ queryClient, liveTurns: { drop } }, news),
  };
}

test('a chat that another tab deleted leaves the list and the memory of this one, and no other does', () => {
  const { queryClient, drop, hear } = pageWith('a', 'b');
  hear({ chat_session_id: 'a', gone: true });
  const list = queryClient.getQueryData<ChatSessionPages>(chatSessionsKey);
  expect(list?.pages[0]?.chat_sessions.map(({ id }) => id)).toEqual(['b']);
  expect(queryClient.getQueryData(chatSessionKey('a'))).toBeUndefined();
  expect(queryClient.getQueryData(messagesKey('a'))).toBeUndefined();
  expect(queryClient.getQueryData(messagesKey('b'))).toBeDefined();
  expect(drop).toHaveBeenCalledExactlyOnceWith('a');
});

test('a chat that another tab renamed or wrote in is read again: its name, its messages and the list', () => {
  const { queryClient, drop, hear } = pageWith('a', 'b');
  hear({ chat_session_id: 'a', gone: false });
  const isStale = (key: string[]) => queryClient.getQueryState(key)?.isInvalidated;
  expect([chatSessionKey('a'), messagesKey('a'), chatSessionsKey].map(isStale)).toEqual([true, true, true]);
  expect([chatSessionKey('b'), messagesKey('b')].map(isStale)).toEqual([false, false]);
  expect(drop).not.toHaveBeenCalled();
});

test('what is told here is heard in the other tabs and not in this one', async () => {
  const here = vi.fn();
  const there = vi.fn();
  const tell = connectTabs(here);
  connectTabs(there);
  tell({ chat_session_id: 'a', gone: true });
  await vi.waitFor(() => expect(there).toHaveBeenCalledWith({ chat_session_id: 'a', gone: true }));
  expect(here).not.toHaveBeenCalled();
});
