import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeStripe, startFakeStripe } from './fake-stripe.ts';
import { signBody } from './state.ts';

let double: FakeStripe;
let stripe: Stripe;
beforeAll(async () => {
  double = await startFakeStripe();
  stripe = connect(double.secret_key);
});
afterAll(() => double.close());

const connect = (key: string) =>
  new Stripe(key, {
    ...{ host: '127.0.0.1', port: new URL(double.url).port, protocol: 'http' as const },
    ...{ telemetry: false, maxNetworkRetries: 0 },
  });

describe('the double of Stripe', () => {
  it.each([
    [
      'an unknown parameter',
      () => stripe.customers.create({ emial: 'a@example.org' } as never),
      'parameter_unknown',
    ],
    [
      'one in a list',
      () => stripe.prices.list({ lookup_keys: ['a'], sort: 'asc' } as never),
      'parameter_unknown',
    ],
    ['a missing one', () => stripe.prices.create({ currency: 'usd' }), 'parameter_missing'],
    ['what is not there', () => stripe.subscriptions.retrieve('sub_none'), 'resource_missing'],
    [
      'a customer that is not there',
      () => stripe.billingPortal.sessions.create({ customer: 'cus_none' }),
      'resource_missing',
    ],
  ])('refuses %s as Stripe does', async (_, call, code) => {
    await expect(call()).rejects.toMatchObject({ type: 'StripeInvalidRequestError', code });
  });

  it('refuses another key and another version', async () => {
    await expect(connect('sk_test_other').customers.list()).rejects.toMatchObject({ statusCode: 401 });
    const headers = { authorization: `Bearer ${double.secret_key}`, 'stripe-version': '2020-08-27' };
    expect((await fetch(`${double.url}/v1/customers`, { headers })).status).toBe(400);
  });

  it('does a request once under its idempotency key, and refuses another one under it', async () => {
    const create = (email: string) => stripe.customers.create({ email }, { idempotencyKey: 'one' });
    const { id } = await create('a@example.org');
    expect((await create('a@example.org')).id).toBe(id);
    await expect(create('b@example.org')).rejects.toMatchObject({ type: 'StripeIdempotencyError' });
  });

  it('answers in pages, the newest first', async () => {
    for (let made = 0; made < 12; made++) await stripe.customers.create({ name: `Member ${made}` });
    const names: (string | null | undefined)[] = [];
    for await (const { name } of stripe.customers.list({ limit: 5 })) names.push(name);
    expect(names.slice(0, 12)).toEqual(Array.from({ length: 12 }, (_, index) => `Member ${11 - index}`));
  });

  it('signs its events as the SDK checks them', () => {
    const body = JSON.stringify({ id: 'evt_1', object: 'event' });
    const now_s = Math.floor(Date.now() / 1000);
    const check = (signature: string) =>
      stripe.webhooks.constructEvent(body, signature, double.webhook_secret);
    expect(check(signBody(body, double.webhook_secret, now_s)).id).toBe('evt_1');
    expect(() => check(signBody(body, 'whsec_other', now_s))).toThrow();
  });

  it('shows the period on the item, and an invoice’s subscription under its parent', async () => {
    const product = await stripe.products.create({ name: 'Pro' });
    const price = await stripe.prices.create({
      ...{ product: product.id, currency: 'usd', unit_amount: 4900, lookup_key: 'pro' },
      recurring: { interval: 'month' },
    });
    const customer = await stripe.customers.create({});
    const session = await stripe.checkout.sessions.create({
      ...{ mode: 'subscription', customer: customer.id, success_url: 'https://coach.example.org' },
      line_items: [{ price: price.id, quantity: 1 }],
    });
    const { subscription: id } = double.pay(session.url!);
    const subscription = await stripe.subscriptions.retrieve(id, { expand: ['latest_invoice'] });
    expect(subscription).not.toHaveProperty('current_period_end');
    const [item] = subscription.items.data;
    expect(item!.current_period_end - item!.current_period_start).toBeGreaterThan(27 * 86_400);
    const invoice = subscription.latest_invoice as Stripe.Invoice;
    expect(invoice).not.toHaveProperty('subscription');
    expect(invoice.parent?.subscription_details?.subscription).toBe(id);
  });

  it('has a page to pay at, which leads back to the site', async () => {
    const price = double.list('price')[0]!;
    const session = await stripe.checkout.sessions.create({
      ...{ mode: 'subscription', success_url: 'https://coach.example.org/billing?id={CHECKOUT_SESSION_ID}' },
      ...{ customer: double.list('customer')[0]!.id, line_items: [{ price: price.id, quantity: 1 }] },
    });
    expect(await (await fetch(session.url!)).text()).toContain('Pay 49.00 USD');
    const paid = await fetch(session.url!, { method: 'POST', redirect: 'manual' });
    expect(paid.headers.get('location')).toBe(`https://coach.example.org/billing?id=${session.id}`);
    expect((await stripe.checkout.sessions.retrieve(session.id)).payment_status).toBe('paid');
  });
});
