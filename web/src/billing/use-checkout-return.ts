import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useProfileNews } from '../accounts/use-profile-news.ts';
import { ApiError, sentenceFor } from '../platform/api-error.ts';
import { usePlatform } from '../platform/platform-context.ts';
import { type Billing, isLive, noteBilling, type PlanWish } from './billing.ts';

type Bought = PlanWish | { top_up: string; messages: number };
type Confirmed = { outcome: 'open' | 'expired' | 'processing' | 'complete'; bought: Bought | null };

/**
 * What became of a visit to Stripe's checkout. `waiting`: nobody knows yet, `late` when that takes longer than usual, and
 * `is_open` where Stripe says that it is not paid; `processing`: paid in a way that takes days; `unknown`: there is none
 * of this name.
 */
export type CheckoutReturn =
  | { what: 'none' | 'canceled' | 'expired' | 'unknown' }
  | { what: 'waiting'; late: boolean; is_open: boolean }
  | { what: 'processing' | 'complete'; bought: Bought | null }
  | { what: 'refused'; sentence: string };

const late_after_ms = 20_000;

/**
 * Takes over what was paid for when Stripe leads back here, however often that happens. The address keeps the checkout
 * until its end is known, so that the page can be loaded again, and loses it then.
 */
export function useCheckoutReturn(): CheckoutReturn {
  const { api } = usePlatform();
  const queryClient = useQueryClient();
  const tellTabs = useProfileNews();
  const navigate = useNavigate();
  const { checkout_session_id: id, checkout }: { checkout_session_id?: string; checkout?: string } =
    useSearch({
      strict: false,
    });
  const [settled, setSettled] = useState<CheckoutReturn>({ what: 'none' });
  const [late, setLate] = useState(false);

  const { data, error } = useQuery({
    queryKey: ['checkout', id],
    queryFn: async () => {
      const confirmed = await api.post<Confirmed>('/api/billing/confirm', { checkout_session_id: id });
      if (confirmed.outcome !== 'complete') return { confirmed, is_there: false };
      const state = await api.get<Billing>('/api/billing');
      noteBilling(queryClient, state);
      const { bought } = confirmed;
      return { confirmed, is_there: bought === null || 'top_up' in bought || isLive(state.subscription) };
    },
    enabled: id !== undefined,
    retry: false,
    gcTime: 0,
    refetchInterval: ({ state }) =>
      endOf(state.data, state.error) === null
        ? nextLook(state.dataUpdateCount + state.errorUpdateCount, state.error)
        : false,
  });

  const end = id === undefined ? null : endOf(data, error);
  // biome-ignore lint/correctness/useExhaustiveDependencies: an end comes once for each checkout.
  useEffect(() => {
    const found: CheckoutReturn | null = checkout === 'canceled' ? { what: 'canceled' } : end;
    if (found === null) return;
    setSettled(found);
    if (found.what === 'complete') tellTabs();
    void navigate({ to: '.', search: {}, replace: true });
  }, [checkout, id, end?.what]);

  useEffect(() => {
    if (id === undefined) return;
    setSettled({ what: 'none' });
    const timer = setTimeout(setLate, late_after_ms, true);
    return () => clearTimeout(timer);
  }, [id]);

  if (id === undefined) return settled;
  return end ?? { what: 'waiting', late, is_open: data?.confirmed.outcome === 'open' && error === null };
}

/** What a checkout has come to; null: it is asked again. */
function endOf(
  data: { confirmed: Confirmed; is_there: boolean } | undefined,
  error: unknown,
): CheckoutReturn | null {
  if (error instanceof ApiError) {
    if (error.status === 404 || error.status === 400) return { what: 'unknown' };
    const is_passing =
      error.status === 0 || error.status === 401 || error.status === 429 || error.status >= 500;
    return is_passing ? null : { what: 'refused', sentence: sentenceFor(error) };
  }
  if (data === undefined) return null;
  const { outcome, bought } = data.confirmed;
  if (outcome === 'open') return null;
  if (outcome === 'expired') return { what: 'expired' };
  return { what: outcome === 'complete' && data.is_there ? 'complete' : 'processing', bought };
}

/** In how many milliseconds a checkout is asked for again. */
function nextLook(looks: number, error: unknown) {
  const wait_ms = looks < 6 ? 2_000 : looks < 20 ? 5_000 : 30_000;
  return error instanceof ApiError && error.status === 429
    ? Math.max(wait_ms, error.retry_after_ms ?? 0)
    : wait_ms;
}
