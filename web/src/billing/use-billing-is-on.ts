import { useQuery } from '@tanstack/react-query';
import { usePlatform } from '../platform/platform-context.ts';

/** Whether plans and messages can be bought here; where not, operators give plans. Undefined while it is not known. */
export function useBillingIsOn() {
  const { api } = usePlatform();
  const { data } = useQuery({
    queryKey: ['plans'],
    queryFn: ({ signal }) => api.get<{ is_on: boolean }>('/api/plans', signal),
    staleTime: 10 * 60_000,
  });
  return data?.is_on;
}
