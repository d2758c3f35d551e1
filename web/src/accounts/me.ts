import { type QueryClient, queryOptions, useQuery } from '@tanstack/react-query';
import type { Api } from '../platform/api.ts';
import { usePlatform } from '../platform/platform-context.ts';

/** Counts of one month; in a quota null means unlimited. */
type Meters<Count> = { messages: Count; files: Count; tokens: Count };

export type Me = {
  id: string;
  email: string;
  user_name: string | null;
  organization_name: string | null;
  avatar_url: string | null;
  subscription_plan: string;
  subscription_quota: Meters<number | null>;
  subscription_usage: Meters<number>;
  is_active: boolean;
  email_confirmed: boolean;
  role: 'member' | 'operator';
  created_at: string;
};

const meQuery = (api: Api) =>
  queryOptions({ queryKey: ['me'], queryFn: ({ signal }) => api.get<Me>('/api/me', signal) });

/** The signed-in member's profile, plan and usage. */
export function useMe() {
  return useQuery(meQuery(usePlatform().api));
}

/** What is left of this period's messages; null without a limit. */
export function messagesLeft(me: Me) {
  const { messages } = me.subscription_quota;
  return messages === null ? null : Math.max(0, messages - me.subscription_usage.messages);
}

/** Writes down what the server says is left after a turn, without asking again. */
export function noteMessagesLeft(queryClient: QueryClient, left: number | null) {
  queryClient.setQueryData<Me>(['me'], (me) => {
    if (me === undefined || left === null || me.subscription_quota.messages === null) return me;
    const messages = me.subscription_quota.messages - left;
    return { ...me, subscription_usage: { ...me.subscription_usage, messages } };
  });
}
