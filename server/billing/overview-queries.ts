import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { Includes, Interval } from './plans.ts';

type Overview = {
  plan: string;
  quota: Omit<Includes, 'storage_mb'> & Partial<Includes>;
  storage: { used_bytes: number; limit_bytes: number | null };
  usage: { messages: number; files: number; tokens: number };
  credits: number;
  period_started_at: string;
  renews_at: string;
  has_customer: boolean;
  subscription: {
    plan: string | null;
    interval: Interval | null;
    status: string;
    amount_minor: number | null;
    currency: string | null;
    current_period_end: string | null;
    cancel_at: string | null;
    next: { plan: string; interval: Interval | null; at: string } | null;
    ended_at: string | null;
    end_reason: string | null;
  } | null;
  grant: { plan: string; until: string } | null;
};

/**
 * How a member stands: plan, meter, the subscription that counts (else the last one that waits for a payment, or that
 * has ended in the last 30 days) and the largest grant. A grant whose time has come is ended first.
 */
export async function getOverview(database: Database, user_id: string): Promise<Overview> {
  await sql`
    select public.apply_plan(id) from public.profiles where id = ${user_id} and plan_ends_at <= now()
  `.execute(database);
  const { rows } = await sql<Overview>`
    select
      profiles.subscription_plan as plan,
      '{"messages": 0, "files": 0, "tokens": 0}'::jsonb || profiles.subscription_quota as quota,
      '{"messages": 0, "files": 0, "tokens": 0}'::jsonb || public.usage_now(profiles) as usage,
      public.storage_of(profiles.id) as storage,
      profiles.message_credits as credits,
      greatest(
        profiles.quota_last_reset, public.period_start(coalesce(profiles.quota_anchor, profiles.created_at), now())
      ) as period_started_at,
      public.period_end(coalesce(profiles.quota_anchor, profiles.created_at), now()) as renews_at,
      profiles.stripe_customer_id is not null as has_customer,
      (
        select jsonb_build_object(
          'plan', plan, 'interval', billing_interval, 'status', status, 'amount_minor', amount_minor,
          'currency', currency, 'current_period_end', current_period_end, 'cancel_at', cancel_at,
          'next', case when next_plan is not null then
            jsonb_build_object('plan', next_plan, 'interval', next_interval, 'at', next_plan_at)
          end,
          'ended_at', ended_at, 'end_reason', end_reason
        )
        from public.subscriptions
        where user_id = profiles.id and (
          subscriptions.id = profiles.stripe_subscription_id or status in ('unpaid', 'incomplete')
          or (status = 'canceled' and ended_at > now() - interval '30 days')
        )
        order by subscriptions.id = profiles.stripe_subscription_id desc nulls last, status = 'canceled',
          started_at desc
        limit 1
      ) as subscription,
      (
        select jsonb_build_object('plan', plan_grants.plan, 'until', until)
        from public.plan_grants join public.plans on plans.slug = plan_grants.plan
        where user_id = profiles.id and until > now() and revoked_at is null
        order by rank desc, until desc
        limit 1
      ) as grant
    from public.profiles
    where profiles.id = ${user_id}
  `.execute(database);
  return rows[0]!;
}

type UsageDay = {
  /** A date of the member's calendar, `2026-11-22`. */
  day: string;
  /** Null: what has no coach, as files. */
  assistant_slug: string | null;
  messages: number;
  /** Of those messages, how many were bought ones. */
  credits: number;
  files: number;
  tokens: number;
};

/**
 * What a member used, by day and coach, the latest first; days without anything are left out. What was given back is not in
 * it. `days`: how many, today included. `time_zone`: a name of the IANA database, whose days they are; one that PostgreSQL has
 * not heard of yet becomes `UTC`, as the answer says.
 */
export async function listUsage(
  database: Database,
  user_id: string,
  { days, time_zone }: { days: number; time_zone: string },
): Promise<{ time_zone: string; days: UsageDay[] }> {
  try {
    return { time_zone, days: await listDays(database, user_id, days, time_zone) };
  } catch (error) {
    if ((error as { code?: string }).code !== invalid_parameter_value || time_zone === 'UTC') throw error;
    return listUsage(database, user_id, { days, time_zone: 'UTC' });
  }
}

/** PostgreSQL's name for it (its documentation, appendix A): here, a time zone that it does not know. */
const invalid_parameter_value = '22023';

async function listDays(
  database: Database,
  user_id: string,
  days: number,
  time_zone: string,
): Promise<UsageDay[]> {
  const { rows } = await sql<UsageDay>`
    select
      to_char(entries.day, 'YYYY-MM-DD') as day, assistant_slug,
      coalesce(sum(amount) filter (where counter = 'messages'), 0)::bigint
        + coalesce(sum(-amount) filter (where counter = 'credits'), 0)::bigint as messages,
      coalesce(sum(-amount) filter (where counter = 'credits'), 0)::bigint as credits,
      coalesce(sum(amount) filter (where counter = 'files'), 0)::bigint as files,
      coalesce(sum(amount) filter (where counter = 'tokens'), 0)::bigint as tokens
    from (
      select
        (coalesce(taken.created_at, noted.created_at) at time zone ${time_zone})::date as day,
        noted.assistant_slug, noted.counter, noted.amount
      from public.usage_entries as noted
      -- What is given back after midnight was used on the day before.
      left join public.usage_entries as taken
        on noted.reason = 'given_back' and taken.subject_id = noted.subject_id and taken.reason = 'reserved'
          and taken.counter = noted.counter and taken.user_id = noted.user_id
      where noted.user_id = ${user_id} and noted.reason in ('reserved', 'given_back', 'settled')
        and coalesce(taken.created_at, noted.created_at)
          >= ((now() at time zone ${time_zone})::date - ${days - 1}::integer)::timestamp at time zone ${time_zone}
        -- The same bound again, where the index knows it: nothing is given back before it is taken.
        and noted.created_at
          >= ((now() at time zone ${time_zone})::date - ${days - 1}::integer)::timestamp at time zone ${time_zone}
    ) as entries
    group by entries.day, assistant_slug
    having bool_or(amount <> 0)
    order by entries.day desc, assistant_slug
  `.execute(database);
  return rows.filter(({ messages, files, tokens }) => messages !== 0 || files !== 0 || tokens !== 0);
}
