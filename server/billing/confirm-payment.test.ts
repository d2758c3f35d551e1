import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startBillingServer } from '../testing/start-billing-server.ts';
import type { TestClient } from '../testing/start-test-server.ts';
import { stripeSubscriptionCloser } from './closer.ts';
import { reconcile } from './reconcile.ts';

let site: Awaited<ReturnType<typeof startBillingServer>>;
beforeAll(async () => {
  site = await startBillingServer();
});
afterAll(() => site.stop());
afterEach(() => {
  site.stripe.state.wants_confirmation = false;
});

const pro = { plan: 'pro', interval: 'month' };
const enterprise = { plan: 'enterprise', interval: 'month' };
const billing = (member: TestClient) => member.json('/api/billing');
const paidBy = (customer: string) =>
  site.stripe
    .list('invoice')
    .filter((invoice) => invoice.customer === customer && invoice.status === 'paid')
    .map(({ total }) => total);

/** Somebody with a plan, whose bank wants every payment confirmed. */
async function startMember(plan = 'starter') {
  const member = await site.signUp();
  await site.buy(member, { plan, interval: 'month' });
  const { stripe_customer_id: customer, stripe_subscription_id: subscription } = await site.profileOf(member);
  site.stripe.state.wants_confirmation = true;
  return { member, customer: customer as string, subscription: subscription as string };
}

it('a payment that the bank wants confirmed changes and charges nothing until it is, and then what was shown', async () => {
  const { member, customer } = await startMember();
  const shown = await member.json('/api/billing/change-preview?plan=pro&interval=month');
  const asked = await site.post(member, '/api/billing/change', { ...pro, shown });
  expect(asked).toMatchObject({ plan: 'starter', subscription: { plan: 'starter', status: 'active' } });
  expect(asked.confirmation.url).toContain(site.stripe.url);
  const left_ms = Date.parse(asked.confirmation.until) - Date.now();
  expect(left_ms).toBeGreaterThan(22 * 3_600_000);
  expect(paidBy(customer)).toEqual([1900]);

  const from = site.stripe.events.length;
  expect(site.stripe.confirm(asked.confirmation.url)).toBe(true);
  await site.deliverEvents(from);
  expect(await billing(member)).toMatchObject({ plan: 'pro', quota: { messages: 1000 } });
  expect(paidBy(customer)).toEqual([1900, shown.due_now_minor]);
});

it('what nobody confirms is forgotten, and the plan is as it was', async () => {
  const { member, customer, subscription } = await startMember();
  const { confirmation } = await site.post(member, '/api/billing/change', pro);
  const from = site.stripe.events.length;
  site.stripe.expirePendingUpdate(subscription);
  await site.deliverEvents(from);
  expect(site.stripe.confirm(confirmation.url)).toBe(false);
  expect(await billing(member)).toMatchObject({ plan: 'starter', subscription: { status: 'active' } });
  expect(paidBy(customer)).toEqual([1900]);
});

it('a cancellation stays until the payment is confirmed, and is taken back by it', async () => {
  const { member } = await startMember();
  await site.post(member, '/api/billing/cancel');
  const { confirmation, subscription } = await site.post(member, '/api/billing/change', pro);
  expect(subscription.cancel_at).not.toBe(null);
  const from = site.stripe.events.length;
  site.stripe.confirm(confirmation.url);
  await site.deliverEvents(from);
  expect(await billing(member)).toMatchObject({ plan: 'pro', subscription: { cancel_at: null } });
});

it.each([
  ['the same change once more', (member: TestClient) => site.post(member, '/api/billing/change', enterprise)],
  ['cancelling', (member: TestClient) => site.post(member, '/api/billing/cancel')],
  ['keeping the plan', (member: TestClient) => site.post(member, '/api/billing/keep')],
  [
    'a change at the end of the period',
    async (member: TestClient) => {
      const smaller = { plan: 'starter', interval: 'month' };
      const { subscription } = await site.post(member, '/api/billing/change', smaller);
      expect(subscription.next).toMatchObject(smaller);
    },
  ],
  [
    'closing the account',
    async (member: TestClient) => {
      const { stripe_customer_id } = await site.profileOf(member);
      await stripeSubscriptionCloser(site.parts)({ stripe_customer_id });
    },
  ],
])('what waits for a confirmation cannot be paid any more after %s', async (_, act) => {
  const { member, customer } = await startMember('pro');
  const { confirmation } = await site.post(member, '/api/billing/change', enterprise);
  await act(member);
  expect(site.stripe.confirm(confirmation.url)).toBe(false);
  expect(paidBy(customer)).toEqual([4900]);
});

it('what is confirmed while something else is asked for is not undone, and an account that closes is closed', async () => {
  const { member, customer } = await startMember();
  const { confirmation } = await site.post(member, '/api/billing/change', pro);
  site.stripe.beforeAnswer = (call) => {
    if (call.startsWith('GET /v1/subscriptions')) site.stripe.confirm(confirmation.url);
  };
  const body = JSON.stringify(enterprise);
  const refused = await member.fetch('/api/billing/change', { method: 'POST', body });
  expect(refused.status).toBe(409);
  expect(await refused.json()).toMatchObject({ code: 'billing_changed' });
  site.stripe.beforeAnswer = undefined;
  await reconcile(site.parts);
  expect(await billing(member)).toMatchObject({ plan: 'pro' });

  const next = await site.post(member, '/api/billing/change', enterprise);
  site.stripe.beforeAnswer = (call) => {
    if (call.startsWith('GET /v1/subscriptions')) site.stripe.confirm(next.confirmation.url);
  };
  await stripeSubscriptionCloser(site.parts)({ stripe_customer_id: customer });
  site.stripe.beforeAnswer = undefined;
  expect(await billing(member)).toMatchObject({
    plan: 'enterprise',
    subscription: { cancel_at: expect.any(String) },
  });
});

it('beside a change that is to come it is refused, and that change stays', async () => {
  const member = await site.signUp();
  await site.buy(member, pro);
  await site.post(member, '/api/billing/change', { plan: 'starter', interval: 'month' });
  site.stripe.state.wants_confirmation = true;
  const refused = await member.fetch('/api/billing/change', {
    method: 'POST',
    body: JSON.stringify(enterprise),
  });
  expect(refused.status).toBe(402);
  expect(await refused.json()).toMatchObject({
    code: 'payment_failed',
    detail: expect.stringMatching(/take back the change that is to come/),
  });
  await reconcile(site.parts);
  expect(await billing(member)).toMatchObject({ plan: 'pro', subscription: { next: { plan: 'starter' } } });
});
