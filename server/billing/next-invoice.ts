import type { StripeParts } from './billing-parts.ts';
import type { BillingProfile } from './queries.ts';
import { toIso } from './read-subscription.ts';

/** What a member is charged next, and when; null where nothing will be. */
export async function findNextInvoice({ stripe: client }: StripeParts, profile: BillingProfile) {
  const { stripe_customer_id, stripe_subscription_id } = profile;
  if (!stripe_customer_id || !stripe_subscription_id) return null;
  const stripe = await client.load();
  try {
    const { amount_due, currency, next_payment_attempt, period_end } = await stripe.invoices.createPreview({
      customer: stripe_customer_id,
      subscription: stripe_subscription_id,
    });
    return { amount_due_minor: amount_due, currency, at: toIso(next_payment_attempt ?? period_end) };
  } catch (error) {
    // It ends with the period, or has ended.
    if ((error as { code?: string }).code === 'invoice_upcoming_none') return null;
    throw error;
  }
}
