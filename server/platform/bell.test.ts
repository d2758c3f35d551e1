import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { openDatabase, type TestDatabase } from '../testing/open-database.ts';
import { type Bell, createBell } from './bell.ts';
import { createLogger } from './logger.ts';

const channel = 'touchline_turns';
const long_ms = 60_000;
const logger = createLogger('silent');

let database: TestDatabase;
let bell: Bell;
beforeAll(async () => {
  database = await openDatabase();
});
afterAll(() => database.close());
afterEach(() => bell.stop());

function ring(payload: string) {
  return database.pool.query('select pg_notify($1, $2)', [channel, payload]);
}

async function listeningBell() {
  bell = createBell(database.url, channel, logger);
  const first = bell.listen('first');
  await vi.waitFor(() => expect(bell.works).toBe(true), { timeout: 15_000 });
  // The first ring says that it hears from now on.
  await first.next(long_ms);
  return first;
}

test('a ring wakes whoever listens for its id, among others in one notification, and nobody else', async () => {
  const first = await listeningBell();
  const other = bell.listen('other');
  let woken = false;
  const waiting = first.next(long_ms).then(() => {
    woken = true;
  });
  await ring('other third');
  await other.next(long_ms);
  expect(woken).toBe(false);
  await ring('second first');
  await waiting;
});

test('a ring that came while nobody waited is not lost', async () => {
  const first = await listeningBell();
  const other = bell.listen('other');
  await ring('first');
  await ring('other');
  await other.next(long_ms);
  await first.next(long_ms);
});

test('without a ring it is time that wakes, and stopping wakes too', async () => {
  const first = await listeningBell();
  await first.next(5);
  const waiting = first.next(long_ms);
  first.stop();
  await waiting;
});

test('a lost connection is made anew, and everybody looks again', async () => {
  const first = await listeningBell();
  const waiting = first.next(long_ms);
  await database.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'touchline bell'`,
  );
  await waiting;
  expect(bell.works).toBe(true);
  const next = first.next(long_ms);
  await ring('first');
  await next;
});

test('where notifications do not arrive, it says that it does not work', async () => {
  // As a pooler in transaction mode does it: LISTEN is answered, and the connection behind is another one's next.
  const query = vi.spyOn(pg.Client.prototype, 'query');
  query.mockImplementation((() => Promise.resolve({ rows: [] })) as never);
  bell = createBell(database.url, channel, logger);
  const first = bell.listen('first');
  await vi.waitFor(() => expect(query).toHaveBeenCalledTimes(2), { timeout: 10_000 });
  query.mockRestore();
  await first.next(100);
  expect(bell.works).toBe(false);
});
