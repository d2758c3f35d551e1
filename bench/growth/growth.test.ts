import { afterAll, beforeAll, expect, it } from 'vitest';
import { listChatSessions } from '../../server/chat/session-queries.ts';
import { openDatabase, type TestDatabase } from '../../server/testing/open-database.ts';
import { countPages } from './count-pages.ts';
import { fillDatabase } from './fill-database.ts';
import { listSamples } from './list-samples.ts';
import { listGrown, type Measured, measureHotQueries } from './measure-growth.ts';

let small: TestDatabase;
let large: TestDatabase;

beforeAll(async () => {
  small = await openDatabase({ pool_size: 1 });
  await fillDatabase(small.url, { messages: 4_000 });
  large = await openDatabase({ pool_size: 1 });
  await fillDatabase(large.url, { messages: 40_000 });
}, 120_000);
afterAll(async () => {
  await small?.close();
  await large?.close();
});

it('ten times the messages: no hot query reads a whole table, or more than one page more a look-up', async () => {
  const results: Measured[][] = [];
  for (const { pool } of [small, large]) results.push(await measureHotQueries(pool, 20));
  const [before, after] = results as [Measured[], Measured[]];
  expect(after.length).toBeGreaterThan(8);
  expect(listGrown(before, after)).toEqual([]);
}, 120_000);

it('of a member with 400 chats no more are read than a page shows, also where a vacuum was long ago', async () => {
  await large.pool.query(`
    alter table public.chat_sessions disable trigger user;
    update public.chat_sessions set updated_at = updated_at;
    alter table public.chat_sessions enable trigger user;
    analyze public.chat_sessions;
  `);
  const client = await large.pool.connect();
  try {
    const [sample] = await listSamples(client, 'long chat', 1);
    const read = () =>
      countPages(client, (database) =>
        listChatSessions(database, sample!.auth_id, { limit: 31, after: undefined }),
      );
    const { pages } = await read();
    // A page for each chat and for each former state of one, and the indexes.
    expect(pages).toBeLessThan(31 * 2 + 20);
  } finally {
    client.release();
  }
});
