import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { insertMember, type TestMember } from '../testing/factories.ts';
import { openDatabase, type TestDatabase } from '../testing/open-database.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await openDatabase({ pool_size: 30 });
});
afterAll(() => test.close());

// Whatever a test did, the meters are what the ledger says.
afterEach(async () => {
  const { rows } = await test.pool.query('select * from public.usage_differences()');
  expect(rows).toEqual([]);
});

async function reserve(
  member: TestMember,
  { counter = 'messages', subject = randomUUID(), now = 'now' } = {},
) {
  const { rows } = await test.pool.query(
    `select public.reserve_usage($1, $2, 1, $3, 'carousel', $4::timestamptz) as taken`,
    [member.id, counter, subject, now],
  );
  return rows[0].taken as boolean;
}

type Settling = { messages?: number; files?: number; tokens?: number; subject: string; now?: string };

async function settle(
  member: TestMember,
  { messages = 0, files = 0, tokens = 0, subject, now = 'now' }: Settling,
) {
  const usage = { input_tokens: tokens, cached_tokens: 0, output_tokens: 0 };
  const { rows } = await test.pool.query(
    'select public.settle_usage($1, $2, $3, $4, now(), $5, $6, $7::timestamptz) as left',
    [member.id, messages, files, tokens, subject, usage, now],
  );
  return rows[0].left;
}

async function buy(member: TestMember, messages: number, session = `cs_${randomUUID()}`) {
  await test.pool.query('update public.profiles set stripe_customer_id = $2 where id = $1', [
    member.id,
    `cus_${member.id}`,
  ]);
  const { rows } = await test.pool.query(
    `select public.add_purchase($1, $2, $3, $4, 'messages_50', $5, 600, 'usd') as added`,
    [member.id, `cus_${member.id}`, session, `pi_${session}`, messages],
  );
  return rows[0].added as boolean;
}

async function stateOf(member: TestMember) {
  const { rows } = await test.pool.query(
    `select subscription_usage as usage, message_credits as credits, quota_last_reset as reset
     from public.profiles where id = $1`,
    [member.id],
  );
  return rows[0] as { usage: Record<string, number>; credits: number; reset: string };
}

/** As if the member had signed up then. */
async function signedUpAt(member: TestMember, moment: string) {
  await test.pool.query('update public.profiles set created_at = $2, quota_last_reset = $2 where id = $1', [
    member.id,
    moment,
  ]);
}

it('1,000 parallel sends never pass the quota and the bought messages, and lose none of them', async () => {
  const member = await insertMember(test.pool, {
    subscription_quota: { messages: 60, files: 0, tokens: null },
  });
  await buy(member, 40);
  let taken = 0;
  let refused = 0;
  await Promise.all(
    Array.from({ length: 1_000 }, async (_, index) => {
      const subject = randomUUID();
      if (!(await reserve(member, { subject }))) {
        refused += 1;
        return;
      }
      taken += 1;
      // Every fifth one fails, and another may have its message.
      if (index % 5 === 0) {
        await settle(member, { messages: 1, subject });
        taken -= 1;
      } else await settle(member, { tokens: 10, subject });
    }),
  );
  expect(taken).toBeLessThanOrEqual(100);
  while (await reserve(member)) taken += 1;
  expect(taken).toBe(100);
  expect(refused).toBeGreaterThan(0);
  expect(await stateOf(member)).toMatchObject({ usage: { messages: 60 }, credits: 0 });
}, 60_000);

it('bought messages are used after the plan’s, and given back to where they came from', async () => {
  const member = await insertMember(test.pool, {
    subscription_quota: { messages: 1, files: 0, tokens: null },
  });
  await buy(member, 2);
  const [of_plan, bought] = [randomUUID(), randomUUID()];
  expect(await reserve(member, { subject: of_plan })).toBe(true);
  expect(await stateOf(member)).toMatchObject({ usage: { messages: 1 }, credits: 2 });
  expect(await reserve(member, { subject: bought })).toBe(true);
  expect(await stateOf(member)).toMatchObject({ usage: { messages: 1 }, credits: 1 });
  await settle(member, { messages: 1, subject: of_plan });
  expect(await stateOf(member)).toMatchObject({ usage: { messages: 0 }, credits: 1 });
  expect(await settle(member, { messages: 1, subject: bought })).toMatchObject({ messages: 1, credits: 2 });
});

it('a bought message asks for no tokens of the plan', async () => {
  const member = await insertMember(test.pool, { subscription_quota: { messages: 5, files: 0, tokens: 10 } });
  const subject = randomUUID();
  await reserve(member, { subject });
  await settle(member, { tokens: 500, subject });
  expect(await reserve(member)).toBe(false);
  await buy(member, 1);
  expect(await reserve(member)).toBe(true);
  expect(await reserve(member)).toBe(false);
  expect(await stateOf(member)).toMatchObject({ usage: { messages: 1, tokens: 500 }, credits: 0 });
});

it('bought messages are for messages alone', async () => {
  const member = await insertMember(test.pool, {
    subscription_quota: { messages: 0, files: 0, tokens: null },
  });
  await buy(member, 5);
  expect(await reserve(member, { counter: 'files' })).toBe(false);
  expect(await stateOf(member)).toMatchObject({ credits: 5 });
});

it('a renewal leaves bought messages alone, and one that fails after it comes back all the same', async () => {
  const member = await insertMember(test.pool, {
    subscription_quota: { messages: 1, files: 0, tokens: null },
  });
  await signedUpAt(member, '2026-01-31T10:00Z');
  await buy(member, 3);
  const [of_plan, bought] = [randomUUID(), randomUUID()];
  await reserve(member, { subject: of_plan, now: '2026-02-28T09:00Z' });
  await reserve(member, { subject: bought, now: '2026-02-28T09:59Z' });
  expect(await reserve(member, { now: '2026-02-28T10:00Z' })).toBe(true);
  expect(await stateOf(member)).toMatchObject({ usage: { messages: 1 }, credits: 2 });
  await settle(member, { messages: 1, subject: bought, now: '2026-02-28T10:01Z' });
  await settle(member, { messages: 1, subject: of_plan, now: '2026-02-28T10:01Z' });
  // The plan's message has lapsed with its month.
  expect(await stateOf(member)).toMatchObject({ usage: { messages: 1 }, credits: 3 });
});

it.each([
  ['2026-01-31T10:00Z', ['2026-02-28T10:00Z', '2026-03-31T10:00Z', '2026-04-30T10:00Z', '2026-05-31T10:00Z']],
  ['2024-01-29T00:30Z', ['2024-02-29T00:30Z', '2024-03-29T00:30Z', '2024-04-29T00:30Z']],
  ['2024-02-29T12:00Z', ['2024-03-29T12:00Z', '2025-02-28T12:00Z', '2025-03-29T12:00Z', '2028-02-29T12:00Z']],
  // Clocks change in Berlin (29 March, 25 October) and New York (8 March) in between; a month is one in UTC.
  ['2026-02-28T01:30Z', ['2026-03-28T01:30Z', '2026-04-28T01:30Z']],
  ['2026-09-25T00:30Z', ['2026-10-25T00:30Z', '2026-11-25T00:30Z']],
  ['2025-12-31T23:59:59Z', ['2026-01-31T23:59:59Z', '2026-02-28T23:59:59Z']],
])('a quota of %s renews at the moment, not before, and once', async (since, renewals) => {
  const member = await insertMember(test.pool, {
    subscription_quota: { messages: 2, files: 1, tokens: null },
  });
  await signedUpAt(member, since);
  for (const renewal of renewals) {
    const before = new Date(Date.parse(renewal) - 1_000).toISOString();
    while (await reserve(member, { now: before }));
    expect(await reserve(member, { now: before })).toBe(false);
    const taken = await Promise.all(Array.from({ length: 10 }, () => reserve(member, { now: renewal })));
    expect(taken.filter(Boolean)).toHaveLength(2);
    const { usage, reset } = await stateOf(member);
    expect(usage).toEqual({ messages: 2, files: 0, tokens: 0 });
    expect(Date.parse(reset)).toBe(Date.parse(renewal));
  }
});

it.each([
  ['2026-01-31T10:00Z', '2026-02-01T00:00Z', '2026-02-28T10:00:00Z'],
  ['2026-01-31T10:00Z', '2026-02-28T10:00Z', '2026-03-31T10:00:00Z'],
  ['2024-02-29T12:00Z', '2025-02-01T00:00Z', '2025-02-28T12:00:00Z'],
  ['2026-12-15T08:00Z', '2026-12-31T23:59Z', '2027-01-15T08:00:00Z'],
])('whoever began at %s reads at %s that the quota renews at %s', async (since, now, renews_at) => {
  const member = await insertMember(test.pool);
  await signedUpAt(member, since);
  const { rows } = await test.pool.query(
    'select public.meter(profiles, $2::timestamptz) as meter from public.profiles where id = $1',
    [member.id, now],
  );
  expect(rows[0].meter).toMatchObject({ renews_at, credits: 0 });
});

it('a message that waited for another one across a renewal does not take the renewal back', async () => {
  const member = await insertMember(test.pool, {
    subscription_quota: { messages: 1, files: 0, tokens: null },
  });
  await signedUpAt(member, '2026-01-15T10:00Z');
  expect(await reserve(member, { now: '2026-02-15T10:00Z' })).toBe(true);
  expect(await reserve(member, { now: '2026-02-15T09:59Z' })).toBe(false);
  expect(await reserve(member, { now: '2026-02-15T10:01Z' })).toBe(false);
});

it('each thing is given back once, whoever tries', async () => {
  const member = await insertMember(test.pool);
  const subject = randomUUID();
  await reserve(member, { subject });
  await reserve(member);
  await settle(member, { messages: 1, subject });
  await expect(settle(member, { messages: 1, subject })).rejects.toMatchObject({ code: '23505' });
  expect(await stateOf(member)).toMatchObject({ usage: { messages: 1 } });
});

it('a stranger’s id gives nothing back', async () => {
  const quota = { subscription_quota: { messages: 0, files: 0, tokens: null } };
  const [member, stranger] = [await insertMember(test.pool, quota), await insertMember(test.pool, quota)];
  await buy(member, 1);
  const subject = randomUUID();
  await reserve(member, { subject });
  await settle(stranger, { messages: 1, subject });
  expect(await stateOf(stranger)).toMatchObject({ credits: 0, usage: { messages: 0 } });
  expect(await stateOf(member)).toMatchObject({ credits: 0 });
});

it('a checkout is credited once, however often it is told', async () => {
  const member = await insertMember(test.pool);
  const session = `cs_${randomUUID()}`;
  const added = await Promise.all(Array.from({ length: 50 }, () => buy(member, 50, session)));
  expect(added.filter(Boolean)).toHaveLength(1);
  expect(await stateOf(member)).toMatchObject({ credits: 50 });
});

it('a payment that is given back takes its messages back, but none that were used', async () => {
  const member = await insertMember(test.pool, {
    subscription_quota: { messages: 0, files: 0, tokens: null },
  });
  const session = `cs_${randomUUID()}`;
  await buy(member, 10, session);
  const takeBack = async (refunded: number) =>
    (
      await test.pool.query('select public.take_back_purchase($1, $2, 600) as taken', [
        `pi_${session}`,
        refunded,
      ])
    ).rows[0].taken;
  expect(await takeBack(300)).toBe(5);
  expect(await takeBack(300)).toBe(0);
  for (let sent = 0; sent < 2; sent++) await reserve(member);
  expect(await takeBack(600)).toBe(3);
  expect(await stateOf(member)).toMatchObject({ credits: 0 });
});

it('what is changed past the meter is found', async () => {
  const member = await insertMember(test.pool);
  await reserve(member);
  await test.pool.query(
    `update public.profiles set message_credits = 7, subscription_usage = '{"messages": 4}' where id = $1`,
    [member.id],
  );
  const { rows } = await test.pool.query('select * from public.usage_differences() order by counter');
  expect(rows).toEqual([
    { user_id: member.id, counter: 'credits', metered: 7, in_ledger: 0 },
    { user_id: member.id, counter: 'messages', metered: 4, in_ledger: 1 },
  ]);
  await test.pool.query('delete from public.profiles where id = $1', [member.id]);
});
