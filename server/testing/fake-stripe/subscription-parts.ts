import { happen, keep, type StripeObject, type StripeState } from './state.ts';

/** One interval later, in UTC; the 31st becomes a short month's last day. */
export function addInterval(start_s: number, interval: 'month' | 'year', count = 1): number {
  const start = new Date(start_s * 1000);
  const end = new Date(start);
  end.setUTCDate(1);
  end.setUTCMonth(end.getUTCMonth() + (interval === 'year' ? 12 : 1) * count);
  const last_day = new Date(Date.UTC(end.getUTCFullYear(), end.getUTCMonth() + 1, 0)).getUTCDate();
  end.setUTCDate(Math.min(start.getUTCDate(), last_day));
  return end.getTime() / 1000;
}

export function itemOf(subscription: StripeObject) {
  return subscription.items.data[0];
}

/** An invoice of a subscription; since 2025 the subscription stands under `parent`. */
export function invoice(
  state: StripeState,
  subscription: StripeObject,
  amount: number,
  billing_reason: string,
  isPaid = !state.declines_cards,
) {
  const made = keep(state, 'invoice', {
    amount_due: amount,
    amount_paid: isPaid ? amount : 0,
    amount_remaining: isPaid ? 0 : amount,
    attempt_count: 1,
    billing_reason,
    currency: subscription.currency,
    customer: subscription.customer,
    next_payment_attempt: isPaid ? null : state.now() + 3 * 86_400,
    parent: {
      type: 'subscription_details',
      quote_details: null,
      subscription_details: { metadata: {}, subscription: subscription.id },
    },
    status: isPaid ? 'paid' : 'open',
    total: amount,
  });
  made.hosted_invoice_url = `${state.url}/i/${made.id}`;
  subscription.latest_invoice = made.id;
  happen(state, isPaid ? 'invoice.paid' : 'invoice.payment_failed', made);
  return made;
}

export function setPrice(state: StripeState, subscription: StripeObject, price: StripeObject) {
  const item = itemOf(subscription);
  if (price.recurring.interval !== item.price.recurring.interval) {
    item.current_period_start = state.now();
    item.current_period_end = addInterval(state.now(), price.recurring.interval);
    subscription.billing_cycle_anchor = state.now();
  }
  item.price = price;
}

export function setCancellation(
  state: StripeState,
  subscription: StripeObject,
  { cancel_at_period_end: isEnding }: { cancel_at_period_end: boolean },
) {
  subscription.cancel_at_period_end = isEnding;
  subscription.cancel_at = isEnding ? itemOf(subscription).current_period_end : null;
  subscription.canceled_at = isEnding ? state.now() : null;
  subscription.cancellation_details.reason = isEnding ? 'cancellation_requested' : null;
}
