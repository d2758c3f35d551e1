import type Stripe from 'stripe';
import { idOf, toIso } from './read-subscription.ts';

/** Where a member confirms a payment to the bank, and until when (ISO 8601). Nothing is charged or changed before. */
export type Confirmation = { url: string; until: string };

/**
 * Makes a change whose payment the bank wants confirmed as one that waits: Stripe makes it as soon as the invoice is paid, and
 * forgets it after a day at the most. Null where it went through after all. `refusal` is thrown where Stripe names no page.
 */
export async function updateAwaitingConfirmation(
  stripe: Stripe,
  subscription: Stripe.Subscription,
  update: Stripe.SubscriptionUpdateParams,
  refusal: unknown,
): Promise<Confirmation | null> {
  const waiting = await stripe.subscriptions.update(subscription.id, {
    ...update,
    payment_behavior: 'pending_if_incomplete',
    expand: ['latest_invoice'],
  });
  if (!waiting.pending_update) return null;
  const invoice = waiting.latest_invoice as Stripe.Invoice | null;
  if (!invoice?.hosted_invoice_url) {
    await dropUnconfirmed(stripe, waiting);
    throw refusal;
  }
  return { url: invoice.hosted_invoice_url, until: toIso(waiting.pending_update.expires_at) };
}

/**
 * Takes back a change that waits for a confirmation: its invoice cannot be paid any more. Returns false where Stripe refuses,
 * because it was paid or forgotten a moment ago.
 */
export async function dropUnconfirmed(stripe: Stripe, subscription: Stripe.Subscription): Promise<boolean> {
  const invoice = idOf(subscription.latest_invoice);
  if (!subscription.pending_update || !invoice) return true;
  try {
    await stripe.invoices.voidInvoice(invoice);
    return true;
  } catch (error) {
    if ((error as Stripe.errors.StripeError).type !== 'StripeInvalidRequestError') throw error;
    return false;
  }
}
