/**
 * What a plan includes: messages, files and tokens in a month, and how much a member may hold, in megabytes of 1,000,000
 * bytes. Null: unlimited.
 */
export type Includes = {
  messages: number | null;
  files: number | null;
  tokens: number | null;
  storage_mb: number | null;
};

export type Interval = 'month' | 'year';

/** A plan of plans.yaml. `price`: in the smallest unit of the currency; undefined: it costs nothing. */
type Plan = {
  slug: string;
  title: string;
  summary: string;
  price?: Record<Interval, number>;
  lookup_keys?: Record<Interval, string>;
  includes: Includes;
};

/** Messages that are bought once. `price`: in the smallest unit of the currency. */
type TopUp = { slug: string; title: string; messages: number; price: number; lookup_key: string };

/** What can be bought. `plans`: from the smallest, `free`, to the largest. `currency`: ISO 4217, small letters. */
export type PlanCatalog = { currency: string; plans: Plan[]; top_ups: TopUp[] };

/** What a price of Stripe is for. */
export type PricedItem =
  | { kind: 'plan'; plan: Plan; interval: Interval; amount_minor: number; lookup_key: string }
  | { kind: 'top_up'; top_up: TopUp; amount_minor: number; lookup_key: string };

const intervals: Interval[] = ['month', 'year'];

/** Everything that has a price, in the order of plans.yaml. */
export function listPricedItems(catalog: PlanCatalog): PricedItem[] {
  return [
    ...catalog.plans.flatMap((plan) =>
      plan.price && plan.lookup_keys
        ? intervals.map((interval) => ({
            kind: 'plan' as const,
            plan,
            interval,
            amount_minor: plan.price![interval],
            lookup_key: plan.lookup_keys![interval],
          }))
        : [],
    ),
    ...catalog.top_ups.map((top_up) => ({
      kind: 'top_up' as const,
      top_up,
      amount_minor: top_up.price,
      lookup_key: top_up.lookup_key,
    })),
  ];
}

/** A plan's place from the smallest, 0; -1: there is none of that name. */
export function rankOf(catalog: PlanCatalog, slug: string): number {
  return catalog.plans.findIndex((plan) => plan.slug === slug);
}
