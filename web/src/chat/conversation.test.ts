import { expect, test } from 'vitest';
import { conversationItems } from './conversation.ts';
import { type LiveTurn, newLiveTurn } from './live-turn.ts';
import type { Message } from './message.ts';

const message = (sender: 'user' | 'assistant', content: string, change: Partial<Message> = {}): Message => ({
  id: `${sender}-${content}`,
  sender,
  content,
  created_at: '2026-01-01T00:00:00Z',
  turn_id: 't',
  turn_status: 'done',
  incomplete: false,
  files: [],
  citations: [],
  ...change,
});
const request = { assistant_slug: 'a', content: 'Hi', files: [], draft_key: 's' };
const live = (change: Partial<LiveTurn>): LiveTurn => ({ ...newLiveTurn('t', 's', request), ...change });
const shown = (messages: Message[], turn: LiveTurn | undefined) =>
  conversationItems(messages, turn).map(({ key, content }) => [key, content]);

test('a message stands in the chat at once, before the server has it', () => {
  expect(shown([], live({}))).toEqual([
    ['t:user', 'Hi'],
    ['t:assistant', ''],
  ]);
});

test('a message that the server has as well is shown once', () => {
  const stored = [message('user', 'Hi'), message('assistant', 'He', { turn_status: 'answering' })];
  expect(shown(stored, live({ text: 'Hello' }))).toEqual([
    ['t:user', 'Hi'],
    ['t:assistant', 'Hello'],
  ]);
});

test('keys stay the same when the stored messages take over, and the stored words win', () => {
  const outcome = { status: 'done', message_id: 'm', incomplete: false } as const;
  const before = conversationItems([], live({ text: 'Hello', outcome }));
  const after = conversationItems(
    [message('user', 'Hi'), message('assistant', 'Hello.')],
    live({ text: 'Hello', outcome }),
  );
  expect(after.map(({ key }) => key)).toEqual(before.map(({ key }) => key));
  expect(after[1]?.content).toBe('Hello.');
});

test('a joined reply never shows less than the server has kept', () => {
  const stored = [message('user', 'Hi'), message('assistant', 'Hello wor', { turn_status: 'answering' })];
  const joined = { ...newLiveTurn('t', 's', null), text: 'He' };
  expect(shown(stored, joined)[1]).toEqual(['t:assistant', 'Hello wor']);
  expect(shown(stored, { ...joined, text: 'Hello world' })[1]).toEqual(['t:assistant', 'Hello world']);
});

test('a turn that failed before its first word leaves no empty reply', () => {
  const outcome = { status: 'failed', code: 'model_failed', detail: 'D', retry: 'anew' } as const;
  expect(shown([message('user', 'Hi')], live({ outcome }))).toEqual([['t:user', 'Hi']]);
});

test('how a reply ended is told after a reload as well', () => {
  const endings = [{ turn_status: 'stopped' }, { incomplete: true }, {}] as const;
  expect(
    endings.map((ending) => conversationItems([message('assistant', 'He', ending)], undefined)[0]?.ending),
  ).toEqual(['stopped', 'incomplete', null]);
});
