import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StripeObject } from '../testing/fake-stripe/state.ts';
import { startBillingServer } from '../testing/start-billing-server.ts';
import type { TestClient } from '../testing/start-test-server.ts';
import { fetchSubscription } from './apply-subscription.ts';
import { insertEvent } from './event-queries.ts';
import { reconcile } from './reconcile.ts';
import { describeEvent, workOffEvents } from './work-off-events.ts';

let site: Awaited<ReturnType<typeof startBillingServer>>;
beforeAll(async () => {
  site = await startBillingServer();
});
afterAll(() => site.stop());

/** What billing holds, without what differs between two runs that end alike. */
async function readRows() {
  const read = async (statement: string) => (await site.pool.query(statement)).rows;
  return {
    profiles: await read(
      `select id, subscription_plan, subscription_quota, subscription_usage, message_credits, stripe_customer_id,
         stripe_subscription_id, quota_anchor, quota_last_reset from public.profiles order by id`,
    ),
    subscriptions: await read(
      `select to_jsonb(subscriptions) - array['fetch_number', 'updated_at'] as row from public.subscriptions order by id`,
    ),
    purchases: await read(
      `select user_id, checkout_session_id, messages, taken_back from public.purchases order by checkout_session_id`,
    ),
    entries: await read(
      `select user_id, counter, amount, reason from public.usage_entries order by user_id, reason, counter, amount`,
    ),
  };
}

/** As if nothing had been told yet. */
async function forget() {
  await site.pool.query(
    'truncate public.stripe_events, public.subscriptions, public.purchases, public.usage_entries',
  );
  await site.pool.query('update public.profiles set message_credits = 0');
  await site.pool.query('select public.apply_plan(id) from public.profiles');
}

/** The same order each time, and another one for each seed (mulberry32). */
function shuffle<Item>(items: Item[], seed: number): Item[] {
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return items
    .map((item) => ({ item, place: random() }))
    .sort((one, other) => one.place - other.place)
    .map(({ item }) => item);
}

it('1,000 events, duplicated and shuffled, end in the same rows as in order', async () => {
  // Members who buy, change, fail to pay, cancel and top up; their events are delivered later.
  const members = await Promise.all(Array.from({ length: 6 }, () => site.signUp()));
  const { stripe } = site;
  for (const [index, member] of members.entries()) {
    const plan = index % 2 ? 'pro' : 'starter';
    const { url } = await site.post(member, '/api/billing/checkout', { plan, interval: 'month' });
    const { subscription } = stripe.pay(url);
    const topped = await site.post(member, '/api/billing/checkout', { top_up: 'messages_50' });
    stripe.pay(topped.url);
    for (let month = 0; month < 3; month++) {
      stripe.state.declines_cards = month === 1;
      stripe.renew(subscription);
    }
    if (index === 3) stripe.giveUp(subscription, 'canceled');
    if (index === 4) stripe.giveUp(subscription, 'unpaid');
  }
  stripe.state.declines_cards = false;
  const unknown = { ...stripe.events[0]!, id: 'evt_unknown', type: 'radar.early_fraud_warning.created' };
  const old: StripeObject = {
    ...structuredClone(stripe.events[0]!),
    id: 'evt_old',
    created: stripe.events[0]!.created - 366 * 86_400,
  };
  old.data.object = { ...old.data.object, status: 'open' };
  const events = [
    ...stripe.events,
    { ...unknown, data: { object: { id: 'x_1', object: 'radar.warning' } } },
    old,
  ];

  await forget();
  for (const event of events) await insertEvent(site.database, describeEvent(event as never));
  await site.settleEvents();
  const in_order = await readRows();
  expect(in_order.profiles.filter(({ message_credits }) => message_credits === 50)).toHaveLength(6);
  const plans = in_order.profiles.map(({ subscription_plan }) => subscription_plan).sort();
  expect(plans).toEqual(['free', 'free', 'pro', 'pro', 'starter', 'starter']);

  await forget();
  const many = shuffle(
    Array.from({ length: 1_000 }, (_, index) => events[index % events.length]!),
    7,
  );
  const workers = { isDone: false };
  // Worked off by two servers while they come in, as they would be.
  const working = [1, 2].map(async () => {
    while (!workers.isDone) await workOffEvents(site.parts);
  });
  for (let start = 0; start < many.length; start += 10) {
    const answers = await Promise.all(
      many.slice(start, start + 10).map((event) => stripe.deliver(event, site.url)),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  }
  workers.isDone = true;
  await Promise.all(working);
  await site.settleEvents();
  const { rows } = await site.pool.query(
    'select count(*) as kept, count(*) filter (where processed_at is null) as waiting from public.stripe_events',
  );
  expect(rows[0]).toEqual({ kept: events.length, waiting: 0 });
  expect(await readRows()).toEqual(in_order);
  expect(await reconcile(site.parts)).toEqual([]);
}, 120_000);

describe('an event', () => {
  const anEvent = () => structuredClone(site.stripe.events[0]!);

  it('with another signature, none, or one that is too old is not taken', async () => {
    const event = { ...anEvent(), id: 'evt_forged' };
    const forged = await site.stripe.deliver(event, site.url, 'whsec_of_somebody_else');
    expect(forged.status).toBe(400);
    expect(await forged.json()).toMatchObject({ code: 'invalid_signature' });
    const repeated = await site.stripe.deliver(event, site.url, undefined, Date.now() / 1000 - 301);
    expect(repeated.status).toBe(400);
    const body = JSON.stringify(event);
    const unsigned = await fetch(`${site.url}/api/stripe/webhook`, { method: 'POST', body });
    expect(unsigned.status).toBe(400);
    const { rows } = await site.pool.query(`select 1 from public.stripe_events where id = 'evt_forged'`);
    expect(rows).toEqual([]);
  });

  it('about a customer that is nobody’s here changes nothing', async () => {
    const before = await readRows();
    const stripe = await site.parts.stripe.load();
    const { id: customer } = await stripe.customers.create({});
    const price = site.stripe.list('price').find(({ lookup_key }) => lookup_key === 'touchline_pro_month')!;
    const session = await stripe.checkout.sessions.create({
      mode: 'subscription',
      customer,
      line_items: [{ price: price.id, quantity: 1 }],
      success_url: 'https://elsewhere.example.org',
    });
    const from = site.stripe.events.length;
    site.stripe.pay(session.id);
    await site.deliverEvents(from);
    expect(await readRows()).toEqual(before);
    expect(await reconcile(site.parts)).toEqual([]);
  });

  it('that cannot be worked off while Stripe is away comes again', async () => {
    const member = await site.signUp();
    const { url } = await site.post(member, '/api/billing/checkout', { plan: 'pro', interval: 'month' });
    const from = site.stripe.events.length;
    site.stripe.pay(url);
    site.stripe.outage = 503;
    for (const event of site.stripe.events.slice(from)) await site.stripe.deliver(event, site.url);
    await workOffEvents(site.parts);
    expect((await site.profileOf(member)).subscription_plan).toBe('free');
    site.stripe.outage = undefined;
    await site.settleEvents();
    expect((await site.profileOf(member)).subscription_plan).toBe('pro');
  }, 60_000);
});

it('a state that was fetched earlier never replaces one that was fetched later, whoever is slower', async () => {
  const member = await site.signUp();
  await site.buy(member, { plan: 'pro', interval: 'month' });
  const { stripe_subscription_id: id } = await site.profileOf(member);
  // The first answer is made while the plan goes on, and arrives when it has ended.
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  const { promise: asked, resolve: wasAsked } = Promise.withResolvers<void>();
  site.stripe.beforeAnswer = async (call) => {
    if (call !== `GET /v1/subscriptions/${id}`) return;
    site.stripe.beforeAnswer = undefined;
    wasAsked();
    await held;
  };
  const slow = fetchSubscription(site.parts, id);
  await asked;
  site.stripe.giveUp(id, 'canceled');
  await fetchSubscription(site.parts, id);
  letGo();
  expect((await slow)?.status).toBe('active');
  expect((await site.profileOf(member)).subscription_plan).toBe('free');
});

describe('the nightly comparison', () => {
  it('mends what no event has told, and names what a person must decide', async () => {
    const [bought, topped, ended, twice] = (await Promise.all(
      Array.from({ length: 4 }, () => site.signUp()),
    )) as [TestClient, TestClient, TestClient, TestClient];
    const open = async (member: TestClient, wish: object) =>
      (await site.post(member, '/api/billing/checkout', wish)).url as string;
    site.stripe.pay(await open(bought, { plan: 'pro', interval: 'year' }));
    site.stripe.pay(await open(topped, { top_up: 'messages_200' }));
    await site.buy(ended, { plan: 'pro', interval: 'month' });
    site.stripe.giveUp((await site.profileOf(ended)).stripe_subscription_id, 'canceled');
    await site.buy(twice, { plan: 'starter', interval: 'month' });
    const stripe = await site.parts.stripe.load();
    const { stripe_customer_id: customer } = await site.profileOf(twice);
    const price = site.stripe.list('price').find(({ lookup_key }) => lookup_key === 'touchline_pro_month')!;
    const second = await stripe.checkout.sessions.create({
      ...{ mode: 'subscription', customer, success_url: 'https://coach.example.org' },
      line_items: [{ price: price.id, quantity: 1 }],
    });
    site.stripe.pay(second.id);

    const found = await reconcile(site.parts);
    expect(found.map(({ what, is_mended }) => `${what} ${is_mended}`).sort()).toEqual([
      'purchase true',
      'second_subscription false',
      'subscription true',
      'subscription true',
      'subscription true',
    ]);
    expect((await site.profileOf(bought)).subscription_plan).toBe('pro');
    expect((await site.profileOf(topped)).message_credits).toBe(200);
    expect((await site.profileOf(ended)).subscription_plan).toBe('free');
    // Whoever pays for two has the larger.
    expect((await site.profileOf(twice)).subscription_plan).toBe('pro');
    expect((await reconcile(site.parts)).map(({ what }) => what)).toEqual(['second_subscription']);
  });
});
