import { fetchSubscription } from './apply-subscription.ts';
import type { StripeParts } from './billing-parts.ts';
import { cancelAtPeriodEnd } from './change-plan.ts';

/**
 * What is to be done at Stripe when an account is closed: its subscriptions end with the period that is paid for, so that
 * nothing is charged any more, and whoever comes back within 30 days has what was paid. Twice does no harm.
 */
export function stripeSubscriptionCloser(parts: StripeParts) {
  return async ({ stripe_customer_id }: { stripe_customer_id: string | null }): Promise<void> => {
    if (!stripe_customer_id) return;
    const stripe = await parts.stripe.load();
    const subscriptions = stripe.subscriptions.list({ customer: stripe_customer_id, limit: 100 });
    for await (const subscription of subscriptions) {
      if (subscription.status === 'canceled' || subscription.status === 'incomplete_expired') continue;
      await cancelAtPeriodEnd(stripe, subscription);
      await fetchSubscription(parts, subscription.id);
    }
  };
}
