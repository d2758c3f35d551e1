-- 14 · Signing in: what stands around Auth. Owned by accounts.
--
-- Where Auth runs in the server's own process, its gate keeps here what Supabase's own Auth keeps for itself: changes of
-- address that wait for both confirmations, sessions that came from a recovery mail, and limits. Tokens lie here as
-- SHA-256 only.
-- Safe to run again.

alter table public.profiles
  add column if not exists language text,
  add column if not exists time_zone text,
  add column if not exists email_verification_sent_at timestamptz;

do $$
begin
  if not exists (
    select from pg_catalog.pg_constraint
    where conrelid = 'public.profiles'::regclass and conname = 'profiles_language_is_a_tag'
  ) then
    alter table public.profiles
      add constraint profiles_language_is_a_tag check (language ~ '^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$' and length(language) <= 35),
      add constraint profiles_time_zone_is_short check (length(time_zone) between 1 and 64);
  end if;
end
$$;

comment on column public.profiles.language is 'As the member chose it, a BCP 47 tag; null: as the browser says.';
comment on column public.profiles.time_zone is 'As the member chose it, a name of the IANA database; null: as the browser says.';
comment on column public.profiles.email_verification_token is 'SHA-256, in hexadecimal, of the last token that was mailed.';
comment on column public.profiles.email_verification_sent_at is 'When that was. Null: nothing was sent to this address yet.';

-- The link of the mail is opened by somebody who may not be signed in.
create index if not exists profiles_email_verification_token_idx on public.profiles (email_verification_token)
  where email_verification_token is not null;

-- A change of address that waits until both mailboxes have confirmed it; one an account, the last one asked for.
create table if not exists public.email_changes (
  user_id uuid not null,
  new_email text not null,
  current_token text not null,
  new_token text not null,
  current_confirmed_at timestamptz,
  new_confirmed_at timestamptz,
  created_at timestamptz not null default now(),
  constraint email_changes_pkey primary key (user_id),
  constraint email_changes_user_id_fkey foreign key (user_id) references public.profiles (id) on delete cascade,
  constraint email_changes_current_token_key unique (current_token),
  constraint email_changes_new_token_key unique (new_token),
  constraint email_changes_new_email_is_lowercase check (new_email = lower(new_email))
);

comment on column public.email_changes.current_token is 'SHA-256, in hexadecimal, of the token mailed to the present address.';
comment on column public.email_changes.new_token is 'The same for the new address.';

-- Whose sessions were all ended, and when: a token made before is refused, though its signature is good.
create table if not exists public.sign_outs (
  auth_id uuid not null,
  signed_out_at timestamptz not null default now(),
  constraint sign_outs_pkey primary key (auth_id)
);

create index if not exists sign_outs_signed_out_at_idx on public.sign_outs (signed_out_at);

-- Sessions that a recovery mail opened: they may set a password without the old one, once and for a while.
create table if not exists public.recovery_sessions (
  session_id uuid not null,
  created_at timestamptz not null default now(),
  constraint recovery_sessions_pkey primary key (session_id)
);

-- What was tried how often: one row for a limit and whom it counts, as a hash. The form is that of rate-limiter-flexible.
create table if not exists public.rate_limits (
  key text not null,
  points integer not null default 0,
  expire bigint,
  constraint rate_limits_pkey primary key (key)
);

comment on column public.rate_limits.expire is 'Milliseconds since 1970 when the count begins anew; null: never.';

create index if not exists rate_limits_expire_idx on public.rate_limits (expire);

-- Grants. The server's alone: row level security is on and there is no policy.
revoke all on public.email_changes, public.sign_outs, public.recovery_sessions, public.rate_limits
  from public, anon, authenticated, service_role;
grant select, insert, update, delete
  on public.email_changes, public.sign_outs, public.recovery_sessions, public.rate_limits
  to service_role;

alter table public.email_changes enable row level security;
alter table public.sign_outs enable row level security;
alter table public.recovery_sessions enable row level security;
alter table public.rate_limits enable row level security;

-- What was sent to the old address says nothing about the new one.
create or replace function public.forget_email_verification()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.email_verification_sent_at := null;
  return new;
end
$$;

revoke execute on function public.forget_email_verification() from public, anon, authenticated;

create or replace trigger profiles_forget_email_verification
  before update of email on public.profiles
  for each row
  when (old.email is distinct from new.email)
  execute function public.forget_email_verification();
