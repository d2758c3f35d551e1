import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDatabase, type TestDatabase } from '../testing/open-database.ts';
import { claimEvents, insertEvent } from './event-queries.ts';

let test_database: TestDatabase;
beforeAll(async () => {
  test_database = await openDatabase();
});
afterAll(() => test_database.close());

it('an event that another server is taking is left to it, and never waited for', async () => {
  const { database, pool } = test_database;
  for (const id of ['evt_1', 'evt_2']) {
    await insertEvent(database, {
      ...{ id, type: 'invoice.paid', object_kind: 'subscription', object_id: 'sub_1' },
      happened_at: new Date().toISOString(),
    });
  }
  const other = await pool.connect();
  try {
    await other.query('begin');
    await other.query(`select from public.stripe_events where id = 'evt_1' for update`);
    expect(await claimEvents(database)).toMatchObject({ object_id: 'sub_1', event_ids: ['evt_2'] });
    expect(await claimEvents(database)).toBe(undefined);
  } finally {
    await other.query('rollback');
    other.release();
  }
  expect(await claimEvents(database)).toMatchObject({ event_ids: ['evt_1'], attempts: 1 });
});
