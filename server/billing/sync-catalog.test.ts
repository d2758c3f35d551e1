import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeStripe, startFakeStripe } from '../testing/fake-stripe/fake-stripe.ts';
import { plans_file } from '../testing/start-billing-server.ts';
import { loadPlans } from './load-plans.ts';
import type { PlanCatalog } from './plans.ts';
import { readPrice } from './read-subscription.ts';
import { createStripeClient } from './stripe-client.ts';
import { syncCatalog } from './sync-catalog.ts';

let double: FakeStripe;
let catalog: PlanCatalog;
beforeAll(async () => {
  double = await startFakeStripe();
  catalog = await loadPlans(plans_file);
});
afterAll(() => double.close());

async function sync(changed: PlanCatalog = catalog) {
  const { secret_key, url } = double;
  const client = createStripeClient({
    secret_key,
    webhook_secret: undefined,
    api_url: url,
    automatic_tax: false,
  });
  return syncCatalog(await client.load(), changed, 'https://coach.example.org');
}

/** plans.yaml with another price of Pro by the month. */
function priced(month: number): PlanCatalog {
  const changed = structuredClone(catalog);
  changed.plans.find(({ slug }) => slug === 'pro')!.price!.month = month;
  return changed;
}

describe('bringing plans to Stripe', () => {
  it('makes what is missing, says so, and does nothing the second time', async () => {
    const lines = await sync();
    expect(lines).toContain('made the product touchline_pro');
    expect(lines).toContain('made the price touchline_pro_year');
    expect(lines).toContain('made the price touchline_messages_50');
    expect(lines.at(-1)).toBe('made the portal’s configuration');
    const posts = double.requests.filter((request) => request.startsWith('POST')).length;
    expect(await sync()).toEqual([]);
    expect(double.requests.filter((request) => request.startsWith('POST')).length).toBe(posts);
  });

  it('a new amount is a new price with the same lookup key; who pays the old one is known by it still', async () => {
    expect(await sync(priced(5900))).toEqual(['replaced the price touchline_pro_month']);
    const prices = double.list('price').filter(({ product }) => product === 'touchline_pro');
    const [former, present] = [4900, 5900].map(
      (amount) => prices.find(({ unit_amount }) => unit_amount === amount)!,
    );
    expect(former).toMatchObject({ lookup_key: null, active: false });
    expect(present).toMatchObject({ lookup_key: 'touchline_pro_month', active: true });
    for (const price of [former, present]) {
      expect(readPrice(price as never, catalog)).toEqual({ plan: 'pro', interval: 'month' });
    }
    expect(await sync(priced(5900))).toEqual([]);
  });

  it('goes on where it was cut off, without making anything twice', async () => {
    const before = double.list('price').length;
    double.loses_answers = 1;
    await sync(priced(6900));
    expect(double.list('price').length - before).toBe(1);
    expect(await sync(priced(6900))).toEqual([]);
  });

  it('a price that was made by hand is known by its lookup key', () => {
    const by_hand = { metadata: {}, lookup_key: 'touchline_starter_year', recurring: { interval: 'year' } };
    expect(readPrice(by_hand as never, catalog)).toEqual({ plan: 'starter', interval: 'year' });
    expect(readPrice({ ...by_hand, lookup_key: 'of_something_else' } as never, catalog)).toBe(undefined);
  });
});
