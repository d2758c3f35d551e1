-- 17 · Billing: plans, subscriptions, purchases, grants, and Stripe's events. Owned by billing.
--
-- What a subscription is stands at Stripe: `subscriptions` is a copy of the last state that was fetched there. Which plan a
-- member has follows from the subscriptions and the grants alone (`apply_plan`), and nothing else writes it.
-- Safe to run again.

-- The plans of plans.yaml, written at each start (`set_plans`).
create table if not exists public.plans (
  slug text not null,
  rank integer not null,
  quota jsonb not null,
  constraint plans_pkey primary key (slug),
  constraint plans_quota_is_counters check (public.are_counters(quota, true))
);

comment on column public.plans.rank is 'Its place from the smallest, 0, to the largest.';

create table if not exists public.subscriptions (
  id text not null,
  user_id uuid not null,
  plan text,
  billing_interval text,
  status text not null,
  amount_minor bigint,
  currency text,
  started_at timestamptz not null,
  current_period_end timestamptz,
  cancel_at timestamptz,
  next_plan text,
  next_interval text,
  next_plan_at timestamptz,
  ended_at timestamptz,
  end_reason text,
  failed_invoice_id text,
  told_invoice_id text,
  end_told_at timestamptz,
  fetch_number bigint not null,
  updated_at timestamptz not null default now(),
  constraint subscriptions_pkey primary key (id),
  constraint subscriptions_user_id_fkey foreign key (user_id) references public.profiles (id) on delete cascade,
  constraint subscriptions_interval_is_known check (billing_interval in ('month', 'year')),
  constraint subscriptions_next_plan_agrees check ((next_plan is null) = (next_plan_at is null))
);

-- An earlier form did not say how a subscription ended.
alter table public.subscriptions
  add column if not exists ended_at timestamptz,
  add column if not exists end_reason text,
  add column if not exists failed_invoice_id text,
  add column if not exists told_invoice_id text,
  add column if not exists end_told_at timestamptz;

comment on column public.subscriptions.id is 'At Stripe.';
comment on column public.subscriptions.plan is 'Null: its price is none of ours.';
comment on column public.subscriptions.status is 'As Stripe says it.';
comment on column public.subscriptions.amount_minor is 'Per interval, in the smallest unit of the currency, before tax and discounts.';
comment on column public.subscriptions.cancel_at is 'When it ends; null: it goes on.';
comment on column public.subscriptions.next_plan is 'What it becomes at next_plan_at; null: it stays.';
comment on column public.subscriptions.ended_at is 'Null: it has not ended.';
comment on column public.subscriptions.end_reason is 'As Stripe says it, such as payment_failed. Null: Stripe says none.';
comment on column public.subscriptions.failed_invoice_id is 'Whose payment did not go through and is tried again. Null: none.';
comment on column public.subscriptions.told_invoice_id is 'The last such invoice that the member was told of by mail.';
comment on column public.subscriptions.end_told_at is 'When the member was told by mail that it ended because it was not paid. Null: not told.';
comment on column public.subscriptions.fetch_number is 'Of stripe_fetches, taken before it was fetched: a state that was fetched earlier never replaces it.';

create index if not exists subscriptions_user_id_idx on public.subscriptions (user_id);

create sequence if not exists public.stripe_fetches;

-- Message credits that were bought.
create table if not exists public.purchases (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  checkout_session_id text not null,
  payment_intent_id text,
  top_up text not null,
  messages bigint not null,
  amount_minor bigint not null,
  currency text not null,
  taken_back bigint not null default 0,
  refunded_minor bigint not null default 0,
  created_at timestamptz not null default now(),
  constraint purchases_pkey primary key (id),
  constraint purchases_checkout_session_id_key unique (checkout_session_id),
  constraint purchases_payment_intent_id_key unique (payment_intent_id),
  constraint purchases_user_id_fkey foreign key (user_id) references public.profiles (id) on delete cascade,
  constraint purchases_messages_are_positive check (messages > 0),
  constraint purchases_taken_back_is_a_part check (taken_back between 0 and messages)
);

-- An earlier form did not say how much of the payment had been given back.
alter table public.purchases add column if not exists refunded_minor bigint not null default 0;

comment on column public.purchases.refunded_minor is 'How much of the payment was given back, as far as messages were taken back for it.';
comment on column public.purchases.taken_back is 'Messages that were taken back because the payment was.';

create index if not exists purchases_user_id_created_at_idx on public.purchases (user_id, created_at);

-- Plans that operators gave.
create table if not exists public.plan_grants (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  plan text not null,
  until timestamptz not null,
  note text not null default '',
  granted_by uuid,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  constraint plan_grants_pkey primary key (id),
  constraint plan_grants_user_id_fkey foreign key (user_id) references public.profiles (id) on delete cascade,
  constraint plan_grants_granted_by_fkey foreign key (granted_by) references public.profiles (id) on delete set null,
  constraint plan_grants_note_is_short check (length(note) <= 500)
);

comment on column public.plan_grants.note is 'For operators.';
comment on column public.plan_grants.granted_by is 'The operator; null: a command, or that operator is gone.';

create index if not exists plan_grants_user_id_until_idx on public.plan_grants (user_id, until);
create index if not exists plan_grants_granted_by_idx on public.plan_grants (granted_by);
create index if not exists profiles_plan_ends_at_idx on public.profiles (plan_ends_at) where plan_ends_at is not null;
create unique index if not exists profiles_stripe_customer_id_idx on public.profiles (stripe_customer_id);

-- What Stripe told us: that something happened to an object. What it has become is asked there.
create table if not exists public.stripe_events (
  id text not null,
  type text not null,
  object_kind text not null,
  object_id text,
  happened_at timestamptz not null,
  received_at timestamptz not null default now(),
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  processed_at timestamptz,
  constraint stripe_events_pkey primary key (id),
  constraint stripe_events_attempts_is_positive check (attempts >= 0)
);

comment on column public.stripe_events.id is 'At Stripe: the same event comes again under the same one.';
comment on column public.stripe_events.object_kind is 'As Stripe calls it, such as subscription or checkout.session.';

create index if not exists stripe_events_due_idx on public.stripe_events (next_attempt_at) where processed_at is null;
create index if not exists stripe_events_received_at_idx on public.stripe_events (received_at);

-- Grants. The server's alone: row level security is on and there is no policy.
revoke all on public.plans, public.subscriptions, public.purchases, public.plan_grants, public.stripe_events
  from public, anon, authenticated, service_role;
revoke all on sequence public.stripe_fetches from public, anon, authenticated, service_role;
grant select, insert, update, delete
  on public.plans, public.subscriptions, public.purchases, public.plan_grants, public.stripe_events
  to service_role;

alter table public.plans enable row level security;
alter table public.subscriptions enable row level security;
alter table public.purchases enable row level security;
alter table public.plan_grants enable row level security;
alter table public.stripe_events enable row level security;

-- Gives a member the plan that the subscriptions and grants say: the largest of those that are paid for or granted, else
-- `free`. Its quota is written, what was used is not touched. A subscription counts while it is paid, while it is tried
-- and while Stripe goes on trying to collect a payment. Months are counted from its start.
create or replace function public.apply_plan(p_user_id uuid, p_now timestamptz default now())
returns public.profiles
language plpgsql
set search_path = ''
as $$
declare
  v_profile public.profiles;
  v_subscription public.subscriptions;
  v_plan public.plans;
  v_granted public.plans;
begin
  select * into v_profile from public.profiles where id = p_user_id for no key update;
  select subscriptions.* into v_subscription
  from public.subscriptions join public.plans on plans.slug = subscriptions.plan
  where user_id = p_user_id and status in ('active', 'trialing', 'past_due')
  order by rank desc, started_at
  limit 1;
  select * into v_plan from public.plans where slug = coalesce(v_subscription.plan, 'free');
  select plans.* into v_granted
  from public.plan_grants join public.plans on plans.slug = plan_grants.plan
  where user_id = p_user_id and until > p_now and revoked_at is null
  order by rank desc
  limit 1;
  if v_granted.rank > coalesce(v_plan.rank, -1) then
    v_plan := v_granted;
  end if;
  update public.profiles
  set subscription_plan = coalesce(v_plan.slug, 'free'),
    subscription_quota = coalesce(v_plan.quota, subscription_quota),
    stripe_subscription_id = v_subscription.id,
    quota_anchor = v_subscription.started_at,
    plan_ends_at = (
      select min(until) from public.plan_grants
      where user_id = p_user_id and until > p_now and revoked_at is null
    )
  where id = p_user_id
  returning * into v_profile;
  return v_profile;
end
$$;

-- Takes over the plans of plans.yaml: [{slug, quota}], the smallest first. Whoever has the quota that a plan had gets the one
-- that it has now; a quota that was set by hand stays.
create or replace function public.set_plans(p_plans jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
  -- One server after the other.
  perform pg_advisory_xact_lock(7266311217);
  update public.profiles
  set subscription_quota = plan.given -> 'quota'
  from jsonb_array_elements(p_plans) as plan(given)
  join public.plans on plans.slug = plan.given ->> 'slug'
  where plans.quota <> plan.given -> 'quota'
    and profiles.subscription_plan = plans.slug and profiles.subscription_quota = plans.quota;
  -- Who signed up before the first start has the default of the column.
  update public.profiles
  set subscription_quota = plan.given -> 'quota'
  from jsonb_array_elements(p_plans) as plan(given)
  where plan.given ->> 'slug' = 'free' and not exists (select from public.plans)
    and profiles.subscription_plan = 'free' and profiles.subscription_quota = public.free_plan_quota()
    and profiles.subscription_quota <> plan.given -> 'quota';
  insert into public.plans (slug, rank, quota)
  select given ->> 'slug', place - 1, given -> 'quota'
  from jsonb_array_elements(p_plans) with ordinality as plan(given, place)
  on conflict (slug) do update set rank = excluded.rank, quota = excluded.quota
  where (plans.rank, plans.quota) is distinct from (excluded.rank, excluded.quota);
  delete from public.plans where slug not in (select given ->> 'slug' from jsonb_array_elements(p_plans) as plan(given));
end
$$;

-- A new profile gets what the free plan gives now. Definer: Supabase Auth makes profiles, and may not read plans.
create or replace function public.give_free_plan_quota()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  new.subscription_quota := coalesce(
    (select quota from public.plans where slug = 'free'), new.subscription_quota
  );
  return new;
end
$$;

-- Takes over the state of a subscription at Stripe. Returns whether it did: a state that was fetched earlier than the one we
-- have, and one of a customer that is nobody's here, change nothing. `p_subscription`: the columns of `subscriptions`.
create or replace function public.apply_subscription(p_customer_id text, p_subscription jsonb)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_user_id uuid;
  v_given public.subscriptions := jsonb_populate_record(null::public.subscriptions, p_subscription);
begin
  select id into v_user_id from public.profiles where stripe_customer_id = p_customer_id for no key update;
  if not found then
    return false;
  end if;
  v_given.user_id := v_user_id;
  v_given.updated_at := now();
  insert into public.subscriptions select v_given.*
  on conflict (id) do update
  set plan = excluded.plan, billing_interval = excluded.billing_interval, status = excluded.status,
    amount_minor = excluded.amount_minor, currency = excluded.currency, started_at = excluded.started_at,
    current_period_end = excluded.current_period_end, cancel_at = excluded.cancel_at,
    next_plan = excluded.next_plan, next_interval = excluded.next_interval, next_plan_at = excluded.next_plan_at,
    ended_at = excluded.ended_at, end_reason = excluded.end_reason, failed_invoice_id = excluded.failed_invoice_id,
    -- What was paid after all may end once more.
    end_told_at = case when excluded.status in ('unpaid', 'canceled') then subscriptions.end_told_at end,
    fetch_number = excluded.fetch_number, updated_at = excluded.updated_at
  where subscriptions.fetch_number < excluded.fetch_number and subscriptions.user_id = excluded.user_id;
  if not found then
    return false;
  end if;
  perform public.apply_plan(v_user_id);
  return true;
end
$$;

-- Adds the messages of a paid checkout, once for each checkout. Returns whether this call did; the customer must be the
-- member's.
create or replace function public.add_purchase(
  p_user_id uuid,
  p_customer_id text,
  p_checkout_session_id text,
  p_payment_intent_id text,
  p_top_up text,
  p_messages bigint,
  p_amount_minor bigint,
  p_currency text
)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_id uuid;
begin
  perform 1 from public.profiles where id = p_user_id and stripe_customer_id = p_customer_id for no key update;
  if not found then
    return false;
  end if;
  insert into public.purchases (
    user_id, checkout_session_id, payment_intent_id, top_up, messages, amount_minor, currency
  )
  values (
    p_user_id, p_checkout_session_id, p_payment_intent_id, p_top_up, p_messages, p_amount_minor, p_currency
  )
  on conflict do nothing
  returning id into v_id;
  if v_id is null then
    return false;
  end if;
  update public.profiles set message_credits = message_credits + p_messages where id = p_user_id;
  insert into public.usage_entries (user_id, counter, amount, reason, subject_id)
  values (p_user_id, 'credits', p_messages, 'bought', v_id);
  return true;
end
$$;

-- Takes back what is left of messages whose payment was given back: `p_refunded_minor` in all so far, of `p_amount_minor`.
-- What is used by then is written off, once for each refund, so that nothing that is bought later pays for it. Returns how many
-- messages it took.
create or replace function public.take_back_purchase(
  p_payment_intent_id text,
  p_refunded_minor bigint,
  p_amount_minor bigint
)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_purchase public.purchases;
  v_credits bigint;
  v_later bigint;
  v_taken bigint;
begin
  select * into v_purchase from public.purchases where payment_intent_id = p_payment_intent_id;
  if not found or p_amount_minor <= 0 then
    return 0;
  end if;
  select message_credits into v_credits from public.profiles where id = v_purchase.user_id for no key update;
  select * into v_purchase from public.purchases where id = v_purchase.id for no key update;
  if p_refunded_minor <= v_purchase.refunded_minor then
    return 0;
  end if;
  -- The oldest are used first: what is left belongs to the latest purchases.
  select coalesce(sum(messages - taken_back), 0) into v_later
  from public.purchases
  where user_id = v_purchase.user_id and (created_at, id) > (v_purchase.created_at, v_purchase.id);
  v_taken := least(
    floor(v_purchase.messages * least(p_refunded_minor::numeric / p_amount_minor, 1))
      - floor(v_purchase.messages * least(v_purchase.refunded_minor::numeric / p_amount_minor, 1)),
    greatest(v_credits - v_later, 0)
  );
  update public.purchases
  set refunded_minor = p_refunded_minor, taken_back = taken_back + v_taken
  where id = v_purchase.id;
  if v_taken <= 0 then
    return 0;
  end if;
  update public.profiles set message_credits = message_credits - v_taken where id = v_purchase.user_id;
  insert into public.usage_entries (user_id, counter, amount, reason, subject_id)
  values (v_purchase.user_id, 'credits', -v_taken, 'taken_back', v_purchase.id);
  return v_taken;
end
$$;

-- Gives an open account a plan until a time. Returns the grant's id; null where there is no such account.
create or replace function public.grant_plan(
  p_user_id uuid,
  p_plan text,
  p_until timestamptz,
  p_note text,
  p_granted_by uuid
)
returns uuid
language plpgsql
set search_path = ''
as $$
declare
  v_id uuid;
begin
  perform 1 from public.profiles where id = p_user_id and not is_deleted for no key update;
  if not found then
    return null;
  end if;
  insert into public.plan_grants (user_id, plan, until, note, granted_by)
  values (p_user_id, p_plan, p_until, p_note, p_granted_by)
  returning id into v_id;
  perform public.apply_plan(p_user_id);
  return v_id;
end
$$;

-- Ends a grant now. Returns whether there was one that went on.
create or replace function public.revoke_plan_grant(p_grant_id uuid)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_user_id uuid;
begin
  -- The profile first, as everywhere.
  select user_id into v_user_id from public.plan_grants where id = p_grant_id;
  perform 1 from public.profiles where id = v_user_id for no key update;
  update public.plan_grants set revoked_at = now()
  where id = p_grant_id and revoked_at is null and until > now();
  if not found then
    return false;
  end if;
  perform public.apply_plan(v_user_id);
  return true;
end
$$;

-- Ends the grants whose time has come, for members who have not come by themselves. Returns how many it looked at.
create or replace function public.end_plan_grants(p_now timestamptz default now())
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_user_id uuid;
  v_count integer := 0;
begin
  for v_user_id in select id from public.profiles where plan_ends_at <= p_now order by id limit 500 loop
    perform public.apply_plan(v_user_id, p_now);
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;

revoke execute on function public.apply_plan(uuid, timestamptz) from public, anon, authenticated, service_role;
revoke execute on function public.set_plans(jsonb) from public, anon, authenticated, service_role;
revoke execute on function public.give_free_plan_quota() from public, anon, authenticated, service_role;
revoke execute on function public.apply_subscription(text, jsonb) from public, anon, authenticated, service_role;
revoke execute on function public.add_purchase(uuid, text, text, text, text, bigint, bigint, text)
  from public, anon, authenticated, service_role;
revoke execute on function public.take_back_purchase(text, bigint, bigint)
  from public, anon, authenticated, service_role;
revoke execute on function public.grant_plan(uuid, text, timestamptz, text, uuid)
  from public, anon, authenticated, service_role;
revoke execute on function public.revoke_plan_grant(uuid) from public, anon, authenticated, service_role;
revoke execute on function public.end_plan_grants(timestamptz) from public, anon, authenticated, service_role;

create or replace trigger profiles_give_free_plan_quota
  before insert on public.profiles
  for each row
  when (new.subscription_plan = 'free' and new.subscription_quota = public.free_plan_quota())
  execute function public.give_free_plan_quota();
