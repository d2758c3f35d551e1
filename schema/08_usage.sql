-- 08 · Usage: the meter. What a member has left, taking from it, and the ledger of every change. Owned by billing.
--
-- `subscription_quota` is what the plan gives in a month, `subscription_usage` what was used in the present one, and the
-- allowance is what is left: null where the quota is unlimited. `message_credits` are messages that were bought once: used
-- when the plan has none left, and touched by no renewal. Whatever changes one of the meters writes its entries into
-- `usage_entries` in the same statement, so that they can be computed anew from it (`usage_differences`).
--
-- The functions are written in PL/pgSQL because it keeps its plans for as long as a connection lives. A function in SQL that
-- sets its search path is never inlined and is planned anew in each statement: so written, begin and finish of a turn cost
-- PostgreSQL 7.1 ms of processor time instead of 2.4. Those that depend on the time take it, so that it can be moved.
-- Safe to run again.

alter table public.profiles
  add column if not exists message_credits bigint not null default 0,
  add column if not exists quota_anchor timestamptz,
  add column if not exists plan_ends_at timestamptz;

do $$
begin
  if not exists (
    select from pg_catalog.pg_constraint
    where conrelid = 'public.profiles'::regclass and conname = 'profiles_message_credits_is_positive'
  ) then
    alter table public.profiles
      add constraint profiles_message_credits_is_positive check (message_credits >= 0);
  end if;
end
$$;

comment on column public.profiles.message_credits is 'Messages that were bought apart from the plan, and are left.';
comment on column public.profiles.quota_anchor is
  'Where the months of the quota are counted from: the start of the subscription. Null: from created_at.';
comment on column public.profiles.plan_ends_at is 'When apply_plan (17) has to look again; null: nothing ends by itself.';

create table if not exists public.usage_entries (
  id bigint generated always as identity,
  user_id uuid not null,
  counter text not null,
  amount bigint not null,
  reason text not null,
  subject_id uuid,
  assistant_slug text,
  period_start timestamptz,
  input_tokens bigint,
  cached_tokens bigint,
  output_tokens bigint,
  created_at timestamptz not null default now(),
  constraint usage_entries_pkey primary key (id),
  constraint usage_entries_user_id_fkey foreign key (user_id) references public.profiles (id) on delete cascade,
  constraint usage_entries_counter_is_known check (counter in ('messages', 'files', 'tokens', 'credits')),
  constraint usage_entries_amount_is_a_change check (amount <> 0),
  constraint usage_entries_reason_is_known check (
    reason in ('opening', 'reserved', 'given_back', 'settled', 'bought', 'taken_back')
  ),
  constraint usage_entries_period_agrees check ((counter = 'credits') = (period_start is null))
);

comment on column public.usage_entries.amount is
  'What the counter changed by: messages, files and tokens count what was used, credits what is left.';
comment on column public.usage_entries.subject_id is
  'The turn, the file or the purchase, which may be gone. Null: none.';
comment on column public.usage_entries.period_start is
  '`quota_last_reset` of the period that it counts in. Null: credits have none.';
comment on column public.usage_entries.input_tokens is 'As the model reported it, with the next two; null: it did not.';

create index if not exists usage_entries_user_id_created_at_idx on public.usage_entries (user_id, created_at);
-- Each thing is reserved, given back, settled and bought once, whatever happens.
create unique index if not exists usage_entries_once_idx on public.usage_entries (subject_id, reason, counter)
  where reason in ('reserved', 'given_back', 'settled', 'bought');

-- Grants. The server's alone: row level security is on and there is no policy.
revoke all on public.usage_entries from public, anon, authenticated, service_role;
revoke all on sequence public.usage_entries_id_seq from public, anon, authenticated, service_role;
grant select, insert, update, delete on public.usage_entries to service_role;

alter table public.usage_entries enable row level security;

-- What was used before there was this ledger.
insert into public.usage_entries (user_id, counter, amount, reason, period_start)
select profiles.id, used.counter, used.amount::bigint, 'opening', profiles.quota_last_reset
from public.profiles, jsonb_each_text(profiles.subscription_usage) as used(counter, amount)
where used.amount::bigint > 0
  and not exists (select from public.usage_entries where usage_entries.user_id = profiles.id);

create or replace function public.allowance(quota jsonb, usage jsonb, counter text)
returns bigint
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
  return case
    when jsonb_typeof(quota -> counter) = 'null' then null
    else greatest(coalesce((quota ->> counter)::bigint, 0) - coalesce((usage ->> counter)::bigint, 0), 0)
  end;
end
$$;

create or replace function public.allowances(quota jsonb, usage jsonb)
returns jsonb
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
  return jsonb_build_object(
    'messages', public.allowance(quota, usage, 'messages'),
    'files', public.allowance(quota, usage, 'files'),
    'tokens', public.allowance(quota, usage, 'tokens')
  );
end
$$;

-- When the period began that `moment` lies in: a month each, counted in UTC from `since`, so that the 31st becomes a short
-- month's last day and comes back after it.
create or replace function public.period_start(since timestamptz, moment timestamptz)
returns timestamptz
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
  v_first timestamp := since at time zone 'UTC';
  v_moment timestamp := moment at time zone 'UTC';
  v_months integer := greatest(
    12 * (extract(year from v_moment) - extract(year from v_first))
      + extract(month from v_moment) - extract(month from v_first),
    0
  );
begin
  return (v_first + make_interval(months => case
    when v_first + make_interval(months => v_months) > v_moment then greatest(v_months - 1, 0)
    else v_months
  end)) at time zone 'UTC';
end
$$;

-- When the period ends that `moment` lies in.
create or replace function public.period_end(since timestamptz, moment timestamptz)
returns timestamptz
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
  v_first timestamp := since at time zone 'UTC';
  v_start timestamp := public.period_start(since, moment) at time zone 'UTC';
begin
  return (v_first + make_interval(months => (
    12 * (extract(year from v_start) - extract(year from v_first))
      + extract(month from v_start) - extract(month from v_first) + 1
  )::integer)) at time zone 'UTC';
end
$$;

-- What was used in the present period: nothing where the last reset lies before it.
drop function if exists public.usage_now(public.profiles);
create or replace function public.usage_now(profile public.profiles, moment timestamptz default now())
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  return case
    when profile.quota_last_reset < public.period_start(coalesce(profile.quota_anchor, profile.created_at), moment)
      then '{"messages": 0, "files": 0, "tokens": 0}'::jsonb
    else profile.subscription_usage
  end;
end
$$;

-- What a member has left: {messages, files, tokens, credits, renews_at}.
create or replace function public.meter(profile public.profiles, moment timestamptz default now())
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  return public.allowances(profile.subscription_quota, public.usage_now(profile, moment)) || jsonb_build_object(
    'credits', profile.message_credits,
    'renews_at', to_char(
      public.period_end(coalesce(profile.quota_anchor, profile.created_at), moment) at time zone 'UTC',
      'YYYY-MM-DD"T"HH24:MI:SS"Z"'
    )
  );
end
$$;

-- Takes `p_amount` of one counter if that much is left in this period; a new period begins with it. A message also asks for
-- at least one token left. Where the plan has not enough, messages are taken from those that were bought; they ask for no
-- token. Returns whether it did; the row's lock makes it exact however many ask at once.
-- `p_subject_id`: the turn or the file; `p_assistant_slug`: the coach.
drop function if exists public.reserve_usage(uuid, text, bigint);
create or replace function public.reserve_usage(
  p_user_id uuid,
  p_counter text,
  p_amount bigint,
  p_subject_id uuid default null,
  p_assistant_slug text default null,
  p_now timestamptz default now()
)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_profile public.profiles;
  v_used jsonb;
  v_period timestamptz;
  v_by_plan boolean;
begin
  select * into v_profile from public.profiles where id = p_user_id for no key update;
  if v_profile.plan_ends_at <= p_now then
    v_profile := public.apply_plan(p_user_id, p_now);
  end if;
  v_used := public.usage_now(v_profile, p_now);
  v_period := greatest(
    v_profile.quota_last_reset,
    public.period_start(coalesce(v_profile.quota_anchor, v_profile.created_at), p_now)
  );
  v_by_plan := coalesce(public.allowance(v_profile.subscription_quota, v_used, p_counter), p_amount) >= p_amount
    and (
      p_counter <> 'messages'
      or coalesce(public.allowance(v_profile.subscription_quota, v_used, 'tokens'), 1) >= 1
    );
  if v_profile.id is null or not v_by_plan and (p_counter <> 'messages' or v_profile.message_credits < p_amount) then
    return false;
  end if;
  update public.profiles
  set subscription_usage = case
      when v_by_plan then jsonb_set(
        v_used, array[p_counter], to_jsonb(coalesce((v_used ->> p_counter)::bigint, 0) + p_amount)
      )
      else v_used
    end,
    message_credits = message_credits - case when v_by_plan then 0 else p_amount end,
    quota_last_reset = v_period
  where id = p_user_id;
  insert into public.usage_entries (
    user_id, counter, amount, reason, subject_id, assistant_slug, period_start, created_at
  )
  values (
    p_user_id, case when v_by_plan then p_counter else 'credits' end, case when v_by_plan then p_amount else -p_amount end,
    'reserved', p_subject_id, p_assistant_slug, case when v_by_plan then v_period end, p_now
  );
  return true;
end
$$;

-- Gives back what was reserved (`p_messages`, `p_files`, each 0 or more) to where it was taken from, and adds the tokens
-- that were used. What was reserved in a period that is over has lapsed with it; bought messages never do.
-- `p_reserved_at` counts where the ledger does not know of the reservation. `p_usage`: {input_tokens, cached_tokens,
-- output_tokens}, as reported.
-- Returns the allowances that remain, with the bought messages that are left as `credits`; null without such a profile.
drop function if exists public.settle_usage(uuid, bigint, bigint, bigint);
drop function if exists public.settle_usage(uuid, bigint, bigint, bigint, timestamptz);
create or replace function public.settle_usage(
  p_user_id uuid,
  p_messages bigint,
  p_files bigint,
  p_tokens bigint,
  p_reserved_at timestamptz default now(),
  p_subject_id uuid default null,
  p_usage jsonb default null,
  p_now timestamptz default now()
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_profile public.profiles;
  v_used jsonb;
  v_period timestamptz;
  v_reserved public.usage_entries;
  v_reserved_in timestamptz;
  v_counter text := case when p_files > 0 then 'files' else 'messages' end;
  v_amount bigint := p_messages + p_files;
begin
  -- At most one of the two: a thing is a message or a file.
  if p_messages > 0 and p_files > 0 then
    raise exception 'settle_usage: a message and a file are given back apart';
  end if;
  select * into v_profile from public.profiles where id = p_user_id for no key update;
  if not found then
    return null;
  end if;
  v_used := '{"messages": 0, "files": 0, "tokens": 0}'::jsonb || public.usage_now(v_profile, p_now);
  v_period := greatest(
    v_profile.quota_last_reset,
    public.period_start(coalesce(v_profile.quota_anchor, v_profile.created_at), p_now)
  );
  if p_subject_id is not null then
    select * into v_reserved from public.usage_entries
    where subject_id = p_subject_id and reason = 'reserved' and user_id = p_user_id;
  end if;

  if v_amount > 0 and v_reserved.counter = 'credits' then
    v_profile.message_credits := v_profile.message_credits + v_amount;
    insert into public.usage_entries (user_id, counter, amount, reason, subject_id, assistant_slug, created_at)
    values (p_user_id, 'credits', v_amount, 'given_back', p_subject_id, v_reserved.assistant_slug, p_now);
  elsif v_amount > 0 then
    v_reserved_in := case
      when v_reserved.id is not null then v_reserved.period_start
      when p_reserved_at >= v_period then v_period
    end;
    if v_reserved_in = v_period then
      v_amount := least(v_amount, (v_used ->> v_counter)::bigint);
      v_used := jsonb_set(v_used, array[v_counter], to_jsonb((v_used ->> v_counter)::bigint - v_amount));
    end if;
    -- In a period that is over it is written down all the same, and changes no meter.
    if v_amount > 0 and v_reserved_in is not null then
      insert into public.usage_entries (
        user_id, counter, amount, reason, subject_id, assistant_slug, period_start, created_at
      )
      values (
        p_user_id, v_counter, -v_amount, 'given_back', p_subject_id, v_reserved.assistant_slug, v_reserved_in, p_now
      );
    end if;
  end if;
  if p_tokens > 0 then
    v_used := jsonb_set(v_used, array['tokens'], to_jsonb((v_used ->> 'tokens')::bigint + p_tokens));
    insert into public.usage_entries (
      user_id, counter, amount, reason, subject_id, assistant_slug, period_start,
      input_tokens, cached_tokens, output_tokens, created_at
    )
    values (
      p_user_id, 'tokens', p_tokens, 'settled', p_subject_id, v_reserved.assistant_slug, v_period,
      (p_usage ->> 'input_tokens')::bigint, (p_usage ->> 'cached_tokens')::bigint, (p_usage ->> 'output_tokens')::bigint,
      p_now
    );
  end if;

  update public.profiles
  set subscription_usage = v_used, message_credits = v_profile.message_credits, quota_last_reset = v_period
  where id = p_user_id;
  return public.allowances(v_profile.subscription_quota, v_used)
    || jsonb_build_object('credits', v_profile.message_credits);
end
$$;

-- Where a meter and the ledger disagree: a row for each member and counter, none where all is right. One statement, so that
-- turns may go on meanwhile.
create or replace function public.usage_differences()
returns table (user_id uuid, counter text, metered bigint, in_ledger bigint)
language sql
stable
set search_path = ''
as $$
  select profiles.id, meters.counter, meters.amount, coalesce(entries.amount, 0)
  from public.profiles
  cross join lateral (
    values
      ('messages', coalesce((subscription_usage ->> 'messages')::bigint, 0)),
      ('files', coalesce((subscription_usage ->> 'files')::bigint, 0)),
      ('tokens', coalesce((subscription_usage ->> 'tokens')::bigint, 0)),
      ('credits', message_credits)
  ) as meters(counter, amount)
  left join (
    select usage_entries.user_id, usage_entries.counter, period_start, sum(amount)::bigint as amount
    from public.usage_entries
    group by 1, 2, 3
  ) as entries
    on entries.user_id = profiles.id and entries.counter = meters.counter
      and (entries.period_start = profiles.quota_last_reset or entries.period_start is null)
  where meters.amount <> coalesce(entries.amount, 0)
$$;

revoke execute on function public.allowance(jsonb, jsonb, text) from public, anon, authenticated, service_role;
revoke execute on function public.allowances(jsonb, jsonb) from public, anon, authenticated, service_role;
revoke execute on function public.period_start(timestamptz, timestamptz) from public, anon, authenticated, service_role;
revoke execute on function public.period_end(timestamptz, timestamptz) from public, anon, authenticated, service_role;
revoke execute on function public.usage_now(public.profiles, timestamptz) from public, anon, authenticated, service_role;
revoke execute on function public.meter(public.profiles, timestamptz) from public, anon, authenticated, service_role;
revoke execute on function public.reserve_usage(uuid, text, bigint, uuid, text, timestamptz)
  from public, anon, authenticated, service_role;
revoke execute on function public.settle_usage(uuid, bigint, bigint, bigint, timestamptz, uuid, jsonb, timestamptz)
  from public, anon, authenticated, service_role;
revoke execute on function public.usage_differences() from public, anon, authenticated, service_role;
