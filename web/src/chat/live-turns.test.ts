import { expect, test, vi } from 'vitest';
import type { Api } from '../platform/api.ts';
import { ApiError, unreachable } from '../platform/api-error.ts';
import type { TurnRequest } from './live-turn.ts';
import { createLiveTurns, type TurnListeners } from './live-turns.ts';

const turn_event = 'event: turn\ndata: {"id":"t","session_id":"s","user_message_id":"u","title":"T"}\n\n';
const end_event =
  'event: end\ndata: {"status":"done","message_id":"m","incomplete":false,"allowance":{"messages":4}}\n\n';
const request: TurnRequest = {
  assistant_slug: 'storyteller',
  content: 'Hi',
  files: [],
  edits_message_id: null,
  repeats_message_id: null,
  draft_key: 's',
};

/** Answers each request with the next entry: a stream's text, or an error to throw. */
function serverOf(answers: (string | Promise<string> | ApiError)[]) {
  const requests: { path: string; id: string | undefined; body: unknown }[] = [];
  const open = async (path: string, init?: RequestInit) => {
    const body = init?.body ? JSON.parse(String(init.body)) : undefined;
    requests.push({ path, id: body?.id, body });
    const answer = answers.shift();
    if (answer === undefined) throw unreachable();
    if (answer instanceof ApiError) throw answer;
    return new Response(await answer);
  };
  const listeners = { onAccepted: vi.fn(), onRefused: vi.fn(), onEnded: vi.fn() } satisfies TurnListeners;
  const turns = createLiveTurns({ open } as unknown as Api, listeners, [0, 0, 0]);
  return { requests, listeners, turns };
}

test('a broken stream is joined again after the last letter, and nothing is lost or doubled', async () => {
  const { requests, listeners, turns } = serverOf([
    `${turn_event}id: 5\ndata: "Hello"\n\n`,
    unreachable(),
    `${turn_event}id: 11\ndata: " world"\n\n${end_event}`,
  ]);
  turns.begin('t', 's', request);
  await vi.waitFor(() => expect(listeners.onEnded).toHaveBeenCalledOnce());
  expect(turns.store.get('s')).toMatchObject({ text: 'Hello world', outcome: { status: 'done' } });
  expect(requests.map(({ path }) => path)).toEqual([
    '/api/chat-sessions/s/turns',
    '/api/turns/t/events?after=5',
    '/api/turns/t/events?after=5',
  ]);
});

test('a message that could not go out is sent again under the same id', async () => {
  const { requests, listeners, turns } = serverOf([unreachable(), unreachable(), unreachable()]);
  turns.begin('t', 's', request);
  await vi.waitFor(() => expect(listeners.onEnded).toHaveBeenCalledOnce());
  expect(turns.store.get('s')?.outcome).toMatchObject({ status: 'failed', retry: 'resend' });
  turns.takeUp('s');
  await vi.waitFor(() => expect(listeners.onEnded).toHaveBeenCalledTimes(2));
  expect(requests.length).toBeGreaterThan(3);
  expect(new Set(requests.map(({ id }) => id))).toEqual(new Set(['t']));
});

test('a refused message goes back to its writer and leaves no turn behind', async () => {
  const refusal = new ApiError('quota_exhausted', 429, 'No messages left.');
  const { listeners, turns } = serverOf([refusal]);
  turns.begin('t', 's', request);
  await vi.waitFor(() => expect(listeners.onRefused).toHaveBeenCalledOnce());
  expect(listeners.onRefused.mock.calls[0]?.slice(1)).toEqual([request, refusal]);
  expect(turns.store.get('s')).toBeUndefined();
  expect(listeners.onEnded).not.toHaveBeenCalled();
});

test('an edit names the message whose place it takes; answering again sends no words', async () => {
  const { requests, listeners, turns } = serverOf([`${turn_event}${end_event}`, `${turn_event}${end_event}`]);
  turns.begin('t', 's', { ...request, edits_message_id: 'm' });
  await vi.waitFor(() => expect(listeners.onEnded).toHaveBeenCalledOnce());
  turns.begin('t2', 's', { ...request, edits_message_id: 'm', repeats_message_id: 'n', draft_key: null });
  await vi.waitFor(() => expect(listeners.onEnded).toHaveBeenCalledTimes(2));
  expect(requests.map(({ body }) => body)).toEqual([
    { id: 't', assistant_slug: 'storyteller', content: 'Hi', file_ids: [], edits_message_id: 'm' },
    { id: 't2', assistant_slug: 'storyteller', repeats_message_id: 'n' },
  ]);
});

test('a turn that was let in and lost before it told its message is sent again under the same id', async () => {
  const gone = new ApiError('not_found', 404, 'Gone.');
  const { requests, listeners, turns } = serverOf(['', gone, `${turn_event}${end_event}`]);
  turns.begin('t', 's', request);
  await vi.waitFor(() => expect(listeners.onEnded).toHaveBeenCalledOnce());
  expect(turns.store.get('s')?.outcome).toMatchObject({ status: 'failed', retry: 'resend' });
  turns.takeUp('s');
  await vi.waitFor(() => expect(listeners.onEnded).toHaveBeenCalledTimes(2));
  expect(requests.map(({ path, id }) => [path, id])).toEqual([
    ['/api/chat-sessions/s/turns', 't'],
    ['/api/turns/t/events?after=0', undefined],
    ['/api/chat-sessions/s/turns', 't'],
  ]);
});

test('a turn that is stopped before the server has it is stopped as soon as it has', async () => {
  let letIn = (_: string) => {};
  const opening = new Promise<string>((resolve) => {
    letIn = resolve;
  });
  const { requests, turns } = serverOf([opening, new Promise(() => {}), '']);
  turns.begin('t', 's', request);
  const stopped = turns.stop('s');
  await vi.waitFor(() => expect(turns.store.get('s')?.stopping).toBe(true));
  expect(requests.map(({ path }) => path)).toEqual(['/api/chat-sessions/s/turns']);
  letIn(turn_event);
  await stopped;
  expect(requests.map(({ path }) => path)).toContain('/api/turns/t/stop');
});

test('a turn that is refused while it is to be stopped is asked nothing more', async () => {
  const { requests, turns } = serverOf([new ApiError('quota_exhausted', 429, 'No messages left.')]);
  turns.begin('t', 's', request);
  await turns.stop('s');
  expect(requests).toHaveLength(1);
});

test('a joined turn is read from its start', async () => {
  const { requests, listeners, turns } = serverOf([`${turn_event}id: 2\ndata: "Hi"\n\n${end_event}`]);
  turns.join('t', 's');
  turns.join('t', 's');
  await vi.waitFor(() => expect(listeners.onEnded).toHaveBeenCalledOnce());
  expect(requests.map(({ path }) => path)).toEqual(['/api/turns/t/events?after=0']);
});
