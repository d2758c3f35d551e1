import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBillingServer } from '../testing/start-billing-server.ts';
import type { TestClient } from '../testing/start-test-server.ts';
import { endPlanGrants } from './queries.ts';

let site: Awaited<ReturnType<typeof startBillingServer>>;
let operator: TestClient;
beforeAll(async () => {
  site = await startBillingServer();
  operator = await site.signUp();
  await site.pool.query(
    `insert into public.user_roles (user_id, role) select id, 'operator' from public.profiles where email = $1`,
    [operator.email],
  );
});
afterAll(() => site.stop());

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();

function give(member: TestClient, plan: string, until = inDays(14), by = operator) {
  const body = JSON.stringify({ email: member.email.toUpperCase(), plan, until, note: 'A trial' });
  return by.fetch('/api/admin/grants', { method: 'POST', body });
}

/** As if the time of every grant of a member had come. */
async function endTime(member: TestClient) {
  const { id } = await site.profileOf(member);
  await site.pool.query(`update public.plan_grants set until = now() - interval '1 s' where user_id = $1`, [
    id,
  ]);
  await site.pool.query(`update public.profiles set plan_ends_at = now() - interval '1 s' where id = $1`, [
    id,
  ]);
}

const stateOf = (member: TestClient) => member.json('/api/billing');

it('an operator gives a plan until a time; what was used stays, and it ends by itself', async () => {
  const member = await site.signUp();
  const until = inDays(14);
  expect((await give(member, 'pro', until)).status).toBe(200);
  const state = await stateOf(member);
  expect(state).toMatchObject({
    plan: 'pro',
    source: 'grant',
    quota: { messages: 1000 },
    grant: { plan: 'pro' },
  });
  expect(Date.parse(state.grant.until)).toBe(Date.parse(until));
  expect(JSON.stringify(state)).not.toContain('A trial');
  await endTime(member);
  expect(await stateOf(member)).toMatchObject({ plan: 'free', quota: { messages: 50 }, grant: null });
});

it('it ends for a message that is sent the moment after, and for whoever never comes', async () => {
  const [sender, absent] = [await site.signUp(), await site.signUp()];
  for (const member of [sender, absent]) {
    await give(member, 'pro');
    const { id } = await site.profileOf(member);
    await site.pool.query(
      `update public.profiles set subscription_usage = '{"messages": 60, "files": 0, "tokens": 0}' where id = $1`,
      [id],
    );
    await endTime(member);
  }
  const refused = await sender.send({ session_id: randomUUID(), content: 'Hello' });
  expect(refused.status).toBe(429);
  expect(await refused.json()).toMatchObject({ code: 'quota_exhausted', allowances: { messages: 0 } });
  await endPlanGrants(site.database);
  expect((await site.profileOf(absent)).subscription_plan).toBe('free');
});

it('never touches a subscription that was bought meanwhile', async () => {
  const member = await site.signUp();
  await give(member, 'pro');
  await site.buy(member, { plan: 'starter', interval: 'month' });
  const { stripe_subscription_id } = await site.profileOf(member);
  expect(await stateOf(member)).toMatchObject({
    plan: 'pro',
    source: 'grant',
    subscription: { plan: 'starter' },
  });
  const requests = site.stripe.requests.length;
  await endTime(member);
  expect(await stateOf(member)).toMatchObject({
    plan: 'starter',
    source: 'subscription',
    subscription: { plan: 'starter', status: 'active', cancel_at: null },
  });
  expect((await site.profileOf(member)).stripe_subscription_id).toBe(stripe_subscription_id);
  expect(site.stripe.requests.length).toBe(requests);
  // A smaller one gives nothing.
  await give(member, 'free');
  expect(await stateOf(member)).toMatchObject({ plan: 'starter' });
});

it('can be taken back, and is listed with its note for operators', async () => {
  const member = await site.signUp();
  const { id } = (await (await give(member, 'enterprise')).json()) as { id: string };
  const { grants } = await operator.json('/api/admin/grants');
  expect(grants[0]).toMatchObject({
    id,
    email: member.email,
    plan: 'enterprise',
    note: 'A trial',
    revoked_at: null,
  });
  const end = () => operator.fetch(`/api/admin/grants/${id}`, { method: 'DELETE' });
  expect((await end()).status).toBe(204);
  expect(await stateOf(member)).toMatchObject({ plan: 'free' });
  expect((await end()).status).toBe(404);
});

it('is for operators alone, refuses what makes no sense, and changes nothing then', async () => {
  const member = await site.signUp();
  expect((await give(member, 'pro', inDays(1), member)).status).toBe(404);
  expect((await member.fetch('/api/admin/grants')).status).toBe(404);
  expect((await member.fetch(`/api/admin/grants/${randomUUID()}`, { method: 'DELETE' })).status).toBe(404);
  expect((await give(member, 'gold')).status).toBe(404);
  expect((await give(member, 'pro', inDays(-1))).status).toBe(400);
  expect((await give({ ...member, email: 'nobody@example.org' }, 'pro')).status).toBe(404);
  expect(await stateOf(member)).toMatchObject({ plan: 'free', grant: null });
});
