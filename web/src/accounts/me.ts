import { type QueryClient, queryOptions, useQuery } from '@tanstack/react-query';
import type { Api } from '../platform/api.ts';
import { usePlatform } from '../platform/platform-context.ts';

/** Counts of one month; in a quota null means unlimited. */
type Meters<Count> = { messages: Count; files: Count; tokens: Count };

/** What is left; null: without a limit. `credits`: messages that were bought, which no month ends. */
export type Allowance = Meters<number | null> & { credits: number };

export type Me = {
  id: string;
  email: string;
  user_name: string | null;
  organization_name: string | null;
  avatar_url: string | null;
  subscription_plan: string;
  subscription_quota: Meters<number | null>;
  subscription_usage: Meters<number>;
  /** Bought messages that are left: used when the plan has none left, or nothing to read and write with. */
  credits: number;
  period_started_at: string;
  /** The instant, in UTC, at which the usage begins anew. */
  renews_at: string;
  /** What the member's files take up now; null: room without a limit. */
  storage?: { used_bytes: number; limit_bytes: number | null };
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
    // What is waited for may have happened in another tab or on another device: whoever comes back sees it at once.
    refetchOnWindowFocus: ({ state: { data } }) =>
      data !== undefined && (!data.email_confirmed || usedUp(data) !== null) ? 'always' : true,
    refetchInterval: ({ state: { data } }) => data !== undefined && untilNextLook(data, Date.now()),
  });

const often_ms = 15_000;
const day_ms = 24 * 60 * 60 * 1_000;

/** In how many milliseconds the profile is to be asked for again. `now_ms`: by this machine's clock, which may be wrong. */
export function untilNextLook(me: Me, now_ms: number) {
  // The first link is mailed behind the first answer: when it is out is known a moment later.
  if (!me.email_confirmed && me.email_verification.sent_at === null) return 4_000;
  const renews_in_ms = Date.parse(me.renews_at) - now_ms;
  const is_due = !(renews_in_ms > 0);
  const waits = !me.email_confirmed || usedUp(me) !== null;
  // A second later, lest the server is asked a moment too soon; a timer of a browser does not wait longer than 24 days.
  return Math.min(is_due || waits ? often_ms : day_ms, is_due ? often_ms : renews_in_ms + 1_000);
}

/** The signed-in member's profile, plan and usage. */
export function useMe() {
  return useQuery(meQuery(usePlatform().api));
}

/** Writes down a profile that the server has just answered with. */
export function noteMe(queryClient: QueryClient, me: Me) {
  queryClient.setQueryData<Me>(['me'], me);
}

/** What is left of this month, and of what was bought. */
export function allowanceOf({ subscription_quota, subscription_usage, credits }: Me): Allowance {
  const left = (counter: keyof Meters<number>) => {
    const quota = subscription_quota[counter];
    return quota === null ? null : Math.max(0, quota - subscription_usage[counter]);
  };
  return { messages: left('messages'), files: left('files'), tokens: left('tokens'), credits };
}

/** How many messages can be sent, bought ones too; null without a limit. The plan's ask for a token that is left. */
export function messagesLeft(me: Me) {
  const { messages, tokens, credits } = allowanceOf(me);
  if (tokens === 0) return credits;
  return messages === null ? null : messages + credits;
}

/** What has to renew before another message can be sent; null: nothing. */
export function usedUp(me: Me) {
  if (messagesLeft(me) !== 0) return null;
  return allowanceOf(me).messages === 0 ? ('messages' as const) : ('tokens' as const);
}

/** Writes down what the server says is left, without asking again; it is asked where the two do not fit together. */
export function noteAllowance(queryClient: QueryClient, left: Allowance) {
  const me = queryClient.getQueryData<Me>(['me']);
  if (me === undefined) return;
  const subscription_usage = { ...me.subscription_usage };
  for (const counter of ['messages', 'files', 'tokens'] as const) {
    const quota = me.subscription_quota[counter];
    const rest = left[counter];
    // The plan is another one by now.
    if ((quota === null) !== (rest === null) || (quota !== null && rest !== null && rest > quota)) {
      void queryClient.invalidateQueries({ queryKey: ['me'] });
      return;
    }
    if (quota !== null && rest !== null) subscription_usage[counter] = quota - rest;
  }
  noteMe(queryClient, { ...me, subscription_usage, credits: left.credits });
  // A new month has begun meanwhile, so the next one is another.
  if (Date.parse(me.renews_at) <= Date.now()) void queryClient.invalidateQueries({ queryKey: ['me'] });
}
