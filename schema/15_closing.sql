-- 15 · Leaving: accounts that are closed, erased and exported. Owned by accounts.
--
-- A closed account can be restored for 30 days. Then its rows go in one transaction, which notes in `erasures` what lies
-- elsewhere; a receipt is mailed when nothing of it is left there.
-- Safe to run again.

alter table public.profiles add column if not exists erase_after timestamptz;

comment on column public.profiles.erase_after is
  'Until then a closed account can be restored. Null: open, or closed before there was this column; that one stays.';

create index if not exists profiles_erase_after_idx on public.profiles (erase_after) where erase_after is not null;

-- What is still to be done elsewhere because an account was closed, such as ending a subscription.
create table if not exists public.account_closings (
  user_id uuid not null,
  closer text not null,
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  constraint account_closings_pkey primary key (user_id, closer),
  constraint account_closings_user_id_fkey foreign key (user_id) references public.profiles (id) on delete cascade,
  constraint account_closings_attempts_is_positive check (attempts >= 0)
);

comment on column public.account_closings.closer is 'The name under which a feature registers what it does.';

create index if not exists account_closings_next_attempt_at_idx on public.account_closings (next_attempt_at);

-- Accounts whose rows are gone. The address stays for the receipt only.
create table if not exists public.account_erasures (
  profile_id uuid not null,
  email text,
  counts jsonb not null,
  closed_at timestamptz not null,
  created_at timestamptz not null default now(),
  erased_at timestamptz,
  receipt_due_at timestamptz not null default now(),
  constraint account_erasures_pkey primary key (profile_id)
);

comment on column public.account_erasures.email is 'Null: none was known, or the receipt is sent.';
comment on column public.account_erasures.counts is 'What there was, as numbers: see server/accounts/closing-queries.ts.';
comment on column public.account_erasures.erased_at is 'When nothing of it was left in `erasures`; null: something is.';

create index if not exists account_erasures_unsent_idx on public.account_erasures (created_at) where email is not null;

-- Copies that members asked for of what is held of them: one ZIP each, in our storage.
create table if not exists public.account_exports (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  status text not null default 'queued',
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  parts_done integer not null default 0,
  parts_total integer not null default 0,
  storage_key text,
  size_bytes bigint,
  mail_due_at timestamptz,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '168 hours',
  constraint account_exports_pkey primary key (id),
  constraint account_exports_user_id_fkey foreign key (user_id) references public.profiles (id) on delete cascade,
  constraint account_exports_status_is_known check (status in ('queued', 'running', 'ready', 'failed')),
  constraint account_exports_size_bytes_agrees check ((status = 'ready') = (size_bytes is not null)),
  constraint account_exports_storage_key_agrees check (status in ('queued', 'failed') or storage_key is not null),
  constraint account_exports_numbers_are_positive check (attempts >= 0 and parts_done >= 0 and parts_total >= 0)
);

comment on column public.account_exports.next_attempt_at is
  'Queued: when it is made. Running: when another server takes it for left and makes it anew.';
comment on column public.account_exports.storage_key is 'Where this attempt lies; null: there was none yet.';
comment on column public.account_exports.mail_due_at is 'When the mail that it is ready is sent; null: it was, or is not to be.';

create index if not exists account_exports_user_id_created_at_idx on public.account_exports (user_id, created_at desc);
create index if not exists account_exports_expires_at_idx on public.account_exports (expires_at);
create unique index if not exists account_exports_one_unfinished_idx
  on public.account_exports (user_id) where status in ('queued', 'running');

-- Grants. The server's alone: row level security is on and there is no policy.
revoke all on public.account_closings, public.account_erasures, public.account_exports
  from public, anon, authenticated, service_role;
grant select, insert, update, delete
  on public.account_closings, public.account_erasures, public.account_exports
  to service_role;

alter table public.account_closings enable row level security;
alter table public.account_erasures enable row level security;
alter table public.account_exports enable row level security;

-- Whoever closes an account (the server, or an operator in SQL): it is kept for 30 days, of 24 hours each wherever a
-- session's time zone lies. One that was closed before there was this file is not erased by surprise.
create or replace function public.set_erase_after()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.erase_after := case
    when new.is_deleted and (not old.is_deleted or old.erase_after is not null)
      then new.deleted_at + interval '720 hours'
  end;
  return new;
end
$$;

-- What of a deleted profile lies elsewhere and hangs on no row of its own: its folder in our storage, and Stripe's customer.
create or replace function public.note_deleted_profile_erasures()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform public.note_erasure('stored_folder', old.id::text, old.id);
  perform public.note_erasure('stripe_customer', old.stripe_customer_id, old.id);
  return null;
end
$$;

-- Each attempt has a key of its own: the one before may still be written by a server that was taken for dead.
create or replace function public.note_export_erasure()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if tg_op = 'DELETE' or new.storage_key is distinct from old.storage_key then
    perform public.note_erasure('stored_file', old.storage_key, old.user_id);
  end if;
  return null;
end
$$;

-- Ends all sessions of a person at Auth; tokens made before are refused from now on.
create or replace function public.end_auth_sessions(p_auth_id uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
  delete from auth.sessions where user_id = p_auth_id;
  insert into public.sign_outs (auth_id, signed_out_at) values (p_auth_id, clock_timestamp())
  on conflict (auth_id) do update set signed_out_at = excluded.signed_out_at;
end
$$;

-- Closes an account at once: running replies are asked to stop, unfinished exports are dropped, all sessions end.
--
-- `p_confirmation`: the account's address as its owner typed it. `p_closers`: what is to be done elsewhere.
-- Returns {outcome: 'closed', deleted_at, erase_after}, or {outcome} where nothing was changed: no_profile, not_confirmed.
-- One that is closed already stays as it is, and is `closed` too.
create or replace function public.close_account(p_auth_id uuid, p_confirmation text, p_closers text[])
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_profile public.profiles;
begin
  -- Locks in the order of begin_turn: profile, turn. A turn that began before has been written then.
  select * into v_profile from public.profiles where auth_id = p_auth_id for no key update;
  if not found then
    return jsonb_build_object('outcome', 'no_profile');
  end if;
  -- An address that another profile holds stands at Auth alone.
  if lower(btrim(p_confirmation)) is distinct from coalesce(
    v_profile.email, (select lower(email) from auth.users where id = p_auth_id), v_profile.id::text
  ) then
    return jsonb_build_object('outcome', 'not_confirmed');
  end if;
  if not v_profile.is_deleted then
    update public.profiles set is_deleted = true, deleted_at = now() where id = v_profile.id
    returning * into v_profile;
    update public.turns set stop_requested_at = coalesce(stop_requested_at, now())
    where user_id = v_profile.id and finished_at is null;
    delete from public.account_exports where user_id = v_profile.id and status in ('queued', 'running');
    insert into public.account_closings (user_id, closer)
    select v_profile.id, unnest(p_closers)
    on conflict (user_id, closer) do nothing;
    perform public.end_auth_sessions(p_auth_id);
  end if;
  return jsonb_build_object(
    'outcome', 'closed', 'deleted_at', v_profile.deleted_at, 'erase_after', v_profile.erase_after
  );
end
$$;

-- Deletes a user of Auth with everything that hangs on it; a user who is gone already is fine. Refresh tokens, sign-ins that
-- are under way and the log of sign-ins, which quotes the address, have no foreign key to the user.
create or replace function public.delete_auth_user(p_auth_id uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
  delete from public.recovery_sessions where session_id in (select id from auth.sessions where user_id = p_auth_id);
  delete from public.sign_outs where auth_id = p_auth_id;
  if to_regclass('auth.refresh_tokens') is not null then
    delete from auth.refresh_tokens where user_id::text = p_auth_id::text;
  end if;
  if to_regclass('auth.flow_state') is not null then
    delete from auth.flow_state where user_id = p_auth_id;
  end if;
  if to_regclass('auth.audit_log_entries') is not null then
    delete from auth.audit_log_entries where strpos(payload::text, p_auth_id::text) > 0;
  end if;
  delete from auth.users where id = p_auth_id;
end
$$;

-- Erases an account whose time is over: its rows and its user at Auth, altogether or not at all. What lies elsewhere is
-- noted in `erasures`. Returns false where there is nothing to erase: it was restored, or is erased.
create or replace function public.erase_account(p_profile_id uuid)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_profile public.profiles;
  v_email text;
  v_counts jsonb;
begin
  -- Locks in the order of begin_turn: chat, profile.
  perform 1 from public.chat_sessions where user_id = p_profile_id order by id for update;
  select * into v_profile from public.profiles where id = p_profile_id for update;
  if not found or v_profile.erase_after is null or v_profile.erase_after > now() then
    return false;
  end if;

  v_email := coalesce(v_profile.email, (select lower(email) from auth.users where id = v_profile.auth_id));
  v_counts := jsonb_build_object(
    'chats', (select count(*) from public.chat_sessions where user_id = v_profile.id),
    'messages', (
      select count(*) from public.chat_messages join public.chat_sessions on chat_sessions.id = session_id
      where user_id = v_profile.id
    ),
    'files', (select count(*) from public.file_originals where user_id = v_profile.id),
    'file_bytes', (select coalesce(sum(size_bytes), 0) from public.file_originals where user_id = v_profile.id),
    'exports', (select count(*) from public.account_exports where user_id = v_profile.id and status = 'ready'),
    'avatars', case when v_profile.avatar_url is null then 0 else 1 end,
    'sign_ins', case when v_profile.auth_id is null then 0 else 1 end
  );
  delete from public.profiles where id = v_profile.id;
  -- With what was deleted before and is not erased elsewhere yet.
  v_counts := v_counts || (
    select coalesce(jsonb_object_agg(kind, noted), '{}')
    from (
      select kind, count(*) as noted from public.erasures
      where user_id = v_profile.id and kind like any (array['openai\_%', 'stripe\_%'])
      group by kind
    ) as upstream
  );
  insert into public.account_erasures (profile_id, email, counts, closed_at)
  values (v_profile.id, v_email, v_counts, v_profile.deleted_at);

  if v_profile.auth_id is not null then
    begin
      perform public.delete_auth_user(v_profile.auth_id);
    exception when others then
      -- A table of the operator's own may hold the user. All else is erased now, and the user when that is settled.
      raise warning 'profiles: auth user % could not be deleted yet (%)', v_profile.auth_id, sqlstate;
      perform public.note_erasure('auth_user', v_profile.auth_id::text, v_profile.id);
    end;
  end if;
  return true;
end
$$;

revoke execute on function public.set_erase_after() from public, anon, authenticated, service_role;
revoke execute on function public.note_deleted_profile_erasures() from public, anon, authenticated, service_role;
revoke execute on function public.note_export_erasure() from public, anon, authenticated, service_role;
revoke execute on function public.end_auth_sessions(uuid) from public, anon, authenticated, service_role;
revoke execute on function public.close_account(uuid, text, text[]) from public, anon, authenticated, service_role;
revoke execute on function public.delete_auth_user(uuid) from public, anon, authenticated, service_role;
revoke execute on function public.erase_account(uuid) from public, anon, authenticated, service_role;

-- Without columns: 01 closes a profile within an update of another one.
create or replace trigger profiles_set_erase_after
  before update on public.profiles
  for each row
  when (new.is_deleted is distinct from old.is_deleted or new.deleted_at is distinct from old.deleted_at)
  execute function public.set_erase_after();

create or replace trigger profiles_note_deleted_erasures
  after delete on public.profiles
  for each row execute function public.note_deleted_profile_erasures();

create or replace trigger account_exports_note_erasure
  after delete or update of storage_key on public.account_exports
  for each row execute function public.note_export_erasure();
