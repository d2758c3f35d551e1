-- 11 · Erasures: what disappears here disappears upstream.
--
-- Whoever deletes a row (the server, a member over the Data API, an operator in the Supabase dashboard), a trigger
-- notes the upstream ids and the storage keys here, in the same transaction; a job erases them until they are gone.
-- Safe to run again.

create table if not exists public.erasures (
  id bigint generated always as identity,
  kind text not null,
  external_id text not null,
  user_id uuid,
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  constraint erasures_pkey primary key (id),
  constraint erasures_kind_external_id_key unique (kind, external_id),
  constraint erasures_kind_is_known check (
    kind in (
      'openai_conversation', 'openai_file', 'openai_store_file', 'openai_vector_store', 'stored_file', 'stored_folder',
      'stripe_customer', 'auth_user', 'profile'
    )
  ),
  constraint erasures_attempts_is_positive check (attempts >= 0)
);

-- An earlier form knew fewer kinds, and not whose a thing was.
alter table public.erasures add column if not exists user_id uuid;

do $$
begin
  if exists (
    select from pg_catalog.pg_constraint
    where conrelid = 'public.erasures'::regclass and conname = 'erasures_kind_is_known'
      and pg_catalog.pg_get_constraintdef(oid) not like '%openai_store_file%'
  ) then
    alter table public.erasures
      drop constraint erasures_kind_is_known,
      add constraint erasures_kind_is_known check (
        kind in (
          'openai_conversation', 'openai_file', 'openai_store_file', 'openai_vector_store', 'stored_file',
          'stored_folder', 'stripe_customer', 'auth_user', 'profile'
        )
      );
  end if;
end
$$;

comment on column public.erasures.external_id is
  'The id at OpenAI (of a file in a store: the store''s, a slash, the file''s), at Stripe or at Auth, the storage key or folder, or the profile''s id.';
comment on column public.erasures.user_id is
  'The profile that it belonged to, which may be gone: an account is erased when nothing of it is left here.';

create index if not exists erasures_user_id_idx on public.erasures (user_id);
create index if not exists erasures_next_attempt_at_idx on public.erasures (next_attempt_at);

-- Grants. The server's alone: row level security is on and there is no policy.
revoke all on public.erasures from anon, authenticated, service_role;
revoke all on sequence public.erasures_id_seq from anon, authenticated, service_role;
grant select, insert, update, delete on public.erasures to service_role;

alter table public.erasures enable row level security;

-- Definer: a member who deletes a chat may not write here. Not callable by anybody but the trigger functions below.
-- `p_user_id`: the profile that it belonged to.
drop function if exists public.note_erasure(text, text);
create or replace function public.note_erasure(p_kind text, p_external_id text, p_user_id uuid)
returns void
language sql
security definer
set search_path = ''
as $$
  insert into public.erasures (kind, external_id, user_id)
  select p_kind, p_external_id, p_user_id
  where p_external_id is not null
  on conflict (kind, external_id) do nothing
$$;

-- `thread_…` ids belong to an API that is gone: there is nothing to erase behind them.
create or replace function public.note_conversation_erasure()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if old.thread_id like 'conv\_%' and (tg_op = 'DELETE' or new.thread_id is distinct from old.thread_id) then
    perform public.note_erasure('openai_conversation', old.thread_id, old.user_id);
  end if;
  return null;
end
$$;

-- The uses of one file share what OpenAI has of it: the last one takes it along.
create or replace function public.note_openai_file_erasure()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if new.openai_file_id is distinct from old.openai_file_id
    and not exists (select 1 from public.chat_files where openai_file_id = old.openai_file_id) then
    perform public.note_erasure('openai_file', old.openai_file_id, old.user_id);
  end if;
  return null;
end
$$;

-- By its name it comes after the trigger of 09, which has locked the originals: of two that delete the last two uses, one sees
-- that it is the last.
create or replace function public.note_deleted_openai_files()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform public.note_erasure('openai_file', openai_file_id, user_id)
  from gone
  where openai_file_id is not null
    and not exists (select 1 from public.chat_files as kept where kept.openai_file_id = gone.openai_file_id);
  return null;
end
$$;

-- `new_…` stands for a store that is still to be made (16).
create or replace function public.note_vector_store_erasure()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if old.store_id not like 'new\_%' and (tg_op = 'DELETE' or new.store_id is distinct from old.store_id) then
    perform public.note_erasure('openai_vector_store', old.store_id, old.user_id);
  end if;
  return null;
end
$$;

create or replace function public.note_stored_file_erasure()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform public.note_erasure('stored_file', old.storage_key, old.user_id);
  return null;
end
$$;

-- A profile whose Auth user is gone (01 closes it) is erased with everything that hangs on it.
create or replace function public.note_profile_erasure()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform public.note_erasure('profile', new.id::text, new.id);
  return null;
end
$$;

revoke execute on function public.note_erasure(text, text, uuid) from public, anon, authenticated, service_role;
revoke execute on function public.note_conversation_erasure() from public, anon, authenticated, service_role;
revoke execute on function public.note_openai_file_erasure() from public, anon, authenticated, service_role;
revoke execute on function public.note_deleted_openai_files() from public, anon, authenticated, service_role;
revoke execute on function public.note_vector_store_erasure() from public, anon, authenticated, service_role;
revoke execute on function public.note_stored_file_erasure() from public, anon, authenticated, service_role;
revoke execute on function public.note_profile_erasure() from public, anon, authenticated, service_role;

create or replace trigger chat_sessions_note_erasure
  after delete or update of thread_id on public.chat_sessions
  for each row execute function public.note_conversation_erasure();

create or replace trigger chat_files_note_erasure
  after update of openai_file_id on public.chat_files
  for each row execute function public.note_openai_file_erasure();

create or replace trigger chat_files_note_openai_files
  after delete on public.chat_files
  referencing old table as gone
  for each statement execute function public.note_deleted_openai_files();

create or replace trigger vector_stores_note_erasure
  after delete or update of store_id on public.vector_stores
  for each row execute function public.note_vector_store_erasure();

create or replace trigger file_originals_note_erasure
  after delete on public.file_originals
  for each row execute function public.note_stored_file_erasure();

create or replace trigger profiles_note_erasure
  after update of auth_id on public.profiles
  for each row
  when (old.auth_id is not null and new.auth_id is null)
  execute function public.note_profile_erasure();
