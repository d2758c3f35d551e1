import type Stripe from 'stripe';
import type { Interval, PlanCatalog } from './plans.ts';
import { listPricedItems } from './plans.ts';

/** A row of `subscriptions` but for whose it is and which fetch it came with. Times are ISO 8601. */
export type SubscriptionState = {
  id: string;
  plan: string | null;
  billing_interval: Interval | null;
  status: Stripe.Subscription.Status;
  amount_minor: number | null;
  currency: string;
  started_at: string;
  current_period_end: string | null;
  cancel_at: string | null;
  next_plan: string | null;
  next_interval: string | null;
  next_plan_at: string | null;
  ended_at: string | null;
  end_reason: string | null;
  failed_invoice_id: string | null;
};

/** The names under which our prices, products and schedules say at Stripe what they are for. */
export const plan_key = 'touchline_plan';
export const interval_key = 'touchline_interval';
export const top_up_key = 'touchline_top_up';

/** Statuses with which a subscription gives its plan; `apply_plan` in schema/17_billing.sql has them too. */
export function isLive(status: string): boolean {
  return status === 'active' || status === 'trialing' || status === 'past_due';
}

export function toIso(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/**
 * Which plan a price is for. A price says it itself, because its lookup key moves to another price when the amount changes;
 * one that was made by hand is known by its lookup key.
 */
export function readPrice(
  price: Stripe.Price,
  catalog: PlanCatalog,
): { plan: string; interval: Interval } | undefined {
  const slug = price.metadata[plan_key];
  const interval = price.recurring?.interval as Interval | undefined;
  if (
    slug &&
    (interval === 'month' || interval === 'year') &&
    catalog.plans.some((plan) => plan.slug === slug)
  ) {
    return { plan: slug, interval };
  }
  const item = listPricedItems(catalog).find(({ lookup_key }) => lookup_key === price.lookup_key);
  return item?.kind === 'plan' ? { plan: item.plan.slug, interval: item.interval } : undefined;
}

/** What we keep of a subscription. Its schedule must be expanded. Since 2025 the period stands on the item. */
export function readSubscription(subscription: Stripe.Subscription, catalog: PlanCatalog): SubscriptionState {
  const items = subscription.items.data;
  const item = items.find(({ price }) => readPrice(price, catalog)) ?? items[0];
  const priced = item && readPrice(item.price, catalog);
  const { schedule } = subscription;
  const next =
    schedule && typeof schedule === 'object' && schedule.status === 'active' ? schedule : undefined;
  const next_plan = next?.metadata?.[plan_key];
  const next_at = next_plan && item ? item.current_period_end : undefined;
  return {
    id: subscription.id,
    plan: priced?.plan ?? null,
    billing_interval: priced?.interval ?? null,
    status: subscription.status,
    amount_minor: item?.price.unit_amount ?? null,
    currency: subscription.currency,
    started_at: toIso(subscription.start_date),
    current_period_end: item ? toIso(item.current_period_end) : null,
    cancel_at: subscription.cancel_at ? toIso(subscription.cancel_at) : null,
    next_plan: next_at ? next_plan! : null,
    next_interval: next_at ? (next?.metadata?.[interval_key] ?? null) : null,
    next_plan_at: next_at ? toIso(next_at) : null,
    ended_at: subscription.ended_at ? toIso(subscription.ended_at) : null,
    end_reason: subscription.cancellation_details?.reason ?? null,
    failed_invoice_id:
      subscription.status === 'past_due' ? (idOf(subscription.latest_invoice) ?? null) : null,
  };
}

/** The id of what Stripe shows as an id or, expanded, as an object. */
export function idOf(reference: string | { id: string } | null | undefined): string | undefined {
  return typeof reference === 'string' ? reference : reference?.id;
}
