import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBillingServer } from '../testing/start-billing-server.ts';
import type { TestClient } from '../testing/start-test-server.ts';
import { reconcile } from './reconcile.ts';

let site: Awaited<ReturnType<typeof startBillingServer>>;
beforeAll(async () => {
  site = await startBillingServer();
});
afterAll(() => site.stop());

const top_up = { top_up: 'messages_50' };
const creditsOf = async (member: TestClient) => (await member.json('/api/billing')).credits;
const lastPayment = () => site.stripe.list('charge').at(-1)!.payment_intent;

it('a refund that is told before its payment leaves no messages', async () => {
  const member = await site.signUp();
  const from = site.stripe.events.length;
  const { url } = await site.post(member, '/api/billing/checkout', top_up);
  site.stripe.pay(url);
  site.stripe.refund(lastPayment(), 600);
  const events = site.stripe.events.slice(from).toReversed();
  for (const event of events) {
    await site.stripe.deliver(event, site.url);
    await site.settleEvents();
  }
  expect(events.map(({ type }) => type)).toContain('checkout.session.completed');
  expect(await creditsOf(member)).toBe(0);
  expect(await reconcile(site.parts)).toEqual([]);
});

it('a refund that no event has told is found at night, and named once', async () => {
  const member = await site.signUp();
  await site.buy(member, top_up);
  site.stripe.refund(lastPayment(), 300);
  const [refund] = site.stripe.list('refund').slice(-1);
  expect(await reconcile(site.parts)).toEqual([{ what: 'refund', id: refund!.id, is_mended: true }]);
  expect(await creditsOf(member)).toBe(25);
  expect(await reconcile(site.parts)).toEqual([]);
});

it('what was used before a refund is written off: nothing that is bought later pays for it', async () => {
  const member = await site.signUp();
  const { id } = await site.profileOf(member);
  await site.pool.query(
    `update public.profiles
     set subscription_usage = jsonb_set(subscription_usage, '{messages}', subscription_quota -> 'messages')
     where id = $1`,
    [id],
  );
  await site.buy(member, top_up);
  const payment = lastPayment();
  for (let index = 0; index < 40; index++) {
    await site.pool.query(`select public.reserve_usage($1, 'messages', 1, $2)`, [id, randomUUID()]);
  }
  expect(await creditsOf(member)).toBe(10);
  const from = site.stripe.events.length;
  site.stripe.refund(payment, 300);
  await site.deliverEvents(from);
  expect(await creditsOf(member)).toBe(0);
  await site.buy(member, top_up);
  // Told again, in other words.
  for (const event of site.stripe.events.slice(from)) {
    await site.stripe.deliver({ ...event, id: `${event.id}_again` }, site.url);
  }
  await site.settleEvents();
  await reconcile(site.parts);
  expect(await creditsOf(member)).toBe(50);
  // The other half of the money: all of its messages are gone by now.
  site.stripe.refund(payment, 300);
  await site.deliverEvents(from);
  expect(await creditsOf(member)).toBe(50);
});
