/**
 * `npm run billing:check`: computes every meter anew from the ledger and, where Stripe's key is set, compares subscriptions and
 * purchases with Stripe, mends what can be mended and lists what did not agree. Exit code 1 when something did not, or when
 * it could not be looked at.
 */
import { join } from 'node:path';
import { loadPlans } from '../server/billing/load-plans.ts';
import { listUsageDifferences, setPlans } from '../server/billing/queries.ts';
import { reconcile } from '../server/billing/reconcile.ts';
import { createStripeClient } from '../server/billing/stripe-client.ts';
import { openPresentDatabase } from './open-present-database.ts';
import { runCommand } from './run-command.ts';

await runCommand(async (command) => {
  const { root, config, logger } = command;
  const plans = await loadPlans(join(root, 'plans.yaml'));
  const database = await openPresentDatabase(command);
  await setPlans(database, plans);
  const lines = (await listUsageDifferences(database)).map(
    ({ user_id, counter, metered, in_ledger }) =>
      `${user_id}: ${counter} ${metered} on the meter, ${in_ledger} in the ledger`,
  );
  if (config.stripe) {
    const stripe = createStripeClient(config.stripe);
    const differences = await reconcile({ database, plans, stripe, logger, tellOperators: () => {} });
    for (const { what, id, is_mended } of differences) {
      if (!what.startsWith('meter_of_')) lines.push(`${id}: ${what}${is_mended ? ', mended' : ''}`);
    }
  }
  if (lines.length > 0) {
    process.exitCode = 1;
    return lines;
  }
  return [
    config.stripe
      ? 'The meters are what the ledger says, and Stripe agrees.'
      : 'The meters are what the ledger says.',
  ];
});
