import { describe, expect, test } from 'vitest';
import { conversationItems, failureOf, isFree } from './conversation.ts';
import { type LiveTurn, newLiveTurn, type TurnRequest } from './live-turn.ts';
import type { ChatHistory, Message } from './message.ts';

const message = (sender: 'user' | 'assistant', content: string, change: Partial<Message> = {}): Message => ({
  id: `${sender}-${content}`,
  sender,
  content,
  created_at: '2026-01-01T00:00:00Z',
  turn_id: 't',
  turn_status: 'done',
  incomplete: false,
  history_shortened: false,
  files: [],
  citations: [],
  ...change,
});
/** A chat as it was read before the live turn ended, unless `change` says otherwise. */
const history = (messages: Message[], change: Partial<ChatHistory> = {}): ChatHistory => ({
  messages,
  running_turn: null,
  failed_turn: null,
  asked_at_ms: 100,
  ...change,
});
const request: TurnRequest = {
  assistant_slug: 'a',
  content: 'Hi',
  files: [],
  edits_message_id: null,
  repeats_message_id: null,
  draft_key: 's',
};
const live = (change: Partial<LiveTurn>): LiveTurn => ({
  ...newLiveTurn('t', 's', request),
  ended_at_ms: change.outcome ? 200 : null,
  ...change,
});
const done = { status: 'done', message_id: 'm', incomplete: false, history_shortened: false } as const;
const failed = { status: 'failed', code: 'model_failed', detail: 'D', retry: 'anew' } as const;
const failed_turn = {
  id: 't',
  user_message_id: 'user-Hi',
  error_code: 'model_failed',
  error_detail: 'Stored',
  content: 'Hi',
  files: [],
};

const shown = (stored: ChatHistory, turn: LiveTurn | undefined) =>
  conversationItems(stored, turn).map(({ key, content }) => [key, content]);
const words = (stored: ChatHistory, turn: LiveTurn | undefined) =>
  conversationItems(stored, turn).map(({ content }) => content);

describe('a new message', () => {
  test('stands in the chat at once, before the server has it', () => {
    expect(shown(history([]), live({}))).toEqual([
      ['t:user', 'Hi'],
      ['t:assistant', ''],
    ]);
  });

  test('is shown once when the server has it as well', () => {
    const stored = history([message('user', 'Hi', { turn_status: 'answering' })]);
    expect(shown(stored, live({ text: 'Hello', user_message_id: 'user-Hi' }))).toEqual([
      ['t:user', 'Hi'],
      ['t:assistant', 'Hello'],
    ]);
  });

  test('keeps its key and that of its reply when the stored ones take over, and the stored words win', () => {
    const turn = live({ text: 'Hello', user_message_id: 'user-Hi', outcome: done });
    const before = conversationItems(history([]), turn);
    const stored = [message('user', 'Hi'), message('assistant', 'Hello.')];
    const after = conversationItems(history(stored, { asked_at_ms: 300 }), turn);
    expect(after.map(({ key }) => key)).toEqual(before.map(({ key }) => key));
    expect(after[1]?.content).toBe('Hello.');
  });

  test('that failed before the first word leaves no empty reply', () => {
    expect(words(history([message('user', 'Hi')]), live({ outcome: failed }))).toEqual(['Hi']);
  });
});

describe('a message that is answered again', () => {
  const repeats = { ...request, content: '', repeats_message_id: 'user-Hi' };
  const old = history([
    message('user', 'Hi', { turn_id: 'old' }),
    message('assistant', 'Old reply', { turn_id: 'old' }),
  ]);

  test('stands once, and what followed it gives way to the reply that grows', () => {
    expect(words(old, live({ request: repeats }))).toEqual(['Hi', '']);
    expect(words(old, live({ request: repeats, text: 'New' }))).toEqual(['Hi', 'New']);
  });

  test('keeps its key from before the turn until after it', () => {
    const turn = live({ request: repeats, text: 'New', user_message_id: 'user-Hi' });
    const known = history([message('user', 'Hi', { turn_status: 'answering' })]);
    const read = history([message('user', 'Hi'), message('assistant', 'New')], { asked_at_ms: 300 });
    const keys = [
      conversationItems(old, undefined),
      conversationItems(old, turn),
      conversationItems(known, turn),
      conversationItems(read, { ...turn, outcome: done, ended_at_ms: 200 }),
    ].map((items) => items[0]?.key);
    expect(new Set(keys).size).toBe(1);
  });

  test('is shown with the new reply until the chat is read again, however the reply ends', () => {
    for (const outcome of [done, failed]) {
      expect(words(old, live({ request: repeats, text: 'New', outcome }))).toEqual(['Hi', 'New']);
    }
  });

  test('gets its old reply back when the turn is gone', () => {
    expect(words(old, undefined)).toEqual(['Hi', 'Old reply']);
  });

  test('of a turn that failed stands with its words though the chat was not read since', () => {
    const retried = live({ id: 't2', request: { ...request, repeats_message_id: 'user-Hi' } });
    expect(words(history([]), retried)).toEqual(['Hi', '']);
    expect(words(history([message('user', 'Hi', { turn_status: 'failed' })]), retried)).toEqual(['Hi', '']);
  });
});

describe('an edited message', () => {
  const edits = { ...request, content: 'Better', edits_message_id: 'user-Two' };
  const old = history([
    message('user', 'One', { turn_id: 'a' }),
    message('assistant', 'First', { turn_id: 'a' }),
    message('user', 'Two', { turn_id: 'b' }),
    message('assistant', 'Second', { turn_id: 'b' }),
  ]);

  test('takes the place of the old one and of what followed', () => {
    expect(words(old, live({ request: edits }))).toEqual(['One', 'First', 'Better', '']);
  });

  test('that is tried again before the chat was read does not bring the old one back', () => {
    const retried = { ...edits, repeats_message_id: 'user-Better' };
    expect(words(old, live({ id: 't2', request: retried }))).toEqual(['One', 'First', 'Better', '']);
  });

  test('is the server’s as soon as it is read', () => {
    const stored = history([...old.messages.slice(0, 2), message('user', 'Better')]);
    expect(words(stored, live({ request: edits, text: 'New' }))).toEqual(['One', 'First', 'Better', 'New']);
  });
});

test('what another tab did after the turn is shown: the turn of this page lays nothing over it', () => {
  const repeated = [
    message('user', 'Hi', { turn_id: 'later' }),
    message('assistant', 'Newest', { turn_id: 'later' }),
  ];
  const turn = live({ text: 'Mine', user_message_id: 'user-Hi', outcome: done });
  expect(words(history(repeated, { asked_at_ms: 300 }), turn)).toEqual(['Hi', 'Newest']);
  const failed_here = live({ text: 'Half', user_message_id: 'user-Hi', outcome: failed });
  expect(words(history(repeated, { asked_at_ms: 300 }), failed_here)).toEqual(['Hi', 'Newest']);
  expect(failureOf(history(repeated, { asked_at_ms: 300 }), failed_here)).toBe(null);
});

test('a message that may never have arrived stays, whatever was read since', () => {
  const unsent = live({ outcome: { ...failed, retry: 'resend' } });
  expect(words(history([], { asked_at_ms: 300 }), unsent)).toEqual(['Hi']);
});

test('how a reply ended is told after a reload as well', () => {
  const endings = [{ turn_status: 'stopped' }, { incomplete: true }, {}] as const;
  const stored = endings.map((ending) => history([message('assistant', 'He', ending)]));
  expect(stored.map((chat) => conversationItems(chat, undefined)[0]?.ending)).toEqual([
    'stopped',
    'incomplete',
    null,
  ]);
});

test('a reply says that the chat has grown long, live and stored', () => {
  const outcome = { ...done, history_shortened: true };
  const stored = history([message('assistant', 'He', { history_shortened: true })]);
  expect(conversationItems(history([]), live({ text: 'He', outcome }))[1]?.history_shortened).toBe(true);
  expect(conversationItems(stored, undefined)[0]?.history_shortened).toBe(true);
});

test('a reply says that the coach had to do without the files, live and stored', () => {
  const outcome = { ...done, files_missing: true };
  const stored = history([message('assistant', 'He', { files_missing: true })]);
  expect(conversationItems(history([]), live({ text: 'He', outcome }))[1]?.files_missing).toBe(true);
  expect(conversationItems(stored, undefined)[0]?.files_missing).toBe(true);
});

describe('a failure', () => {
  test('is told by this page until the chat is read again, and keeps its exact words then', () => {
    const turn = live({ user_message_id: 'user-Hi', outcome: failed });
    expect(failureOf(undefined, turn)).toMatchObject({ detail: 'D', user_message_id: 'user-Hi' });
    const read = history([message('user', 'Hi')], { asked_at_ms: 300, failed_turn });
    expect(failureOf(read, turn)).toMatchObject({ detail: 'D', retry: 'anew', user_message_id: 'user-Hi' });
    expect(failureOf(read, undefined)).toMatchObject({ detail: 'Stored', user_message_id: 'user-Hi' });
  });

  test('of another reply is told on when the reply that was there stands again, and not once a later turn went well', () => {
    const turn = live({ user_message_id: 'user-Hi', outcome: failed });
    const old_reply = message('assistant', 'Old reply', { turn_id: 'old' });
    const read = (asked: Partial<Message>) =>
      history([message('user', 'Hi', asked), old_reply], { asked_at_ms: 300 });
    expect(failureOf(read({ turn_status: 'failed' }), turn)).toMatchObject({
      detail: 'D',
      user_message_id: 'user-Hi',
      had_reply: true,
    });
    expect(words(read({ turn_status: 'failed' }), turn)).toEqual(['Hi', 'Old reply']);
    expect(failureOf(read({ turn_id: 'later' }), turn)).toBe(null);
    expect(failureOf(read({ turn_status: 'failed' }), undefined)).toBe(null);
  });

  test('of before is gone while its message is answered again, and after that', () => {
    const read = history([message('user', 'Hi')], { failed_turn: { ...failed_turn, id: 'old' } });
    const again = { request: { ...request, repeats_message_id: 'user-Hi' } };
    expect(failureOf(read, live(again))).toBe(null);
    expect(failureOf(read, live({ ...again, outcome: done }))).toBe(null);
  });
});

test('a turn begins at a message only when none runs, none is unsent and the chat was read since the last one', () => {
  const read = history([], { asked_at_ms: 300 });
  expect(isFree(undefined, undefined)).toBe(false);
  expect(isFree(read, undefined)).toBe(true);
  expect(isFree(read, live({}))).toBe(false);
  expect(isFree(history([]), live({ outcome: done }))).toBe(false);
  expect(isFree(read, live({ outcome: done }))).toBe(true);
  expect(isFree(read, live({ outcome: { ...failed, retry: 'resend' } }))).toBe(false);
  const running_turn = { id: 't', user_message_id: 'user-Hi' };
  expect(isFree({ ...read, running_turn }, live({ outcome: { ...failed, retry: 'rejoin' } }))).toBe(false);
});
