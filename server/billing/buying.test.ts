import { randomUUID } from 'node:crypto';
import type Stripe from 'stripe';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startBillingServer } from '../testing/start-billing-server.ts';
import type { TestClient } from '../testing/start-test-server.ts';
import type { StripeParts } from './billing-parts.ts';
import { changePlan } from './change-plan.ts';
import { openCheckout } from './checkout.ts';
import { reconcile } from './reconcile.ts';
import { createStripeClient } from './stripe-client.ts';

let site: Awaited<ReturnType<typeof startBillingServer>>;
beforeAll(async () => {
  site = await startBillingServer();
});
afterAll(() => site.stop());
afterEach(() => {
  site.stripe.state.declines_cards = false;
  site.stripe.state.wants_confirmation = false;
  site.stripe.outage = undefined;
  site.stripe.loses_answers = 0;
});

const billing = (member: TestClient) => member.json('/api/billing');
const answerTo = (member: TestClient, path: string, body: object = {}) =>
  member.fetch(path, { method: 'POST', body: JSON.stringify(body) });
const subscriptionOf = async (member: TestClient) =>
  site.stripe.subscription((await site.profileOf(member)).stripe_subscription_id);

describe('buying a plan', () => {
  it('pays at Stripe, comes back and has it at once, also before any event came', async () => {
    const member = await site.signUp();
    expect(await billing(member)).toMatchObject({
      plan: 'free',
      source: 'free',
      is_on: true,
      subscription: null,
    });
    await site.buy(member, { plan: 'pro', interval: 'month' });
    expect(await billing(member)).toMatchObject({
      plan: 'pro',
      source: 'subscription',
      quota: { messages: 1000, files: 200, tokens: 8_000_000 },
      has_customer: true,
      subscription: {
        plan: 'pro',
        interval: 'month',
        status: 'active',
        amount_minor: 4900,
        currency: 'usd',
        next: null,
      },
    });
  });

  it('is active by the event alone, an hour late or before the browser is back', async () => {
    const member = await site.signUp();
    const from = site.stripe.events.length;
    const { url } = await site.post(member, '/api/billing/checkout', { plan: 'starter', interval: 'year' });
    const session = site.stripe.pay(url);
    for (const event of site.stripe.events.slice(from)) event.created -= 3_600;
    expect(await billing(member)).toMatchObject({ plan: 'free' });
    await site.deliverEvents(from);
    expect(await billing(member)).toMatchObject({ plan: 'starter', subscription: { interval: 'year' } });
    const confirmed = await site.post(member, '/api/billing/confirm', { checkout_session_id: session.id });
    expect(confirmed).toEqual({
      outcome: 'complete',
      bought: { plan: 'starter', interval: 'year' },
    });
    expect(await billing(member)).toMatchObject({ plan: 'starter' });
  });

  it('counts the months from the subscription’s start, and what was used before it no more', async () => {
    const member = await site.signUp();
    const { id } = await site.profileOf(member);
    await site.pool.query(
      `update public.profiles set created_at = now() - interval '20 days', quota_last_reset = now() - interval '20 days' where id = $1`,
      [id],
    );
    await site.pool.query(`select public.reserve_usage($1, 'messages', 1)`, [id]);
    await site.buy(member, { plan: 'starter', interval: 'year' });
    const { start_date } = await subscriptionOf(member);
    const state = await billing(member);
    expect(state.usage).toEqual({ messages: 0, files: 0, tokens: 0 });
    expect(Date.parse(state.renews_at)).toBe(site.stripe.addInterval(start_date, 'month') * 1000);
  });

  it('never believes a price that the browser sends', async () => {
    const member = await site.signUp();
    const { url } = await site.post(member, '/api/billing/checkout', {
      plan: 'pro',
      interval: 'month',
      price: 'price_of_mine',
      amount: 1,
      unit_amount: 1,
    });
    expect(site.stripe.pay(url).amount_total).toBe(4900);
    for (const wish of [
      { plan: 'free', interval: 'month' },
      { plan: 'gold', interval: 'month' },
      { top_up: 'messages_1000000' },
    ]) {
      expect((await answerTo(member, '/api/billing/checkout', wish)).status).toBe(404);
    }
    expect((await answerTo(member, '/api/billing/checkout', { plan: 'pro', interval: 'day' })).status).toBe(
      400,
    );
  });

  it('makes one customer of a member, however many tabs ask and answers are lost', async () => {
    const member = await site.signUp();
    const before = site.stripe.list('customer').length;
    site.stripe.loses_answers = 1;
    await Promise.all(
      ['starter', 'pro', 'pro', 'enterprise'].map((plan) =>
        site.post(member, '/api/billing/checkout', { plan, interval: 'month' }),
      ),
    );
    expect(site.stripe.list('customer').length - before).toBe(1);
  });

  it('a second tab closes the first one’s checkout, and whoever has a plan is sent to change it', async () => {
    const member = await site.signUp();
    const first = await site.post(member, '/api/billing/checkout', { plan: 'starter', interval: 'month' });
    const second = await site.post(member, '/api/billing/checkout', { plan: 'pro', interval: 'month' });
    expect(() => site.stripe.pay(first.url)).toThrow('not open');
    // It is paid, and nobody has told us yet.
    site.stripe.pay(second.url);
    const refused = await answerTo(member, '/api/billing/checkout', { plan: 'pro', interval: 'month' });
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({ code: 'already_subscribed' });
    expect(await billing(member)).toMatchObject({ plan: 'pro' });
  });

  it('of checkouts that are opened at the same time one can be paid, and a top-up beside it', async () => {
    const member = await site.signUp();
    const topping = await site.post(member, '/api/billing/checkout', { top_up: 'messages_50' });
    const plans = ['starter', 'pro', 'pro', 'enterprise'];
    // Each has looked for open ones before the first is made.
    const { promise: all_looked, resolve } = Promise.withResolvers<void>();
    let looks = 0;
    site.stripe.beforeAnswer = async (call) => {
      if (call !== 'GET /v1/checkout/sessions') return;
      looks += 1;
      if (looks === plans.length) resolve();
      await all_looked;
    };
    const urls = await Promise.all(
      plans.map(
        async (plan) => (await site.post(member, '/api/billing/checkout', { plan, interval: 'month' })).url,
      ),
    );
    site.stripe.beforeAnswer = undefined;
    const paid = urls.filter((url) => {
      try {
        return site.stripe.pay(url);
      } catch {
        return false;
      }
    });
    expect(paid).toHaveLength(1);
    expect(site.stripe.pay(topping.url).status).toBe('complete');
  });

  it('a payment that is not finished does not become a second plan beside the one that is bought instead', async () => {
    const member = await site.signUp();
    await site.buy(member, { plan: 'pro', interval: 'month' });
    const { stripe_subscription_id } = await site.profileOf(member);
    site.stripe.subscription(stripe_subscription_id).status = 'incomplete';
    await reconcile(site.parts);
    await site.buy(member, { plan: 'starter', interval: 'month' });
    expect(site.stripe.subscription(stripe_subscription_id).status).toBe('canceled');
    expect(await billing(member)).toMatchObject({ plan: 'starter', subscription: { status: 'active' } });
  });

  it('a customer that was deleted at Stripe is made anew', async () => {
    const member = await site.signUp();
    await site.post(member, '/api/billing/checkout', { plan: 'pro', interval: 'month' });
    const { stripe_customer_id } = await site.profileOf(member);
    site.stripe.state.objects.set(stripe_customer_id, {
      id: stripe_customer_id,
      object: 'customer',
      deleted: true,
    });
    await site.buy(member, { plan: 'pro', interval: 'month' });
    expect((await site.profileOf(member)).stripe_customer_id).not.toBe(stripe_customer_id);
    expect(await billing(member)).toMatchObject({ plan: 'pro' });
  });

  it('while Stripe is away everything else works, and nothing is lost', async () => {
    const member = await site.signUp();
    const { url } = await site.post(member, '/api/billing/checkout', { plan: 'pro', interval: 'month' });
    const session = site.stripe.pay(url);
    site.stripe.outage = 500;
    const refused = await answerTo(member, '/api/billing/confirm', { checkout_session_id: session.id });
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({
      code: 'billing_unavailable',
      detail: expect.stringContaining('What you have paid is not lost'),
    });
    expect(await billing(member)).toMatchObject({ plan: 'free' });
    site.stripe.outage = undefined;
    await site.post(member, '/api/billing/confirm', { checkout_session_id: session.id });
    expect(await billing(member)).toMatchObject({ plan: 'pro' });
  }, 30_000);
});

describe('another member’s', () => {
  it('checkout is not found, and gives nothing', async () => {
    const [member, stranger] = [await site.signUp(), await site.signUp()];
    await site.buy(stranger, { top_up: 'messages_50' });
    const { url } = await site.post(member, '/api/billing/checkout', { top_up: 'messages_200' });
    const session = site.stripe.pay(url);
    for (const checkout_session_id of [session.id, 'cs_test_unknown']) {
      const refused = await answerTo(stranger, '/api/billing/confirm', { checkout_session_id });
      expect(refused.status).toBe(404);
      expect(await refused.json()).toMatchObject({
        detail: 'This checkout does not exist, or it is not yours.',
      });
    }
    expect(await billing(stranger)).toMatchObject({ credits: 50 });
    expect(await billing(member)).toMatchObject({ credits: 0 });
  });

  it('plan, invoice and usage are not shown: each route answers about whoever asks', async () => {
    const [member, stranger] = [await site.signUp(), await site.signUp()];
    await site.buy(member, { plan: 'pro', interval: 'month' });
    expect(await billing(stranger)).toMatchObject({ plan: 'free', subscription: null, has_customer: false });
    expect(await stranger.json('/api/billing/next-invoice')).toEqual({ next_invoice: null });
    expect(await stranger.json('/api/billing/usage')).toEqual({ time_zone: 'UTC', days: [] });
    for (const path of ['portal', 'cancel', 'keep']) {
      expect((await answerTo(stranger, `/api/billing/${path}`)).status).toBe(409);
    }
    const change = { plan: 'starter', interval: 'month' };
    expect((await answerTo(stranger, '/api/billing/change', change)).status).toBe(409);
  });

  it.each(['/api/billing', '/api/billing/usage', '/api/billing/next-invoice'])(
    '%s needs a token',
    async (path) => {
      expect((await fetch(`${site.url}${path}`)).status).toBe(401);
    },
  );
});

describe('messages that are bought once', () => {
  it('come once, whether by the browser, by the event or by the nightly comparison', async () => {
    const member = await site.signUp();
    const from = site.stripe.events.length;
    const session = await site.buy(member, { top_up: 'messages_50' });
    await site.deliverEvents(from);
    await site.post(member, '/api/billing/confirm', { checkout_session_id: session });
    await reconcile(site.parts);
    expect(await billing(member)).toMatchObject({ plan: 'free', credits: 50 });
  });

  it('are taken back with the money', async () => {
    const member = await site.signUp();
    await site.buy(member, { top_up: 'messages_50' });
    const { rows } = await site.pool.query(
      'select payment_intent_id from public.purchases join public.profiles on profiles.id = user_id where email = $1',
      [member.email],
    );
    const from = site.stripe.events.length;
    site.stripe.refund(rows[0].payment_intent_id, 600);
    await site.deliverEvents(from);
    await site.deliverEvents(from);
    expect(await billing(member)).toMatchObject({ credits: 0 });
  });

  it('let a turn through when the plan has none left', async () => {
    const member = await site.signUp();
    const { id } = await site.profileOf(member);
    await site.pool.query(
      `update public.profiles set subscription_quota = '{"messages": 0, "tokens": null}' where id = $1`,
      [id],
    );
    const refused = await member.send({ session_id: randomUUID(), content: 'Hello' });
    expect(refused.status).toBe(429);
    const { renews_at } = await billing(member);
    expect(await refused.json()).toMatchObject({
      code: 'quota_exhausted',
      allowances: { messages: 0, credits: 0 },
      renews_at: expect.stringContaining(renews_at.slice(0, 16)),
      detail: expect.stringMatching(/begins anew on .+ Nothing was sent or counted\./),
    });
    await site.buy(member, { top_up: 'messages_50' });
    const sent = await member.send({ session_id: randomUUID(), content: 'Hello' });
    expect(await sent.text()).toContain('event:end');
    expect(await billing(member)).toMatchObject({ credits: 49, usage: { messages: 0 } });
    const { days } = await member.json('/api/billing/usage?time_zone=Europe/Berlin');
    expect(days).toMatchObject([{ assistant_slug: 'carousel', messages: 1, credits: 1 }]);
  });
});

describe('changing the plan', () => {
  it('to a larger one happens at once, for what is left of the period, and as the preview has said', async () => {
    const member = await site.signUp();
    await site.buy(member, { plan: 'starter', interval: 'month' });
    const subscription = await subscriptionOf(member);
    const [{ current_period_start: start, current_period_end: end }] = subscription.items.data;
    const preview = await member.json('/api/billing/change-preview?plan=pro&interval=month');
    const left = (end - preview.previewed_at_s) / (end - start);
    expect(preview).toMatchObject({
      when: 'now',
      from: { plan: 'starter', interval: 'month' },
      due_now_minor: Math.round(4900 * left) - Math.round(1900 * left),
      price_minor: 4900,
      currency: 'usd',
    });
    const { id } = await site.profileOf(member);
    await site.pool.query(`select public.reserve_usage($1, 'messages', 1)`, [id]);
    const changed = await site.post(member, '/api/billing/change', {
      plan: 'pro',
      interval: 'month',
      shown: preview,
    });
    // What was used stays used: only the quota is larger.
    expect(changed).toMatchObject({ plan: 'pro', quota: { messages: 1000 }, usage: { messages: 1 } });
    const paid = site.stripe.list('invoice').filter(({ customer }) => customer === subscription.customer);
    expect(paid.at(-1)!.total).toBe(preview.due_now_minor);
  });

  it('is refused where it would not be what was shown, and done twice it is paid once', async () => {
    const member = await site.signUp();
    await site.buy(member, { plan: 'starter', interval: 'month' });
    const wish = { plan: 'pro', interval: 'month' };
    const preview = await member.json('/api/billing/change-preview?plan=pro&interval=month');
    const { customer } = await subscriptionOf(member);
    const countInvoices = () =>
      site.stripe.list('invoice').filter((invoice) => invoice.customer === customer).length;
    const stale = { ...preview, previewed_at_s: preview.previewed_at_s - 16 * 60 };
    const other = { ...preview, from: { plan: 'starter', interval: 'year' } };
    const cheaper = { ...preview, price_minor: preview.price_minor - 100 };
    const foreign = { ...preview, currency: 'eur' };
    for (const shown of [stale, other, cheaper, foreign]) {
      const refused = await answerTo(member, '/api/billing/change', { ...wish, shown });
      expect(refused.status).toBe(409);
      expect(await refused.json()).toMatchObject({ code: 'preview_outdated' });
    }
    expect(await billing(member)).toMatchObject({ plan: 'starter' });
    const before = countInvoices();
    const changes = [1, 2].map(() => site.post(member, '/api/billing/change', { ...wish, shown: preview }));
    for (const changed of await Promise.all(changes)) expect(changed).toMatchObject({ plan: 'pro' });
    expect(countInvoices() - before).toBe(1);
  });

  it('whose answer is lost is said to be uncertain, and doing it again pays nothing twice', async () => {
    const member = await site.signUp();
    await site.buy(member, { plan: 'starter', interval: 'month' });
    const wish = { plan: 'pro', interval: 'month' };
    const { customer, id } = await subscriptionOf(member);
    site.stripe.beforeAnswer = (call) => {
      if (call === `POST /v1/subscriptions/${id}`) site.stripe.outage = 0;
    };
    const lost = await answerTo(member, '/api/billing/change', wish);
    site.stripe.beforeAnswer = undefined;
    site.stripe.outage = undefined;
    expect(lost.status).toBe(503);
    expect(await lost.json()).toMatchObject({
      code: 'billing_unavailable',
      detail: expect.stringMatching(/not certain.+nothing twice/),
    });
    expect(await site.post(member, '/api/billing/change', wish)).toMatchObject({ plan: 'pro' });
    const invoices = site.stripe.list('invoice').filter((invoice) => invoice.customer === customer);
    expect(invoices).toHaveLength(2);
  }, 30_000);

  it('with a card that is declined leaves everything as it was, a change to come and a cancellation too', async () => {
    const member = await site.signUp();
    await site.buy(member, { plan: 'pro', interval: 'month' });
    await site.post(member, '/api/billing/change', { plan: 'starter', interval: 'month' });
    site.stripe.state.declines_cards = true;
    const refused = await answerTo(member, '/api/billing/change', { plan: 'enterprise', interval: 'month' });
    expect(refused.status).toBe(402);
    expect(await refused.json()).toMatchObject({ code: 'payment_failed' });
    await reconcile(site.parts);
    expect(await billing(member)).toMatchObject({ plan: 'pro', subscription: { next: { plan: 'starter' } } });
    await site.post(member, '/api/billing/cancel');
    expect(
      (await answerTo(member, '/api/billing/change', { plan: 'enterprise', interval: 'month' })).status,
    ).toBe(402);
    await reconcile(site.parts);
    expect((await billing(member)).subscription.cancel_at).not.toBe(null);
  });

  it('to a smaller one happens when the period ends, is shown until then, and can be taken back', async () => {
    const member = await site.signUp();
    await site.buy(member, { plan: 'pro', interval: 'month' });
    const wish = { plan: 'starter', interval: 'month' };
    const preview = await member.json('/api/billing/change-preview?plan=starter&interval=month');
    const changed = await site.post(member, '/api/billing/change', wish);
    expect(preview).toMatchObject({ when: 'at_period_end', due_now_minor: null });
    expect(Date.parse(changed.subscription.next.at)).toBe(Date.parse(preview.at));
    expect(changed).toMatchObject({ plan: 'pro', subscription: { next: wish } });
    // Once more, and another one in its place.
    await site.post(member, '/api/billing/change', wish);
    expect(await site.post(member, '/api/billing/change', { ...wish, interval: 'year' })).toMatchObject({
      subscription: { next: { plan: 'starter', interval: 'year' } },
    });
    expect(await member.json('/api/billing/next-invoice')).toMatchObject({
      next_invoice: { amount_due_minor: 19_000 },
    });
    expect(await site.post(member, '/api/billing/keep')).toMatchObject({
      plan: 'pro',
      subscription: { next: null },
    });
    await site.post(member, '/api/billing/change', wish);
    const from = site.stripe.events.length;
    site.stripe.renew((await site.profileOf(member)).stripe_subscription_id);
    await site.deliverEvents(from);
    expect(await billing(member)).toMatchObject({
      plan: 'starter',
      quota: { messages: 300 },
      subscription: { plan: 'starter', next: null, status: 'active' },
    });
  });

  it('to a smaller one keeps what a promotion code gives, before and after, and when it is taken back', async () => {
    const member = await site.signUp();
    await site.buy(member, { plan: 'pro', interval: 'month' });
    const subscription = await subscriptionOf(member);
    subscription.discounts = ['di_spring'];
    await site.post(member, '/api/billing/change', { plan: 'starter', interval: 'month' });
    expect(subscription.discounts).toEqual(['di_spring']);
    await site.post(member, '/api/billing/keep');
    expect(subscription.discounts).toEqual(['di_spring']);
    await site.post(member, '/api/billing/change', { plan: 'starter', interval: 'month' });
    site.stripe.renew(subscription.id);
    expect(subscription).toMatchObject({ discounts: ['di_spring'], schedule: null });
  });

  it('from monthly to yearly happens at once, and the months of the quota go on as they were', async () => {
    const member = await site.signUp();
    await site.buy(member, { plan: 'pro', interval: 'month' });
    const before = await billing(member);
    const changed = await site.post(member, '/api/billing/change', { plan: 'pro', interval: 'year' });
    expect(changed).toMatchObject({ plan: 'pro', subscription: { interval: 'year', next: null } });
    expect(changed.renews_at).toBe(before.renews_at);
    const back = await member.json('/api/billing/change-preview?plan=pro&interval=month');
    expect(back.when).toBe('at_period_end');
  });

  it('is cancelled when the period ends; one may change one’s mind; then it is over', async () => {
    const member = await site.signUp();
    await site.buy(member, { plan: 'pro', interval: 'month' });
    await site.post(member, '/api/billing/change', { plan: 'starter', interval: 'month' });
    const cancelled = await site.post(member, '/api/billing/cancel');
    expect(cancelled).toMatchObject({ plan: 'pro', subscription: { next: null } });
    expect(cancelled.subscription.cancel_at).toBe(cancelled.subscription.current_period_end);
    expect(await member.json('/api/billing/next-invoice')).toEqual({ next_invoice: null });
    const kept = await site.post(member, '/api/billing/keep');
    expect(kept.subscription.cancel_at).toBe(null);
    await site.post(member, '/api/billing/cancel');
    const from = site.stripe.events.length;
    site.stripe.renew((await site.profileOf(member)).stripe_subscription_id);
    await site.deliverEvents(from);
    expect(await billing(member)).toMatchObject({
      plan: 'free',
      source: 'free',
      subscription: { status: 'canceled', plan: 'pro', end_reason: 'cancellation_requested' },
      quota: { messages: 50 },
    });
    // And bought anew.
    await site.buy(member, { plan: 'starter', interval: 'month' });
    expect(await billing(member)).toMatchObject({ plan: 'starter' });
  });

  it('that Stripe has made, though its answer was lost, is not taken back by what was to come before', async () => {
    const member = await site.signUp();
    await site.buy(member, { plan: 'pro', interval: 'month' });
    await site.post(member, '/api/billing/change', { plan: 'starter', interval: 'month' });
    const stripe = await site.parts.stripe.load();
    const update = async (id: string, values: object) => {
      await stripe.subscriptions.update(id, values);
      throw Object.assign(new Error('cut off'), { type: 'StripeConnectionError' });
    };
    const change = changePlan(withSubscriptions(stripe, { update }), await site.profileOf(member), {
      plan: 'enterprise',
      interval: 'month',
    });
    await expect(change).rejects.toMatchObject({ code: 'billing_unavailable' });
    await reconcile(site.parts);
    expect(await billing(member)).toMatchObject({ plan: 'enterprise', subscription: { next: null } });
  });

  it('that was made and cannot be read afterwards is not said to be undone', async () => {
    const member = await site.signUp();
    await site.buy(member, { plan: 'starter', interval: 'month' });
    const stripe = await site.parts.stripe.load();
    let reads = 0;
    const retrieve = async (id: string, values: object) => {
      if (reads++ === 0) return stripe.subscriptions.retrieve(id, values);
      throw Object.assign(new Error('too many'), { type: 'StripeRateLimitError', statusCode: 429 });
    };
    const change = changePlan(withSubscriptions(stripe, { retrieve }), await site.profileOf(member), {
      plan: 'pro',
      interval: 'month',
    });
    await expect(change).rejects.toMatchObject({ message: expect.stringContaining('not certain') });
    expect(reads).toBe(2);
  });

  it('a server that died in the middle of a change leaves nothing that doing it again does not finish', async () => {
    const member = await site.signUp();
    await site.buy(member, { plan: 'pro', interval: 'month' });
    const { stripe_subscription_id } = await site.profileOf(member);
    const stripe = await site.parts.stripe.load();
    await stripe.subscriptionSchedules.create({ from_subscription: stripe_subscription_id });
    await reconcile(site.parts);
    expect(await billing(member)).toMatchObject({ plan: 'pro', subscription: { next: null } });
    const changed = await site.post(member, '/api/billing/change', { plan: 'starter', interval: 'month' });
    expect(changed).toMatchObject({ subscription: { next: { plan: 'starter' } } });
  });
});

describe('a payment that fails', () => {
  it('keeps the plan while Stripe tries again, says so, and only the end of it takes the plan away', async () => {
    for (const end of ['unpaid', 'canceled'] as const) {
      const member = await site.signUp();
      await site.buy(member, { plan: 'pro', interval: 'month' });
      const { stripe_subscription_id } = await site.profileOf(member);
      let from = site.stripe.events.length;
      site.stripe.state.declines_cards = true;
      site.stripe.renew(stripe_subscription_id);
      await site.deliverEvents(from);
      expect(await billing(member)).toMatchObject({ plan: 'pro', subscription: { status: 'past_due' } });
      // What was not paid for does not count towards a larger plan.
      site.stripe.state.declines_cards = false;
      const refused = await answerTo(member, '/api/billing/change', {
        plan: 'enterprise',
        interval: 'month',
      });
      expect(refused.status).toBe(402);
      expect(await refused.json()).toMatchObject({
        detail: expect.stringContaining('Nothing was changed or charged'),
      });
      site.stripe.state.declines_cards = true;
      from = site.stripe.events.length;
      site.stripe.giveUp(stripe_subscription_id, end);
      await site.deliverEvents(from);
      expect(await billing(member)).toMatchObject({
        plan: 'free',
        quota: { messages: 50 },
        subscription: { plan: 'pro', status: end, end_reason: end === 'canceled' ? 'payment_failed' : null },
      });
      expect((await member.json('/api/me')).is_active).toBe(true);
      site.stripe.state.declines_cards = false;
      // Whoever has another card buys anew, and pays for one plan only.
      await site.buy(member, { plan: 'starter', interval: 'month' });
      expect(await billing(member)).toMatchObject({ plan: 'starter', subscription: { status: 'active' } });
      expect(site.stripe.subscription(stripe_subscription_id).status).toBe('canceled');
    }
  });
});

it('tax is worked out by Stripe where the setting says so', async () => {
  const member = await site.signUp();
  const { config } = site.parts.stripe;
  const taxing = createStripeClient({ ...config, automatic_tax: true });
  const url = await openCheckout({ ...site.parts, stripe: taxing }, await site.profileOf(member), {
    plan: 'pro',
    interval: 'month',
  });
  const session = site.stripe.list('checkout.session').find((kept) => kept.url === url)!;
  expect(session).toMatchObject({ automatic_tax: { enabled: true }, allow_promotion_codes: true });
});

it('cards and invoices are at Stripe, without plans to change there', async () => {
  const member = await site.signUp();
  await site.buy(member, { top_up: 'messages_50' });
  const { url } = await site.post(member, '/api/billing/portal');
  const session = site.stripe.list('billing_portal.session').find((kept) => kept.url === url)!;
  expect(session.customer).toBe((await site.profileOf(member)).stripe_customer_id);
  const [configuration] = site.stripe.list('billing_portal.configuration');
  expect(session.configuration).toBe(configuration!.id);
  expect(configuration!.features.subscription_update).toEqual({ enabled: false });
});

/** The parts, whose Stripe does something else with subscriptions. */
function withSubscriptions(stripe: Stripe, methods: Record<string, unknown>): StripeParts {
  const subscriptions = Object.assign(Object.create(stripe.subscriptions), methods);
  const changed: Stripe = Object.assign(Object.create(stripe), { subscriptions });
  return { ...site.parts, stripe: { ...site.parts.stripe, load: async () => changed } };
}
