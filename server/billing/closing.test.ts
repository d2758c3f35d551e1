import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBillingServer } from '../testing/start-billing-server.ts';
import { stripeSubscriptionCloser } from './closer.ts';
import { billingErasers } from './erasers.ts';

let site: Awaited<ReturnType<typeof startBillingServer>>;
beforeAll(async () => {
  site = await startBillingServer();
});
afterAll(() => site.stop());

it('a closed account is charged no more, also where a change was to come; coming back, it may go on', async () => {
  const member = await site.signUp();
  await site.buy(member, { plan: 'pro', interval: 'month' });
  await site.post(member, '/api/billing/change', { plan: 'starter', interval: 'month' });
  const { stripe_customer_id, stripe_subscription_id } = await site.profileOf(member);
  const close = stripeSubscriptionCloser(site.parts);
  await close({ stripe_customer_id });
  await close({ stripe_customer_id });
  await close({ stripe_customer_id: null });
  expect(site.stripe.subscription(stripe_subscription_id)).toMatchObject({
    cancel_at_period_end: true,
    schedule: null,
    status: 'active',
  });
  const kept = await site.post(member, '/api/billing/keep');
  expect(kept).toMatchObject({ plan: 'pro', subscription: { cancel_at: null } });
});

it('an account that is erased is gone at Stripe, with what it still paid; twice does no harm', async () => {
  const member = await site.signUp();
  await site.buy(member, { plan: 'pro', interval: 'year' });
  const { stripe_customer_id, stripe_subscription_id } = await site.profileOf(member);
  const { stripe_customer } = billingErasers(site.parts.stripe);
  await stripe_customer(stripe_customer_id);
  await stripe_customer(stripe_customer_id);
  expect(site.stripe.subscription(stripe_subscription_id).status).toBe('canceled');
  expect(site.stripe.list('customer').map(({ id }) => id)).not.toContain(stripe_customer_id);
});
