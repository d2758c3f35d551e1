import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { ApiError } from '../platform/api-error.ts';
import { usePlatform } from '../platform/platform-context.ts';
import type { PlanWish } from './billing.ts';
import { chargeProblem } from './charge-problem.ts';

export type StripePage = ReturnType<typeof useStripePage>;

type Wish = PlanWish | { top_up: string };

/** So long a page at Stripe may take before it can be opened anew. Twice does no harm: of two, one can be paid. */
const longest_way_ms = 12_000;

/**
 * Leads to a page at Stripe: to pay, or to cards and invoices. One at a time, however often something is pressed.
 * `opening`: the name of what was pressed; `problem`: why no page was opened.
 */
export function useStripePage() {
  const { api } = usePlatform();
  const queryClient = useQueryClient();
  const busy = useRef(false);
  const [opening, setOpening] = useState<string | null>(null);
  const [problem, setProblem] = useState<{ name: string; sentence: string } | null>(null);

  // Whoever goes back from Stripe may find this very page again, as it was left.
  const free = useCallback(() => {
    busy.current = false;
    setOpening(null);
  }, []);
  useEffect(() => {
    const onShow = ({ persisted }: PageTransitionEvent) => {
      if (!persisted) return;
      free();
      void queryClient.invalidateQueries({ queryKey: ['me'] });
    };
    addEventListener('pageshow', onShow);
    return () => removeEventListener('pageshow', onShow);
  }, [queryClient, free]);

  async function open(name: string, path: string, body?: Wish) {
    if (busy.current) return;
    busy.current = true;
    setOpening(name);
    setProblem(null);
    try {
      location.assign((await api.post<{ url: string }>(path, body)).url);
      // Whoever stops the page on its way is still here, and may press again.
      setTimeout(free, longest_way_ms);
    } catch (error) {
      free();
      setProblem({ name, sentence: chargeProblem(error) });
      // How the member stands is not what this page shows: another tab has changed it.
      if (error instanceof ApiError && error.status === 409) {
        void queryClient.invalidateQueries({ queryKey: ['me'] });
      }
    }
  }

  return {
    opening,
    problem,
    buy: (name: string, wish: Wish) => void open(name, '/api/billing/checkout', wish),
    forgetProblem: () => setProblem(null),
    openPortal: (name: string) => void open(name, '/api/billing/portal'),
  };
}
