import { type Parameters, StripeRefusal } from './parameters.ts';
import { find, happen, type StripeObject, type StripeState } from './state.ts';
import { invoice, itemOf, setCancellation, setPrice } from './subscription-parts.ts';

/** What may come along with `pending_if_incomplete`. */
const pending_parameters = [
  'cancel_at_period_end',
  'items',
  'metadata',
  'payment_behavior',
  'proration_behavior',
  'proration_date',
];

/** A change whose payment the bank wants confirmed: refused, or kept until that is done or a day is over. */
export function awaitConfirmation(
  state: StripeState,
  subscription: StripeObject,
  given: Parameters,
  price: StripeObject,
  amount: number,
) {
  if (given.payment_behavior === 'error_if_incomplete') {
    throw new StripeRefusal(
      402,
      'Payment for this subscription requires additional user action before it can be completed successfully.',
      { type: 'card_error', code: 'subscription_payment_intent_requires_action' },
    );
  }
  if (given.payment_behavior !== 'pending_if_incomplete') {
    throw new StripeRefusal(400, 'The double knows no other way for a payment that has to be confirmed.');
  }
  const unknown = Object.keys(given).find((name) => !pending_parameters.includes(name));
  if (unknown) {
    throw new StripeRefusal(400, `You cannot pass ${unknown} with pending_if_incomplete.`, {
      param: unknown,
    });
  }
  if (subscription.pending_update) expirePendingUpdate(state, subscription);
  invoice(state, subscription, amount, 'subscription_update', false);
  subscription.pending_update = {
    billing_cycle_anchor: null,
    cancel_at_period_end: given.cancel_at_period_end ?? null,
    discount: null,
    discounts: null,
    expires_at: Math.min(state.now() + 23 * 3600, itemOf(subscription).current_period_end),
    metadata: null,
    subscription_items: [{ ...itemOf(subscription), price }],
    trial_end: null,
    trial_from_plan: null,
  };
  happen(state, 'customer.subscription.updated', subscription);
  return subscription;
}

/** Somebody confirms the payment of a change that waits for it. Returns whether it could be paid. */
export function confirmInvoice(state: StripeState, open: StripeObject): boolean {
  const subscription = find(state, 'subscription', open.parent.subscription_details.subscription);
  const { pending_update } = subscription;
  if (open.status !== 'open' || !pending_update || subscription.latest_invoice !== open.id) return false;
  Object.assign(open, { amount_paid: open.amount_due, amount_remaining: 0, status: 'paid' });
  open.next_payment_attempt = null;
  setPrice(state, subscription, pending_update.subscription_items[0].price);
  if (pending_update.cancel_at_period_end !== null) setCancellation(state, subscription, pending_update);
  subscription.pending_update = null;
  happen(state, 'invoice.paid', open);
  happen(state, 'customer.subscription.pending_update_applied', subscription);
  happen(state, 'customer.subscription.updated', subscription);
  return true;
}

export function expirePendingUpdate(state: StripeState, subscription: StripeObject) {
  const open = find(state, 'invoice', subscription.latest_invoice);
  open.status = 'void';
  happen(state, 'invoice.voided', open);
  subscription.pending_update = null;
  happen(state, 'customer.subscription.pending_update_expired', subscription);
}

export function voidInvoice(state: StripeState, given: StripeObject) {
  if (given.status !== 'open') throw new StripeRefusal(400, 'You can only pass in open invoices.');
  const subscription = find(state, 'subscription', given.parent.subscription_details.subscription);
  if (subscription.pending_update && subscription.latest_invoice === given.id) {
    expirePendingUpdate(state, subscription);
  } else {
    given.status = 'void';
    happen(state, 'invoice.voided', given);
  }
  return given;
}
