import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer } from '../testing/start-test-server.ts';

let server: Awaited<ReturnType<typeof startTestServer>>;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

it('without Stripe’s key plans are shown to everybody, and nothing can be bought', async () => {
  const shown = (await (await fetch(`${server.url}/api/plans`)).json()) as any;
  expect(shown).toMatchObject({ is_on: false, currency: 'usd' });
  expect(shown.plans[0]).toMatchObject({ slug: 'free', price: null, includes: { messages: 50 } });
  expect(shown.plans[3]).toMatchObject({ slug: 'enterprise', includes: { messages: null } });
  expect(JSON.stringify(shown)).not.toContain('lookup');
  const member = await server.signUp();
  expect(await member.json('/api/billing')).toMatchObject({ is_on: false, plan: 'free', subscription: null });
  const body = JSON.stringify({ plan: 'pro', interval: 'month' });
  const refused = await member.fetch('/api/billing/checkout', { method: 'POST', body });
  expect(refused.status).toBe(409);
  expect(await refused.json()).toMatchObject({ code: 'billing_off' });
  const event = await fetch(`${server.url}/api/stripe/webhook`, { method: 'POST', body: '{}' });
  expect(event.status).toBe(409);
});

it.each([
  ['days=0', 400],
  ['time_zone=Mars/Olympus', 400],
  ['time_zone=%2B02:00', 400],
  ['time_zone=America/New_York&days=366', 200],
])('the usage page with %s is answered %i', async (query, status) => {
  const member = await server.signUp();
  expect((await member.fetch(`/api/billing/usage?${query}`)).status).toBe(status);
});

it('a coach is listed with what the plans are called that include it', async () => {
  const { coaches } = (await (await fetch(`${server.url}/api/coaches`)).json()) as any;
  expect(coaches[0].plans).toEqual(['free', 'starter', 'pro', 'enterprise']);
  expect(coaches[0].plan_titles).toEqual(['Free', 'Starter', 'Pro', 'Enterprise']);
});
