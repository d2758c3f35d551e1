import type Stripe from 'stripe';
import { fetchSubscription } from './apply-subscription.ts';
import type { StripeParts } from './billing-parts.ts';
import type { Interval } from './plans.ts';
import { addPurchase } from './queries.ts';
import { idOf, interval_key, plan_key, top_up_key } from './read-subscription.ts';
import { takeBackPayment } from './take-back-refunds.ts';

export type CheckoutOutcome = 'open' | 'expired' | 'processing' | 'complete';

/** What a checkout is for, as it was promised when it was opened. */
export type Bought = { plan: string; interval: Interval } | { top_up: string; messages: number };

/** What a checkout session of ours is for; null: it is none that our server made. */
export function readBought({ metadata }: Stripe.Checkout.Session): Bought | null {
  const { [plan_key]: plan, [interval_key]: interval, [top_up_key]: top_up } = metadata ?? {};
  if (plan && (interval === 'month' || interval === 'year')) return { plan, interval };
  const messages = Number(metadata?.messages);
  return top_up && messages > 0 ? { top_up, messages } : null;
}

/**
 * Does what a checkout session asks for, once however often it is called: takes over its subscription, or adds the
 * messages that were paid for. `processing`: it is done, but the payment takes longer. `added`: whether this call did it.
 */
export async function settleCheckout(
  parts: StripeParts,
  session: Stripe.Checkout.Session,
): Promise<{ outcome: CheckoutOutcome; added: boolean }> {
  if (session.status !== 'complete') {
    return { outcome: session.status === 'expired' ? 'expired' : 'open', added: false };
  }
  const subscription_id = idOf(session.subscription);
  if (session.mode === 'subscription' && subscription_id) {
    await fetchSubscription(parts, subscription_id);
    return { outcome: 'complete', added: false };
  }
  if (session.payment_status === 'unpaid') return { outcome: 'processing', added: false };
  const customer_id = idOf(session.customer);
  const bought = readBought(session);
  // One that our server did not make is about something else.
  if (!bought || !('top_up' in bought) || !customer_id || !session.client_reference_id) {
    return { outcome: 'complete', added: false };
  }
  const payment_intent_id = idOf(session.payment_intent) ?? null;
  const added = await addPurchase(parts.database, {
    user_id: session.client_reference_id,
    customer_id,
    checkout_session_id: session.id,
    payment_intent_id,
    ...bought,
    amount_minor: session.amount_total ?? 0,
    currency: session.currency ?? '',
  });
  if (added && payment_intent_id) await takeBackPayment(parts, payment_intent_id);
  return { outcome: 'complete', added };
}
