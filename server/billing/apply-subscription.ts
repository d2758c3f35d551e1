import type Stripe from 'stripe';
import type { StripeParts } from './billing-parts.ts';
import { applySubscriptionState, markSubscriptionGone, nextFetchNumber } from './queries.ts';
import { idOf, isLive, readSubscription } from './read-subscription.ts';
import { isMissing } from './stripe-client.ts';

/**
 * Fetches a subscription and takes its state over. So it does not matter what an event said, how often it came and in which
 * order: the state that was asked for last stays. Returns the subscription; undefined where Stripe has none of that id.
 */
export async function fetchSubscription(
  parts: StripeParts,
  id: string,
): Promise<Stripe.Subscription | undefined> {
  const fetch_number = await nextFetchNumber(parts.database);
  const stripe = await parts.stripe.load();
  try {
    const subscription = await stripe.subscriptions.retrieve(id, { expand: ['schedule'] });
    await applySubscription(parts, subscription, fetch_number);
    return subscription;
  } catch (error) {
    if (!isMissing(error)) throw error;
    await markSubscriptionGone(parts.database, id, fetch_number);
    return undefined;
  }
}

/**
 * Takes over the state of a subscription that was fetched with its schedule, after `fetch_number` was taken. Returns whether it
 * changed anything that is kept; a customer that is nobody's here belongs to something else at the same account.
 */
export async function applySubscription(
  { database, plans, logger, tellOperators }: StripeParts,
  subscription: Stripe.Subscription,
  fetch_number: number,
): Promise<boolean> {
  const state = readSubscription(subscription, plans);
  const customer_id = idOf(subscription.customer)!;
  const isOurs = await applySubscriptionState(database, customer_id, { ...state, fetch_number });
  if (isOurs && state.plan === null && isLive(state.status)) {
    logger.error({ subscription_id: state.id }, 'a subscription has a price that is none of plans.yaml');
    tellOperators('billing_difference');
  }
  return isOurs;
}
