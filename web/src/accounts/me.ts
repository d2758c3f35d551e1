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
  /** When the last mail with a link to confirm the address went out; null before the first. */
  email_verification: { sent_at: string | null };
  /** How many messages a member has before the address is confirmed. */
  unconfirmed_messages: number;
  /** A BCP 47 tag and a name of the IANA database; null: as the browser says. */
  language: string | null;
  time_zone: string | null;
  role: 'member' | 'operator';
  created_at: string;
};

const meQuery = (api: Api) =>
  queryOptions({
    queryKey: ['me'],
    queryFn: ({ signal }) => api.get<Me>('/api/me', signal),
    // The address may be confirmed in another tab or on another device: whoever comes back sees it at once.
    refetchOnWindowFocus: ({ state }) => (state.data?.email_confirmed === false ? 'always' : true),
    // The first link is mailed behind the first answer: when it is out is known a moment later.
    refetchInterval: ({ state: { data } }) =>
      data === undefined || data.email_confirmed ? false : data.email_verification.sent_at ? 15_000 : 4_000,
  });

/** The signed-in member's profile, plan and usage. */
export function useMe() {
  return useQuery(meQuery(usePlatform().api));
}

/** Writes down a profile that the server has just answered with. */
export function noteMe(queryClient: QueryClient, me: Me) {
  queryClient.setQueryData<Me>(['me'], me);
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
