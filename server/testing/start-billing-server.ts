import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { BillingParts, StripeParts } from '../billing/billing-parts.ts';
import { loadPlans } from '../billing/load-plans.ts';
import { createStripeClient } from '../billing/stripe-client.ts';
import { syncCatalog } from '../billing/sync-catalog.ts';
import { workOffEvents } from '../billing/work-off-events.ts';
import { createDatabase, createPool } from '../platform/database.ts';
import { createLogger } from '../platform/logger.ts';
import { startFakeStripe } from './fake-stripe/fake-stripe.ts';
import { startTestServer, type TestClient } from './start-test-server.ts';

export const plans_file = join(import.meta.dirname, '..', '..', 'plans.yaml');

/** The whole product on a Stripe of its own, which has the prices of plans.yaml. */
export async function startBillingServer(settings: Record<string, string> = {}) {
  const stripe = await startFakeStripe();
  const plans = await loadPlans(plans_file);
  const config = {
    secret_key: stripe.secret_key,
    webhook_secret: stripe.webhook_secret,
    api_url: stripe.url,
    automatic_tax: false,
  };
  const client = createStripeClient(config);
  await syncCatalog(await client.load(), plans, 'https://coach.example.org');
  const server = await startTestServer({
    STRIPE_SECRET_KEY: stripe.secret_key,
    STRIPE_WEBHOOK_SECRET: stripe.webhook_secret,
    STRIPE_API_URL: stripe.url,
    ...settings,
  });
  const pool = createPool(server.database_url, 10, createLogger('silent'));
  const database = createDatabase(pool);
  const told: string[] = [];
  /** What a job of this server works with. */
  const parts: StripeParts & Pick<BillingParts, 'site_url'> = {
    database,
    logger: createLogger('silent'),
    plans,
    stripe: client,
    tellOperators: (kind) => told.push(kind),
    site_url: server.url,
  };

  const post = (member: TestClient, path: string, body?: object) =>
    member.json(path, { method: 'POST', body: JSON.stringify(body ?? {}) });

  /** Works off what waits. The server's own job does so too, and may be in the middle of an event. */
  async function settleEvents() {
    for (const deadline = Date.now() + 30_000; Date.now() < deadline; await delay(20)) {
      await pool.query('update public.stripe_events set next_attempt_at = now() where processed_at is null');
      await workOffEvents(parts);
      const { rowCount } = await pool.query('select from public.stripe_events where processed_at is null');
      if (rowCount === 0) return;
    }
    throw new Error('events of Stripe were not worked off within 30 s');
  }

  return {
    ...server,
    stripe,
    parts,
    pool,
    database,
    /** What operators were told by jobs that a test ran itself. */
    told,
    post,
    /** Buys, pays, and comes back; Stripe's events are not delivered. Returns the checkout session's id. */
    async buy(member: TestClient, wish: object): Promise<string> {
      const { url } = await post(member, '/api/billing/checkout', wish);
      const { id } = stripe.pay(url);
      await post(member, '/api/billing/confirm', { checkout_session_id: id });
      return id;
    },
    async profileOf(member: TestClient) {
      const { rows } = await pool.query('select * from public.profiles where email = $1', [member.email]);
      return rows[0];
    },
    /** Sends every event since `from`, and waits until they are worked off. */
    async deliverEvents(from = 0) {
      for (const event of stripe.events.slice(from)) await stripe.deliver(event, server.url);
      await settleEvents();
    },
    settleEvents,
    async stop() {
      await server.stop();
      await database.destroy();
      await stripe.close();
    },
  };
}
