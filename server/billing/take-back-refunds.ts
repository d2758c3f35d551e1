import type Stripe from 'stripe';
import type { StripeParts } from './billing-parts.ts';
import { takeBackPurchase } from './queries.ts';
import { idOf } from './read-subscription.ts';

/** Takes back the messages of a charge that was given back, as far as it was. Returns how many; twice takes none. */
export async function takeBackCharge({ database }: StripeParts, charge: Stripe.Charge): Promise<number> {
  const intent_id = idOf(charge.payment_intent);
  if (!intent_id || charge.amount_refunded === 0) return 0;
  return takeBackPurchase(database, intent_id, charge.amount_refunded, charge.amount);
}

/** The same for a payment, whose refund may have been told before the purchase was known here. */
export async function takeBackPayment(parts: StripeParts, intent_id: string): Promise<number> {
  const stripe = await parts.stripe.load();
  const { latest_charge } = await stripe.paymentIntents.retrieve(intent_id, { expand: ['latest_charge'] });
  return latest_charge && typeof latest_charge === 'object' ? takeBackCharge(parts, latest_charge) : 0;
}
