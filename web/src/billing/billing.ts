import { type QueryClient, queryOptions, useQuery } from '@tanstack/react-query';
import type { Api } from '../platform/api.ts';
import { usePlatform } from '../platform/platform-context.ts';

export type Interval = 'month' | 'year';

/** What a month includes, and how much room there is for files, in megabytes of 1,000,000 bytes. Null: without a limit. */
export type Includes = {
  messages: number | null;
  files: number | null;
  tokens: number | null;
  storage_mb?: number | null;
};

/** `price`: in the smallest unit of the currency; null: it costs nothing. */
export type Plan = {
  slug: string;
  title: string;
  summary: string;
  price: Record<Interval, number> | null;
  includes: Includes;
};

/** Messages that are bought once. */
export type TopUp = { slug: string; title: string; messages: number; price: number };

/** What can be bought; `plans`: from the smallest, which is free. `is_on` false: nothing, operators give plans. */
export type PlanCatalog = { is_on: boolean; currency: string; plans: Plan[]; top_ups: TopUp[] };

export type PlanWish = { plan: string; interval: Interval };

/** A subscription at Stripe: it counts, waits for a payment, or has ended not long ago. */
export type Subscription = {
  /** Null: its price is none of ours. */
  plan: string | null;
  interval: Interval | null;
  status: string;
  amount_minor: number | null;
  currency: string | null;
  current_period_end: string | null;
  /** When it ends; null: it goes on. */
  cancel_at: string | null;
  next: { plan: string; interval: Interval | null; at: string } | null;
  ended_at: string | null;
  /** As Stripe says it; `payment_failed`: no try went through. */
  end_reason: string | null;
};

/** How a member stands. */
export type Billing = {
  is_on: boolean;
  plan: string;
  source: 'free' | 'subscription' | 'grant' | 'by_hand';
  quota: Includes;
  usage: { messages: number; files: number; tokens: number };
  credits: number;
  renews_at: string;
  has_customer: boolean;
  subscription: Subscription | null;
  grant: { plan: string; until: string } | null;
};

/** Where the bank wants a payment confirmed, and until when. Nothing is charged or changed before. */
export type Confirmation = { url: string; until: string };

type NextInvoice = { amount_due_minor: number; currency: string; at: string };

// Under the profile's key, so that whatever refreshes the profile, in another tab too, refreshes this.
const billing_key = ['me', 'billing'];
const next_invoice_key = [...billing_key, 'next-invoice'];

const plansQuery = (api: Api) =>
  queryOptions({
    queryKey: ['plans'],
    queryFn: ({ signal }) => api.get<PlanCatalog>('/api/plans', signal),
    staleTime: 10 * 60_000,
  });

const billingQuery = (api: Api) =>
  queryOptions({
    queryKey: billing_key,
    queryFn: ({ signal }) => api.get<Billing>('/api/billing', signal),
  });

/** What can be bought, or is given by operators. */
export function usePlans() {
  return useQuery(plansQuery(usePlatform().api));
}

/** How the member stands: the plan, what is left of it, what changes and when. */
export function useBilling() {
  return useQuery(billingQuery(usePlatform().api));
}

/** What is charged next, asked at Stripe; null where nothing will be. */
export function useNextInvoice(wanted: boolean) {
  const { api } = usePlatform();
  return useQuery({
    queryKey: next_invoice_key,
    queryFn: async ({ signal }) =>
      (await api.get<{ next_invoice: NextInvoice | null }>('/api/billing/next-invoice', signal)).next_invoice,
    enabled: wanted,
    staleTime: 60_000,
  });
}

/** Writes down how the server says that the member stands; what follows from it is asked again. */
export function noteBilling(queryClient: QueryClient, state: Billing) {
  queryClient.setQueryData<Billing>(billing_key, state);
  void queryClient.invalidateQueries({ queryKey: next_invoice_key });
  void queryClient.invalidateQueries({ queryKey: ['me'], exact: true });
}

/** A subscription that gives its plan: paid for, or with a payment that is being tried again. */
export function isLive(subscription: Subscription | null): subscription is Subscription & PlanWish {
  return (
    subscription !== null &&
    subscription.plan !== null &&
    subscription.interval !== null &&
    ['active', 'trialing', 'past_due'].includes(subscription.status)
  );
}
