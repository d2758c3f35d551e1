import type { StripeParts } from './billing-parts.ts';
import { type BillingProfile, setCustomerId } from './queries.ts';

/**
 * The member's customer at Stripe, made at the first purchase. Only the member's id goes along with the request, so that it is
 * the same however often it is sent: under its idempotency key Stripe makes one customer, and the id is written once.
 */
export async function ensureCustomer(parts: StripeParts, profile: BillingProfile): Promise<string> {
  if (profile.stripe_customer_id) return profile.stripe_customer_id;
  return createCustomer(parts, profile, null);
}

/** Another customer in the place of one that was deleted at Stripe. */
export function replaceCustomer(
  parts: StripeParts,
  profile: BillingProfile,
  deleted_id: string,
): Promise<string> {
  return createCustomer(parts, profile, deleted_id);
}

async function createCustomer(
  { stripe: client, database }: StripeParts,
  { id: user_id, email }: BillingProfile,
  former_id: string | null,
) {
  const stripe = await client.load();
  const { id } = await stripe.customers.create(
    { metadata: { touchline_user_id: user_id } },
    { idempotencyKey: `customer-${user_id}-${former_id ?? 'first'}` },
  );
  if (email) await stripe.customers.update(id, { email });
  return setCustomerId(database, user_id, former_id, id);
}
