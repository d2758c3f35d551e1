import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useProfileNews } from '../accounts/use-profile-news.ts';
import { usePlatform } from '../platform/platform-context.ts';
import { type Billing, type Confirmation, noteBilling } from './billing.ts';
import { changeProblem } from './charge-problem.ts';

/**
 * Changes the plan, cancels it or keeps it, once however often it is pressed. `change` resolves with how the member stands
 * then, with where the payment has to be confirmed first (null: nowhere), and with the error where it did not go through; with
 * undefined while another change is under way.
 */
export function usePlanChange() {
  const { api } = usePlatform();
  const queryClient = useQueryClient();
  const tellTabs = useProfileNews();
  const under_way = useRef(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  async function change(path: 'change' | 'cancel' | 'keep', body: object = {}) {
    if (under_way.current) return undefined;
    under_way.current = true;
    setBusy(true);
    setProblem(null);
    try {
      const { confirmation = null, ...state } = await api.post<
        Billing & { confirmation?: Confirmation | null }
      >(`/api/billing/${path}`, body);
      noteBilling(queryClient, state);
      tellTabs();
      return { state, confirmation };
    } catch (error) {
      setProblem(changeProblem(error));
      // It may have been done, or another tab did something else: the page shows how it stands.
      tellTabs();
      return { error };
    } finally {
      under_way.current = false;
      setBusy(false);
    }
  }

  return { busy, problem, change };
}
