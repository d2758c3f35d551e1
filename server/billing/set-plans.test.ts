import { afterAll, beforeAll, expect, it } from 'vitest';
import { insertMember, type TestMember } from '../testing/factories.ts';
import { openDatabase, type TestDatabase } from '../testing/open-database.ts';
import { plans_file } from '../testing/start-billing-server.ts';
import { loadPlans } from './load-plans.ts';
import type { PlanCatalog } from './plans.ts';
import { setPlans } from './queries.ts';

let test: TestDatabase;
let catalog: PlanCatalog;
beforeAll(async () => {
  test = await openDatabase();
  catalog = await loadPlans(plans_file);
});
afterAll(() => test.close());

/** The same plans, with other messages in the free one. */
function withFreeMessages(messages: number): PlanCatalog {
  const changed = structuredClone(catalog);
  changed.plans[0]!.includes.messages = messages;
  return changed;
}

async function messagesOf(member: TestMember) {
  const { rows } = await test.pool.query(
    `select (subscription_quota ->> 'messages')::int as messages from public.profiles where id = $1`,
    [member.id],
  );
  return rows[0].messages;
}

it('a quota follows plans.yaml, also of who signed up before the first start; one that was set by hand stays', async () => {
  const early = await insertMember(test.pool);
  const by_hand = await insertMember(test.pool, { subscription_quota: { messages: 7, files: 1, tokens: 1 } });
  await setPlans(test.database, withFreeMessages(30));
  expect(await messagesOf(early)).toBe(30);
  const late = await insertMember(test.pool);
  expect(await messagesOf(late)).toBe(30);
  await Promise.all(Array.from({ length: 5 }, () => setPlans(test.database, withFreeMessages(40))));
  expect([await messagesOf(early), await messagesOf(late), await messagesOf(by_hand)]).toEqual([40, 40, 7]);
});

it('a plan that is gone from plans.yaml gives nothing any more, and a subscription to it is kept', async () => {
  await setPlans(test.database, catalog);
  const member = await insertMember(test.pool);
  await test.pool.query(
    `insert into public.subscriptions (id, user_id, plan, billing_interval, status, started_at, fetch_number)
     values ('sub_1', $1, 'pro', 'month', 'active', now(), 1)`,
    [member.id],
  );
  const apply = async () =>
    (await test.pool.query('select (public.apply_plan($1)).subscription_plan as plan', [member.id])).rows[0]
      .plan;
  expect(await apply()).toBe('pro');
  await setPlans(test.database, { ...catalog, plans: catalog.plans.filter(({ slug }) => slug !== 'pro') });
  expect(await apply()).toBe('free');
  await setPlans(test.database, catalog);
  expect(await apply()).toBe('pro');
});
