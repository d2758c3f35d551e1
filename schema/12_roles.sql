-- 12 · Roles: who runs the site. Owned by accounts.
--
-- Whoever has no row is a member. The server reads this table at each request and believes no token about it, so that a
-- role that is taken away is gone at the next request. A closed account has none.
-- Safe to run again.

create table if not exists public.user_roles (
  user_id uuid not null,
  role text not null,
  granted_at timestamptz not null default now(),
  granted_by uuid,
  constraint user_roles_pkey primary key (user_id),
  constraint user_roles_user_id_fkey foreign key (user_id) references public.profiles (id) on delete cascade,
  constraint user_roles_granted_by_fkey foreign key (granted_by) references public.profiles (id) on delete set null,
  constraint user_roles_role_is_known check (role in ('member', 'operator'))
);

comment on column public.user_roles.role is 'member: was an operator before.';
comment on column public.user_roles.granted_by is 'The operator who did it; null: a command or a setting, or that operator is gone.';

create index if not exists user_roles_granted_by_idx on public.user_roles (granted_by);

-- Grants. Members read that they have a role, not from whom; the server writes.
revoke all on public.user_roles from public, anon, authenticated, service_role;
grant select (user_id, role, granted_at) on public.user_roles to authenticated;
grant select, insert, update, delete on public.user_roles to service_role;

alter table public.user_roles enable row level security;

drop policy if exists "Members read their own role" on public.user_roles;
create policy "Members read their own role" on public.user_roles
  for select to authenticated
  using (user_id in (select id from public.profiles where auth_id = (select auth.uid()) and not is_deleted));

-- The profile's lock keeps it from being closed in between.
create or replace function public.check_role_of_open_account()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform 1 from public.profiles where id = new.user_id and not is_deleted for share;
  if not found and new.role = 'operator' then
    raise exception 'user_roles: the account is closed'
      using errcode = 'check_violation', constraint = 'user_roles_account_is_open';
  end if;
  return new;
end
$$;

-- Whoever closes an account (the server, or an operator in a dashboard who deletes the Auth user): opened again, it is a
-- member's.
create or replace function public.delete_role_of_closed_account()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  delete from public.user_roles where user_id = new.id;
  return null;
end
$$;

-- Makes the open account with this address (in small letters) the first operator. Only while there is none, and only
-- where the account has no row yet: one whose role was taken away does not get it back so. `p_even_unconfirmed`: the
-- address need not have been confirmed. Returns the profile's id, or null where nothing was done.
create or replace function public.grant_first_operator(p_email text, p_even_unconfirmed boolean)
returns uuid
language plpgsql
set search_path = ''
as $$
declare
  v_user_id uuid;
begin
  -- One after the other, however many servers ask at once; the statement below sees what the one before has done.
  perform pg_advisory_xact_lock(7266311212);
  insert into public.user_roles (user_id, role)
  select id, 'operator'
  from public.profiles
  where email = p_email
    and not is_deleted
    and (email_confirmed or p_even_unconfirmed)
    and not exists (select 1 from public.user_roles where role = 'operator')
  for share of profiles
  on conflict (user_id) do nothing
  returning user_id into v_user_id;
  return v_user_id;
end
$$;

revoke execute on function public.check_role_of_open_account() from public, anon, authenticated, service_role;
revoke execute on function public.delete_role_of_closed_account() from public, anon, authenticated, service_role;
revoke execute on function public.grant_first_operator(text, boolean) from public, anon, authenticated, service_role;

create or replace trigger user_roles_check_open_account
  before insert or update of user_id, role on public.user_roles
  for each row execute function public.check_role_of_open_account();

create or replace trigger profiles_delete_role
  after update on public.profiles
  for each row
  when (new.is_deleted and not old.is_deleted)
  execute function public.delete_role_of_closed_account();
