import { applySubscription, fetchSubscription } from './apply-subscription.ts';
import type { StripeParts } from './billing-parts.ts';
import { countStuckEvents } from './event-queries.ts';
import {
  type LocalSubscription,
  listSubscriptions,
  listUsageDifferences,
  nextFetchNumber,
} from './queries.ts';
import { isLive, readSubscription, type SubscriptionState } from './read-subscription.ts';
import { settleCheckout } from './settle-checkout.ts';
import { takeBackCharge } from './take-back-refunds.ts';

/** How far back paid checkouts and refunds are looked for: Stripe repeats an event for three days. */
const checkouts_since_s = 4 * 86_400;

/** One thing that did not agree, and whether that has been mended. By ids, never by names. */
type Difference = { what: string; id: string; is_mended: boolean };

/**
 * Compares our rows with Stripe's, mends what can be mended, and returns what did not agree. Subscriptions, checkouts and refunds
 * are taken over as they are; what only a person can decide is named: two plans of one member, unknown prices, events that
 * cannot be worked off, meters that are not what the ledger says.
 */
export async function reconcile(parts: StripeParts): Promise<Difference[]> {
  const { database, plans } = parts;
  const stripe = await parts.stripe.load();
  const differences: Difference[] = [];
  const fetch_number = await nextFetchNumber(database);
  const local = new Map((await listSubscriptions(database)).map((row) => [row.id, row]));
  const seen = new Set<string>();

  const everything = stripe.subscriptions.list({ status: 'all', limit: 100, expand: ['data.schedule'] });
  for await (const subscription of everything) {
    seen.add(subscription.id);
    const state = readSubscription(subscription, plans);
    if (isSame(local.get(subscription.id), state)) continue;
    if (await applySubscription(parts, subscription, fetch_number)) {
      differences.push({ what: 'subscription', id: subscription.id, is_mended: true });
    }
  }
  for (const row of local.values()) {
    if (seen.has(row.id) || !isLive(row.status)) continue;
    await fetchSubscription(parts, row.id);
    differences.push({ what: 'subscription_is_gone', id: row.id, is_mended: true });
  }

  const created = { gte: Math.floor(Date.now() / 1000) - checkouts_since_s };
  for await (const session of stripe.checkout.sessions.list({ status: 'complete', created, limit: 100 })) {
    if (session.mode !== 'payment') continue;
    if ((await settleCheckout(parts, session)).added) {
      differences.push({ what: 'purchase', id: session.id, is_mended: true });
    }
  }

  for await (const refund of stripe.refunds.list({ created, limit: 100, expand: ['data.charge'] })) {
    const { charge } = refund;
    if (!charge || typeof charge !== 'object') continue;
    if ((await takeBackCharge(parts, charge)) > 0) {
      differences.push({ what: 'refund', id: refund.id, is_mended: true });
    }
  }

  const present = (await listSubscriptions(database)).filter(({ status }) => isLive(status));
  const payers = new Set<string>();
  for (const { id, user_id, plan } of present) {
    if (plan === null) differences.push({ what: 'unknown_price', id, is_mended: false });
    if (payers.has(user_id)) differences.push({ what: 'second_subscription', id, is_mended: false });
    payers.add(user_id);
  }
  const stuck = await countStuckEvents(database);
  if (stuck > 0) differences.push({ what: 'stuck_events', id: String(stuck), is_mended: false });
  for (const { user_id, counter } of await listUsageDifferences(database)) {
    differences.push({ what: `meter_of_${counter}`, id: user_id, is_mended: false });
  }
  return differences;
}

/** Compares, and tells the operators where something did not agree. */
export async function reconcileAndTell(parts: StripeParts): Promise<void> {
  const differences = await reconcile(parts);
  if (differences.length === 0) return;
  parts.logger.error({ differences }, 'billing did not agree with Stripe');
  parts.tellOperators('billing_difference');
}

function isSame(row: LocalSubscription | undefined, state: SubscriptionState) {
  if (!row) return false;
  const isTime = (name: string) => name.endsWith('_at') || name === 'current_period_end';
  return Object.entries(state).every(([name, value]) => {
    const kept = row[name as keyof SubscriptionState];
    return isTime(name) && kept !== null && value !== null
      ? Date.parse(String(kept)) === Date.parse(String(value))
      : kept === value;
  });
}
