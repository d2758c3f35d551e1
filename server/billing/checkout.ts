import type Stripe from 'stripe';
import { AppError, notFound } from '../platform/errors.ts';
import { applySubscription, fetchSubscription } from './apply-subscription.ts';
import type { BillingParts, StripeParts } from './billing-parts.ts';
import { ensureCustomer, replaceCustomer } from './ensure-customer.ts';
import type { Interval, PricedItem } from './plans.ts';
import { listPricedItems } from './plans.ts';
import { type BillingProfile, nextFetchNumber } from './queries.ts';
import { idOf, interval_key, isLive, plan_key, top_up_key } from './read-subscription.ts';
import { type Bought, type CheckoutOutcome, readBought, settleCheckout } from './settle-checkout.ts';
import { isMissing, isUncertain, type StripeClient } from './stripe-client.ts';

type CheckoutParts = StripeParts & Pick<BillingParts, 'site_url'>;

/** What somebody wants to buy, by its name in plans.yaml. */
type Wish = { plan: string; interval: Interval } | { top_up: string };

/**
 * Opens a page at Stripe where a member pays, and returns its address. Nothing but the name of what is wanted is taken from
 * the browser. Throws `already_subscribed`, and `not_found` for what cannot be bought.
 */
export async function openCheckout(
  parts: CheckoutParts,
  profile: BillingProfile,
  wish: Wish,
): Promise<string> {
  const item = findItem(parts, wish);
  const stripe = await parts.stripe.load();
  const customer_id = await ensureCustomer(parts, profile);
  const price_id = (await findPrice(stripe, item)).id;
  const open = async (customer: string) => {
    if (item.kind === 'plan') await forbidSecondPlan(parts, stripe, customer);
    const made = await stripe.checkout.sessions.create(
      describeSession(parts, profile, item, price_id, customer),
    );
    // Two that were asked for at once did not see each other before; each sees the other now, and the newest stays.
    if (item.kind === 'plan') await expireCheckouts(stripe, customer, made.id);
    return made;
  };
  let session: Stripe.Checkout.Session;
  try {
    session = await open(customer_id);
  } catch (error) {
    if (!isMissing(error) || (error as { param?: string }).param !== 'customer') throw error;
    // Somebody has deleted the customer at Stripe.
    session = await open(await replaceCustomer(parts, profile, customer_id));
  }
  return session.url!;
}

function describeSession(
  { stripe, site_url }: CheckoutParts,
  profile: BillingProfile,
  item: PricedItem,
  price: string,
  customer: string,
): Stripe.Checkout.SessionCreateParams {
  const { automatic_tax } = stripe.config;
  const shared = {
    customer,
    client_reference_id: profile.id,
    line_items: [{ price, quantity: 1 }],
    success_url: `${site_url}/billing?checkout_session_id={CHECKOUT_SESSION_ID}`,
    cancel_url: `${site_url}/billing?checkout=canceled`,
    allow_promotion_codes: true,
    ...(automatic_tax
      ? {
          automatic_tax: { enabled: true },
          customer_update: { address: 'auto' as const, name: 'auto' as const },
          tax_id_collection: { enabled: true },
        }
      : {}),
  };
  if (item.kind === 'plan') {
    const metadata = { [plan_key]: item.plan.slug, [interval_key]: item.interval };
    return { ...shared, mode: 'subscription', metadata, subscription_data: { metadata } };
  }
  // What was promised when it was bought holds, whatever plans.yaml says when it is paid.
  const metadata = { [top_up_key]: item.top_up.slug, messages: String(item.top_up.messages) };
  return {
    ...shared,
    mode: 'payment',
    metadata,
    payment_intent_data: { metadata },
    invoice_creation: { enabled: true },
  };
}

/** The item of plans.yaml that somebody wants. Throws `not_found`. */
export function findItem({ plans }: Pick<StripeParts, 'plans'>, wish: Wish): PricedItem {
  const found = listPricedItems(plans).find((item) =>
    'top_up' in wish
      ? item.kind === 'top_up' && item.top_up.slug === wish.top_up
      : item.kind === 'plan' && item.plan.slug === wish.plan && item.interval === wish.interval,
  );
  if (!found) throw new AppError('not_found', 'This cannot be bought here. Nothing was charged.');
  return found;
}

/** The price of an item at Stripe. Throws `billing_unavailable` before `npm run stripe:sync` has made it. */
export async function findPrice(stripe: Stripe, item: PricedItem): Promise<Stripe.Price> {
  const { data } = await stripe.prices.list({ lookup_keys: [item.lookup_key], active: true, limit: 1 });
  if (!data[0]) {
    throw new AppError(
      'billing_unavailable',
      'This cannot be bought yet, because it is not set up at Stripe. Nothing was charged; tell whoever runs this site.',
    );
  }
  return data[0];
}

/**
 * Two tabs must not buy two plans: checkouts that are open are closed, and whoever has a plan already is sent to change it.
 * In this order, because a checkout that cannot be closed any more has become a subscription.
 */
async function forbidSecondPlan(parts: CheckoutParts, stripe: Stripe, customer: string) {
  await expireCheckouts(stripe, customer);
  const fetch_number = await nextFetchNumber(parts.database);
  const { data } = await stripe.subscriptions.list({ customer, limit: 100, expand: ['data.schedule'] });
  for (const subscription of data) await applySubscription(parts, subscription, fetch_number);
  if (data.some(({ status }) => isLive(status))) {
    throw new AppError(
      'already_subscribed',
      'You have a plan already. Nothing was charged; change your plan on this page instead.',
    );
  }
  for (const { id, status } of data) {
    // It gives nothing any more, or nothing yet; paid one day it would come back beside the new one.
    if (status !== 'unpaid' && status !== 'incomplete') continue;
    try {
      await stripe.subscriptions.cancel(id);
    } catch (error) {
      throw status === 'incomplete' && !isUncertain(error) ? paymentUnderWay(error) : error;
    }
    await fetchSubscription(parts, id);
  }
}

function paymentUnderWay(cause: unknown) {
  return new AppError(
    'already_subscribed',
    'A payment of yours is still on its way, and the plan begins by itself when it has arrived. Nothing more was charged; look again later.',
    { cause },
  );
}

/** Closes the open checkouts of plans; `before_id`: only those that are older than this one. */
async function expireCheckouts(stripe: Stripe, customer: string, before_id?: string) {
  const { data } = await stripe.checkout.sessions.list({ customer, status: 'open', limit: 100 });
  // The newest come first.
  const start = before_id === undefined ? 0 : data.findIndex(({ id }) => id === before_id) + 1;
  for (const session of data.slice(start)) {
    if (session.mode !== 'subscription') continue;
    // Refused where it has been paid meanwhile, or has expired.
    await stripe.checkout.sessions.expire(session.id).catch(() => {});
  }
}

/**
 * Takes over what a member has just paid for, without waiting for Stripe's event. Throws `not_found` for a checkout of
 * somebody else, in the same words as for none.
 */
export async function confirmCheckout(
  parts: StripeParts & { stripe: StripeClient },
  profile: BillingProfile,
  session_id: string,
): Promise<{ outcome: CheckoutOutcome; bought: Bought | null }> {
  const stripe = await parts.stripe.load();
  const session = await stripe.checkout.sessions.retrieve(session_id).catch((error: unknown) => {
    throw isMissing(error) ? notFound('checkout') : error;
  });
  const isOwn =
    profile.stripe_customer_id !== null &&
    idOf(session.customer) === profile.stripe_customer_id &&
    session.client_reference_id === profile.id;
  if (!isOwn) throw notFound('checkout');
  return { outcome: (await settleCheckout(parts, session)).outcome, bought: readBought(session) };
}
