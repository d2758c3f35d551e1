import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDatabase, type TestDatabase } from '../testing/open-database.ts';
import { isDatabaseAway, pingDatabase } from './database.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await openDatabase();
});
afterAll(() => test.close());

it('a bigint is a number, and a timestamp keeps its microseconds', async () => {
  const { rows } = await test.pool.query(
    `select 9007199254740991::bigint as big, '2026-11-22 17:09:27.857123+02'::timestamptz as moment, null::timestamptz as never`,
  );
  expect(rows).toEqual([{ big: 9007199254740991, moment: '2026-11-22T15:09:27.857123Z', never: null }]);
});

it('a connection that is cut in the middle of a transaction is an error there, and the next one works', async () => {
  const cut = test.database.transaction().execute(async (transaction) => {
    await sql`select pg_terminate_backend(pg_backend_pid())`.execute(transaction);
  });
  await expect(cut).rejects.toThrow();
  await expect(pingDatabase(test.database, 2_000)).resolves.toBeUndefined();
});

it('a statement on a connection that has just broken fails because the database is away, a wrong one does not', async () => {
  const client = await test.pool.connect();
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const broken = new Promise((resolve) => client.once('end', resolve));
  await test.pool.query('select pg_terminate_backend($1)', [rows[0]!.pid]);
  await broken;
  await expect(client.query('select 1').finally(() => client.release(true))).rejects.toSatisfy(
    isDatabaseAway,
  );
  await expect(test.pool.query('select nothing')).rejects.not.toSatisfy(isDatabaseAway);
});

it('a ping gives up after its time', async () => {
  const held = await Promise.all(Array.from({ length: 10 }, () => test.pool.connect()));
  try {
    await expect(pingDatabase(test.database, 100)).rejects.toThrow('in time');
  } finally {
    for (const client of held) client.release();
  }
});
