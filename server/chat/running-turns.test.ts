import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createLogger } from '../platform/logger.ts';
import { insertMember, type TestMember } from '../testing/factories.ts';
import { openDatabase, type TestDatabase } from '../testing/open-database.ts';
import { beginTurn, requestStop } from './queries.ts';
import { RunningTurn } from './running-turn.ts';
import { createRunningTurns, ServerStopping, TurnGone, TurnStopped } from './running-turns.ts';

let test: TestDatabase;
let member: TestMember;
beforeAll(async () => {
  test = await openDatabase();
  member = await insertMember(test.pool);
});
afterAll(() => test.close());

async function begin() {
  const turn = { id: randomUUID(), session_id: randomUUID(), auth_id: member.auth_id, title: 'Bread' };
  await beginTurn(test.database, {
    ...turn,
    turn_id: turn.id,
    assistant_slug: 'carousel',
    content: 'Hello',
    file_ids: [],
    edits_id: null,
    repeats_id: null,
    plans: ['free'],
    with_history: true,
    with_library: true,
  });
  return new RunningTurn({ ...turn, user_message_id: randomUUID() });
}

async function keptText(id: string) {
  const { rows } = await test.pool.query('select reply from public.turns where id = $1', [id]);
  return rows[0].reply;
}

it('the text of a reply that lasts is kept while it grows', async () => {
  const running = createRunningTurns(test.database, createLogger('silent'));
  const turn = await begin();
  running.add(turn);
  turn.addText('First words');
  await vi.waitFor(async () => expect(await keptText(turn.id)).toBe('First words'), {
    timeout: 10_000,
    interval: 50,
  });
  turn.addText(' and more');
  await vi.waitFor(async () => expect(await keptText(turn.id)).toBe('First words and more'), {
    timeout: 10_000,
    interval: 50,
  });
  running.delete(turn);
  await running.stop(0);
});

it('a stop that another process took in, and a turn that is gone, end the reply here', async () => {
  const running = createRunningTurns(test.database, createLogger('silent'));
  const [stopped, gone] = [await begin(), await begin()];
  running.add(stopped);
  running.add(gone);
  await requestStop(test.database, member.auth_id, stopped.id);
  await test.pool.query('delete from public.chat_sessions where id = $1', [gone.session_id]);
  await vi.waitFor(() => expect(stopped.abort.signal.aborted && gone.abort.signal.aborted).toBe(true), {
    timeout: 10_000,
  });
  expect(stopped.abort.signal.reason).toBeInstanceOf(TurnStopped);
  expect(gone.abort.signal.reason).toBeInstanceOf(TurnGone);
  running.delete(stopped);
  running.delete(gone);
  await running.stop(0);
});

it('stopping waits for a message that is being taken in, and cuts off a reply that begins too late', async () => {
  const running = createRunningTurns(test.database, createLogger('silent'));
  const [earlier, turn] = [await begin(), await begin()];
  running.add(earlier);
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  const taken = running.takeIn(async () => {
    await begun;
    running.add(turn);
  });
  let has_stopped = false;
  const stopped = running.stop(0).then(() => {
    has_stopped = true;
  });
  await expect(running.takeIn(async () => {})).rejects.toMatchObject({ code: 'unavailable' });
  await vi.waitFor(() => expect(earlier.abort.signal.aborted).toBe(true), { timeout: 20_000 });
  running.delete(earlier);
  expect(has_stopped).toBe(false);
  resolve();
  await taken;
  expect(turn.abort.signal.reason).toBeInstanceOf(ServerStopping);
  expect(has_stopped).toBe(false);
  running.delete(turn);
  await stopped;
});
