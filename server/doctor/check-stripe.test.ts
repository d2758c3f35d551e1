import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readConfig } from '../platform/config.ts';
import { findFreePort } from '../platform/free-port.ts';
import { type FakeStripeKeys, startFakeStripeKeys } from '../testing/fake-stripe-keys.ts';
import { checkStripe } from './check-stripe.ts';

let stripe: FakeStripeKeys;
beforeEach(async () => {
  stripe = await startFakeStripeKeys();
});
afterEach(() => stripe.close());

const webhook = { STRIPE_WEBHOOK_SECRET: 'whsec_lantern' };
const good_webhook = expect.stringMatching(/^good STRIPE_WEBHOOK_SECRET looks like/);

async function check(settings: Record<string, string> = {}) {
  const config = readConfig({
    ...{ STRIPE_SECRET_KEY: stripe.secret_key, STRIPE_API_URL: stripe.url },
    ...webhook,
    ...settings,
  });
  const lines = (await checkStripe(config.stripe)).map(({ verdict, about, sentence }) => {
    expect(about).toBe('stripe');
    return `${verdict} ${sentence}`;
  });
  expect(lines.join()).not.toMatch(/lantern|4eC39|dp7dc|\*\*/);
  return lines;
}

test('a key that Stripe takes is good, with its mode, and nothing is written there', async () => {
  expect(await check()).toEqual([
    'good The server of STRIPE_API_URL takes the key, in test mode: no money moves.',
    good_webhook,
  ]);
  stripe.secret_key = stripe.secret_key.replace('test', 'live');
  expect((await check())[0]).toMatch(/^good .* in live mode: payments are real\.$/);
  expect(stripe.requests.every((request) => request.startsWith('GET /v1/'))).toBe(true);
  expect(stripe.requests).toHaveLength(16);
});

test('without a key billing is off, which is a note', async () => {
  expect(await check({ STRIPE_SECRET_KEY: '' })).toEqual([
    expect.stringMatching(/^note STRIPE_SECRET_KEY is not set: billing is off/),
  ]);
});

test('a key that Stripe refuses is told, not quoted', async () => {
  expect(await check({ STRIPE_SECRET_KEY: 'sk_test_lantern' })).toEqual([
    expect.stringMatching(
      /^wrong .* refuses STRIPE_SECRET_KEY \(401\): copy the secret key from the dashboard/,
    ),
    good_webhook,
  ]);
});

test('a restricted key is good when it may read what billing reads, and told what it may not', async () => {
  const restricted = { STRIPE_SECRET_KEY: stripe.restricted_key };
  expect((await check(restricted))[0]).toMatch(/^good .* in test mode/);
  stripe.readable = new Set(['prices']);
  expect((await check(restricted))[0]).toMatch(
    /^wrong The key may not read customers, subscriptions, .+, payment_intents \(403\)/,
  );
});

test.each([
  ['pk_live_lantern', 'the publishable key'],
  ['whsec_lantern', 'no secret key of Stripe'],
])('%s in the place of the secret key is told, and is not even sent', async (key, what) => {
  expect((await check({ STRIPE_SECRET_KEY: key }))[0]).toMatch(
    new RegExp(`^wrong STRIPE_SECRET_KEY holds ${what}: set the secret key`),
  );
  expect(stripe.requests).toEqual([]);
});

test('a missing signing secret is a note, something else in its place is wrong', async () => {
  expect((await check({ STRIPE_WEBHOOK_SECRET: '' })).at(-1)).toMatch(
    /^note STRIPE_WEBHOOK_SECRET is not set/,
  );
  expect((await check({ STRIPE_WEBHOOK_SECRET: 'sk_test_lantern' })).at(-1)).toMatch(
    /^wrong STRIPE_WEBHOOK_SECRET is no signing secret, which begins with whsec_/,
  );
});

test('an outage, a server that is not there and one that is none of Stripe’s are told apart', async () => {
  stripe.outage = 503;
  expect((await check())[0]).toMatch(/^wrong .* does not serve at the moment \(503\)/);
  stripe.outage = 429;
  expect((await check())[0]).toMatch(/\(429\)/);
  stripe.outage = undefined;
  expect((await check({ STRIPE_API_URL: `${stripe.url}/elsewhere` }))[0]).toMatch(
    /^wrong .* does not have Stripe's interface \(404\): correct STRIPE_API_URL/,
  );
  const page = createServer((_request, response) => response.end('<html>')).listen(0, '127.0.0.1');
  await new Promise((resolve) => page.once('listening', resolve));
  const STRIPE_API_URL = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
  expect((await check({ STRIPE_API_URL }))[0]).toMatch(/^wrong .* does not answer as Stripe does/);
  page.closeAllConnections();
  await new Promise((resolve) => page.close(resolve));
  const nowhere = { STRIPE_API_URL: `http://127.0.0.1:${await findFreePort()}` };
  expect((await check(nowhere))[0]).toMatch(/^wrong .* cannot be reached \(ECONNREFUSED\)/);
});

test('a server that never answers is told after five seconds', async () => {
  stripe.outage = 0;
  expect((await check())[0]).toMatch(/\(no answer within 5 seconds\): check STRIPE_API_URL/);
});

test('a key that no header can carry is told, not quoted', async () => {
  expect((await check({ STRIPE_SECRET_KEY: 'sk_test_lantern\nbreak' }))[0]).toMatch(
    /cannot be sent as it stands/,
  );
});
