/**
 * `npm run stripe:sync`: brings products, prices and the portal at Stripe to what plans.yaml says, and says what it did. Can be
 * run again without harm. Exit code 1 when it could not be done.
 */
import { join } from 'node:path';
import { loadPlans } from '../server/billing/load-plans.ts';
import { createStripeClient } from '../server/billing/stripe-client.ts';
import { syncCatalog } from '../server/billing/sync-catalog.ts';
import { StartError } from '../server/platform/config.ts';
import { runCommand } from './run-command.ts';

await runCommand(async ({ root, config }) => {
  const plans = await loadPlans(join(root, 'plans.yaml'));
  if (!config.stripe) {
    throw new StartError(
      'STRIPE_SECRET_KEY is not set: copy the secret key from Stripe’s dashboard, Developers, API keys.',
    );
  }
  const site_url = config.public_url ?? `http://localhost:${config.port}`;
  const stripe = await createStripeClient(config.stripe).load();
  const lines = await syncCatalog(stripe, plans, site_url).catch(explain);
  return lines.length > 0 ? lines : ['All is as plans.yaml says.'];
});

/** Stripe's errors may quote a part of the key, so only their kind is told. */
function explain(cause: unknown): never {
  const { type, code, statusCode, param } = cause as Record<string, string | undefined>;
  if (!type?.startsWith('Stripe')) throw cause;
  const what = [statusCode, code, param].filter(Boolean).join(', ');
  throw new StartError(
    `Stripe did not do it (${type}${what ? `: ${what}` : ''}): npm run doctor says whether the key is right; what was done stays, and running this again goes on.`,
    { cause },
  );
}
