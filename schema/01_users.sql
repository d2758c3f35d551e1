-- 01 · People: one profile for each Supabase Auth user.
--
-- Needs Supabase's roles and its schema `auth` (the embedded database brings both).
-- Safe to run again.

do $$
begin
  if to_regclass('auth.users') is null then
    raise exception 'auth.users does not exist: run these files in a Supabase project; on any other PostgreSQL set DATABASE_URL and start Touchline, which brings what is missing';
  end if;
end
$$;

-- A counter object holds only `messages`, `files` and `tokens`, whole numbers from 0 on.
-- In a quota a counter may be null: unlimited. An absent counter means 0.
create or replace function public.are_counters(counters jsonb, may_be_unlimited boolean)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
  select coalesce(
    jsonb_typeof(counters) = 'object'
    and counters - array['messages', 'files', 'tokens'] = '{}'::jsonb
    and not exists (
      select 1
      from jsonb_each(counters) as counter
      where not case jsonb_typeof(counter.value)
        when 'null' then may_be_unlimited
        when 'number' then (counter.value #>> '{}')::numeric >= 0
          and (counter.value #>> '{}')::numeric % 1 = 0
        else false
      end
    ),
    false
  )
$$;

-- What a month on the free plan includes.
create or replace function public.free_plan_quota()
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
  select '{"messages": 50, "files": 10, "tokens": 200000}'::jsonb
$$;

create table if not exists public.profiles (
  id uuid not null default gen_random_uuid(),
  auth_id uuid,
  email text,
  user_name text,
  organization_name text,
  avatar_url text,
  stripe_customer_id text,
  stripe_subscription_id text,
  subscription_plan text not null default 'free',
  subscription_quota jsonb not null default public.free_plan_quota(),
  subscription_usage jsonb not null default '{"messages": 0, "files": 0, "tokens": 0}',
  quota_last_reset timestamptz not null default now(),
  is_active boolean not null default true,
  email_confirmed boolean not null default false,
  email_verification_token text,
  is_deleted boolean not null default false,
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint profiles_pkey primary key (id),
  constraint profiles_auth_id_key unique (auth_id),
  constraint profiles_auth_id_fkey foreign key (auth_id) references auth.users (id) on delete set null,
  constraint profiles_email_key unique (email),
  constraint profiles_email_is_lowercase check (email = lower(email)),
  constraint profiles_subscription_quota_is_counters check (public.are_counters(subscription_quota, true)),
  constraint profiles_subscription_usage_is_counters check (public.are_counters(subscription_usage, false)),
  constraint profiles_deletion_agrees check (is_deleted = (deleted_at is not null))
);

-- Grants. A member reads the own profile but for the verification token, and changes three columns of it.
revoke all on public.profiles from anon, authenticated;
grant select (
  id, auth_id, email, user_name, organization_name, avatar_url, stripe_customer_id, stripe_subscription_id,
  subscription_plan, subscription_quota, subscription_usage, quota_last_reset, is_active, email_confirmed,
  is_deleted, deleted_at, created_at, updated_at
) on public.profiles to authenticated;
grant update (user_name, organization_name, avatar_url) on public.profiles to authenticated;
grant select, insert, update, delete on public.profiles to service_role;

alter table public.profiles enable row level security;

drop policy if exists "Members read their own profile" on public.profiles;
create policy "Members read their own profile" on public.profiles
  for select to authenticated
  using (auth_id = (select auth.uid()));

drop policy if exists "Members update their own profile" on public.profiles;
create policy "Members update their own profile" on public.profiles
  for update to authenticated
  using (auth_id = (select auth.uid()) and not is_deleted)
  with check (auth_id = (select auth.uid()) and not is_deleted);

-- Gives a new Auth user a profile. Definer, because Supabase Auth writes as a role that owns nothing here.
-- Never blocks a sign-up: an address that another profile holds is left out, and whatever else goes wrong is
-- a warning; the server makes a missing profile at the first request.
create or replace function public.handle_new_user()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  given_name text := nullif(trim(coalesce(
    new.raw_user_meta_data ->> 'user_name', new.raw_user_meta_data ->> 'full_name', new.raw_user_meta_data ->> 'name'
  )), '');
begin
  begin
    insert into public.profiles (auth_id, email, user_name)
    values (new.id, lower(new.email), given_name)
    on conflict (auth_id) do nothing;
  exception when unique_violation then
    raise warning 'profiles: the address of auth user % belongs to another profile', new.id;
    insert into public.profiles (auth_id, user_name) values (new.id, given_name)
    on conflict (auth_id) do nothing;
  end;
  return new;
exception when others then
  raise warning 'profiles: no profile for auth user % (%)', new.id, sqlstate;
  return new;
end
$$;

-- Follows a change of address at Auth. Definer for the same reason.
create or replace function public.handle_user_email_change()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.profiles set email = lower(new.email) where auth_id = new.id;
  return new;
exception when others then
  raise warning 'profiles: the address of auth user % was not taken over (%)', new.id, sqlstate;
  return new;
end
$$;

-- Closes a profile whose Auth user is gone, and frees its address.
create or replace function public.close_profile_without_user()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.email := null;
  new.is_active := false;
  new.is_deleted := true;
  new.deleted_at := coalesce(old.deleted_at, now());
  new.email_verification_token := null;
  return new;
end
$$;

revoke execute on function public.are_counters(jsonb, boolean) from public, anon, authenticated;
revoke execute on function public.free_plan_quota() from public, anon, authenticated;
revoke execute on function public.handle_new_user() from public, anon, authenticated;
revoke execute on function public.handle_user_email_change() from public, anon, authenticated;
revoke execute on function public.close_profile_without_user() from public, anon, authenticated;
-- A member's update of the own profile checks the row's constraints as that member.
grant execute on function public.are_counters(jsonb, boolean) to authenticated, service_role;
grant execute on function public.free_plan_quota() to service_role;

create or replace trigger on_auth_user_created
  after insert on auth.users
  for each row execute function public.handle_new_user();

create or replace trigger on_auth_user_email_changed
  after update of email on auth.users
  for each row
  when (old.email is distinct from new.email)
  execute function public.handle_user_email_change();

create or replace trigger profiles_close_without_user
  before update of auth_id on public.profiles
  for each row
  when (old.auth_id is not null and new.auth_id is null)
  execute function public.close_profile_without_user();

-- People who signed up before this file was applied.
insert into public.profiles (auth_id, email)
select users.id, lower(users.email)
from auth.users as users
where not exists (select 1 from public.profiles where profiles.auth_id = users.id)
on conflict do nothing;
