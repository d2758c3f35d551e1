import { AppError } from '../platform/errors.ts';
import type { BillingParts, StripeParts } from './billing-parts.ts';
import type { BillingProfile } from './queries.ts';

/** By this our configuration of the portal is known among those of the account. */
export const portal_key = 'touchline_portal';

/**
 * Opens Stripe's page with a member's cards, invoices and tax data, and returns its address. Plans are changed here and not
 * there: the configuration that `npm run stripe:sync` makes leaves that out. Throws `no_subscription` before the first purchase.
 */
export async function openPortal(
  { stripe: client, site_url }: StripeParts & Pick<BillingParts, 'site_url'>,
  { stripe_customer_id }: BillingProfile,
): Promise<string> {
  if (!stripe_customer_id) {
    throw new AppError(
      'no_subscription',
      'You have bought nothing yet, so there are no cards and no invoices.',
    );
  }
  const stripe = await client.load();
  const { data } = await stripe.billingPortal.configurations.list({ active: true, limit: 100 });
  const configuration = data.find(({ metadata }) => metadata?.[portal_key])?.id;
  const { url } = await stripe.billingPortal.sessions.create({
    customer: stripe_customer_id,
    return_url: `${site_url}/billing`,
    ...(configuration ? { configuration } : {}),
  });
  return url;
}
