import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { insertMember } from '../testing/factories.ts';
import { openDatabase, type TestDatabase } from '../testing/open-database.ts';
import { listUsage } from './overview-queries.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await openDatabase({ pool_size: 20 });
});
afterAll(() => test.close());

it.each([
  ['2026-01-15 10:00Z', '2026-01-15 10:00Z', '2026-01-15T10:00:00Z'],
  ['2026-01-15 10:00Z', '2026-02-15 09:59Z', '2026-01-15T10:00:00Z'],
  ['2026-01-15 10:00Z', '2026-02-15 10:00Z', '2026-02-15T10:00:00Z'],
  ['2026-01-31 10:00Z', '2026-02-28 10:00Z', '2026-02-28T10:00:00Z'],
  ['2026-01-31 10:00Z', '2026-03-30 10:00Z', '2026-02-28T10:00:00Z'],
  ['2026-01-31 10:00Z', '2026-03-31 10:00Z', '2026-03-31T10:00:00Z'],
  ['2024-02-29 00:00Z', '2025-02-28 00:00Z', '2025-02-28T00:00:00Z'],
  ['2025-12-31 23:59Z', '2026-01-01 00:00Z', '2025-12-31T23:59:00Z'],
  // The days on which clocks change in Europe and America are days like others.
  ['2026-02-28 01:30+01', '2026-03-29 03:30+02', '2026-03-28T00:30:00Z'],
  ['2026-06-01 00:00Z', '2026-05-01 00:00Z', '2026-06-01T00:00:00Z'],
])('whoever began at %s has, at %s, a period since %s', async (since, moment, start) => {
  const { rows } = await test.pool.query('select public.period_start($1, $2) as start', [since, moment]);
  expect(rows[0].start).toBe(start);
});

it('a new month begins with nothing used, once, however many ask at the same moment', async () => {
  const member = await insertMember(test.pool, {
    subscription_quota: { messages: 5, files: 5, tokens: 100 },
  });
  await test.pool.query(
    `update public.profiles
     set created_at = now() - interval '3 months 2 days', quota_last_reset = now() - interval '3 months',
       subscription_usage = '{"messages": 5, "files": 5, "tokens": 100}'
     where id = $1`,
    [member.id],
  );
  const reserved = await Promise.all(
    Array.from({ length: 20 }, () =>
      test.pool.query(`select public.reserve_usage($1, 'messages', 1) as taken`, [member.id]),
    ),
  );
  expect(reserved.filter(({ rows }) => rows[0].taken)).toHaveLength(5);
  const { rows } = await test.pool.query(
    `select subscription_usage as usage, quota_last_reset > now() - interval '3 days' as renewed from public.profiles where id = $1`,
    [member.id],
  );
  expect(rows).toEqual([{ usage: { messages: 5, files: 0, tokens: 0 }, renewed: true }]);
});

it('within a month nothing is renewed', async () => {
  const member = await insertMember(test.pool, {
    subscription_quota: { messages: 1, files: 0, tokens: null },
  });
  const take = () => test.pool.query(`select public.reserve_usage($1, 'messages', 1) as taken`, [member.id]);
  expect((await take()).rows[0].taken).toBe(true);
  expect((await take()).rows[0].taken).toBe(false);
});

it('what was reserved in a month that is over is not given back in the next, and tokens count where they are settled', async () => {
  const member = await insertMember(test.pool);
  await test.pool.query(
    `update public.profiles
     set created_at = now() - interval '2 months 1 hour', quota_last_reset = now() - interval '1 month',
       subscription_usage = '{"messages": 40, "files": 8, "tokens": 9000}'
     where id = $1`,
    [member.id],
  );
  const settle = (messages: number, tokens: number, reserved_at: string) =>
    test.pool.query(`select public.settle_usage($1, $2, 0, $3, now() - $4::interval)`, [
      member.id,
      messages,
      tokens,
      reserved_at,
    ]);
  const usage = async () =>
    (
      await test.pool.query('select subscription_usage as usage from public.profiles where id = $1', [
        member.id,
      ])
    ).rows[0].usage;
  await settle(0, 120, '2 hours');
  expect(await usage()).toEqual({ messages: 0, files: 0, tokens: 120 });
  await test.pool.query(`select public.reserve_usage($1, 'messages', 1)`, [member.id]);
  await settle(1, 0, '2 hours');
  expect(await usage()).toEqual({ messages: 1, files: 0, tokens: 120 });
  await settle(1, 0, '1 minute');
  expect(await usage()).toEqual({ messages: 0, files: 0, tokens: 120 });
});

it('what is given back after midnight is taken off the day on which it was used', async () => {
  const member = await insertMember(test.pool);
  const { rows } = await test.pool.query(`select date_trunc('day', now() at time zone 'UTC') as midnight`);
  const note = (subject_id: string, reason: string, amount: number, at: string) =>
    test.pool.query(
      `insert into public.usage_entries (user_id, counter, amount, reason, subject_id, assistant_slug, period_start, created_at)
       values ($1, 'messages', $2, $3, $4, 'carousel', now(), $6::timestamp at time zone 'UTC' + $5::interval)`,
      [member.id, amount, reason, subject_id, at, rows[0].midnight],
    );
  const [failed, forgotten, kept] = [randomUUID(), randomUUID(), randomUUID()];
  await note(kept, 'reserved', 1, '-5 minutes');
  await note(failed, 'reserved', 1, '-1 minute');
  await note(failed, 'given_back', -1, '0');
  // Taken before the first day that is asked for.
  await note(forgotten, 'reserved', 1, '-9 days -1 minute');
  await note(forgotten, 'given_back', -1, '-9 days');
  const used = await listUsage(test.database, member.id, { days: 10, time_zone: 'UTC' });
  expect(used.days).toMatchObject([{ assistant_slug: 'carousel', messages: 1 }]);
  // A zone that PostgreSQL has not heard of.
  expect(await listUsage(test.database, member.id, { days: 10, time_zone: 'Mars/Olympus' })).toEqual(used);
});
