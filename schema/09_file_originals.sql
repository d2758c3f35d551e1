-- 09 · Originals: each file once, with its text. Owned by files; `chat_files` are its uses.
--
-- The bytes lie in our storage under `storage_key`; the text lies here in passages, which is what the search,
-- the citations and OpenAI's stores are made from. An image has no text: the model is shown it.
--
-- A use in a chat has `session_id` and `message_id`; one in the member's library has neither, and no `pending_until`; an
-- upload whose message was not sent yet has `pending_until`. A file that its member deleted leaves its uses in chats as a
-- note: `deleted_at` is set and `original_id` null.
-- Safe to run again.

create table if not exists public.file_originals (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  storage_key text not null,
  size_bytes bigint not null,
  file_type text not null,
  page_count integer,
  word_count integer not null,
  created_at timestamptz not null default now(),
  constraint file_originals_pkey primary key (id),
  constraint file_originals_user_id_fkey foreign key (user_id) references public.profiles (id) on delete cascade,
  constraint file_originals_storage_key_key unique (storage_key),
  constraint file_originals_size_bytes_is_positive check (size_bytes > 0)
);

-- `language`: a text search configuration of PostgreSQL's, such as 'german'; 'simple' where none fits.
alter table public.file_originals
  add column if not exists kind text not null default 'document'
    constraint file_originals_kind_is_known check (kind in ('document', 'image')),
  add column if not exists language text not null default 'english'
    constraint file_originals_language_is_a_name check (language ~ '^[a-z]+$'),
  add column if not exists width integer constraint file_originals_width_is_positive check (width > 0),
  add column if not exists height integer constraint file_originals_height_is_positive check (height > 0);

comment on column public.file_originals.page_count is 'Null where the type has no pages.';
comment on column public.file_originals.language is 'The text search configuration that its passages are searched with.';
comment on column public.file_originals.width is 'In pixels, as is the height; null for a document.';

-- A member's files, the latest first, and what they weigh together.
create index if not exists file_originals_user_id_created_at_idx
  on public.file_originals (user_id, created_at, id) include (size_bytes);
drop index if exists public.file_originals_user_id_idx;

create table if not exists public.file_passages (
  id uuid not null default public.uuid_v7(),
  original_id uuid not null,
  ordinal integer not null,
  page integer,
  content text not null,
  -- The original's language finds word forms; simple finds every language's words as they stand.
  search tsvector not null,
  constraint file_passages_pkey primary key (id),
  constraint file_passages_original_id_fkey foreign key (original_id)
    references public.file_originals (id) on delete cascade,
  constraint file_passages_original_id_ordinal_key unique (original_id, ordinal),
  constraint file_passages_ordinal_is_positive check (ordinal >= 0),
  constraint file_passages_page_is_positive check (page > 0)
);

-- An earlier form made random ids, and generated the vector, in English.
alter table public.file_passages
  alter column id set default public.uuid_v7(),
  alter column search drop expression if exists;

comment on column public.file_passages.page is 'Counts from 1; null where the type has no pages.';

-- `pending_until`: an upload whose message was not sent yet; a job deletes it after that time.
alter table public.chat_files add column if not exists original_id uuid;
alter table public.chat_files add column if not exists pending_until timestamptz;
alter table public.chat_files add column if not exists deleted_at timestamptz constraint chat_files_deleted_at_agrees
  check (deleted_at is null or (original_id is null and openai_file_id is null and vector_store_id is null));

comment on column public.chat_files.deleted_at is 'When its member deleted the file; the row says that it was there.';

do $$
begin
  if not exists (
    select 1 from pg_catalog.pg_constraint
    where conname = 'chat_files_original_id_fkey' and conrelid = 'public.chat_files'::regclass
  ) then
    alter table public.chat_files
      add constraint chat_files_original_id_fkey foreign key (original_id)
      references public.file_originals (id) on delete set null;
  end if;
end
$$;

create index if not exists chat_files_original_id_idx on public.chat_files (original_id);
create index if not exists chat_files_pending_until_idx
  on public.chat_files (pending_until) where pending_until is not null;

-- Grants. Members read the own rows (not where the bytes lie); the server writes.
revoke all on public.file_originals, public.file_passages from anon, authenticated, service_role;
grant select (id, user_id, size_bytes, file_type, page_count, word_count, created_at, kind, language, width, height)
  on public.file_originals to authenticated;
grant select (id, original_id, ordinal, page, content) on public.file_passages to authenticated;
grant select, insert, update, delete on public.file_originals, public.file_passages to service_role;

alter table public.file_originals enable row level security;
alter table public.file_passages enable row level security;

drop policy if exists "Members read their own originals" on public.file_originals;
create policy "Members read their own originals" on public.file_originals
  for select to authenticated
  using (user_id in (select id from public.profiles where auth_id = (select auth.uid()) and not is_deleted));

-- The sub-select passes through the policy of file_originals.
drop policy if exists "Members read the text of their own files" on public.file_passages;
create policy "Members read the text of their own files" on public.file_passages
  for select to authenticated
  using (exists (select 1 from public.file_originals where file_originals.id = file_passages.original_id));

-- The last use takes the original with it. Definer: a member who deletes a chat may not delete originals.
create or replace function public.delete_unused_originals()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_ids uuid[] := array(select distinct original_id from gone where original_id is not null);
begin
  if cardinality(v_ids) = 0 then
    return null;
  end if;
  -- Locked before it is looked: of two chats that are deleted at the same moment each would see the other's use.
  perform 1 from public.file_originals where id = any (v_ids) order by id for update;
  delete from public.file_originals
  where id = any (v_ids) and not exists (select from public.chat_files where original_id = file_originals.id);
  return null;
end
$$;

-- What a member holds: {used_bytes, limit_bytes}, the bytes of all originals, also of those whose message was not sent yet,
-- and what the plan gives room for; null: unlimited. A megabyte has 1,000,000 bytes.
create or replace function public.storage_of(p_user_id uuid)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    select jsonb_build_object(
      'used_bytes', (select coalesce(sum(size_bytes), 0) from public.file_originals where user_id = p_user_id),
      'limit_bytes', (subscription_quota ->> 'storage_mb')::bigint * 1000000
    )
    from public.profiles
    where id = p_user_id
  );
end
$$;

-- Takes in one upload: counts it, and writes the original, its passages ([{ordinal, page, content}]) and the
-- first use of it. `p_pending_until`: its message must come until then; null: it goes into the member's library.
-- Returns {outcome, created_at}: `added`, or what the plan has not enough of: `files` or `storage`; nothing is written then.
-- Dropped first: earlier forms returned something else, or took less.
drop function if exists public.add_file(
  uuid, uuid, uuid, text, text, bigint, text, integer, integer, jsonb, timestamptz
);
do $$
begin
  if exists (select from pg_catalog.pg_proc where proname = 'add_file' and pronamespace = 'public'::regnamespace and proretset) then
    drop function public.add_file(
      uuid, uuid, uuid, text, text, bigint, text, integer, integer, jsonb, timestamptz, text, text, integer, integer
    );
  end if;
end
$$;
create or replace function public.add_file(
  p_user_id uuid,
  p_file_id uuid,
  p_original_id uuid,
  p_file_name text,
  p_file_type text,
  p_size_bytes bigint,
  p_storage_key text,
  p_page_count integer,
  p_word_count integer,
  p_passages jsonb,
  p_pending_until timestamptz,
  p_kind text default 'document',
  p_language text default 'english',
  p_width integer default null,
  p_height integer default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_plan_ends_at timestamptz;
  v_storage jsonb;
  v_created_at timestamptz;
begin
  -- The lock makes it exact however many files come at once.
  select plan_ends_at into v_plan_ends_at from public.profiles where id = p_user_id for no key update;
  if v_plan_ends_at <= now() then
    perform public.apply_plan(p_user_id);
  end if;
  v_storage := public.storage_of(p_user_id);
  if (v_storage ->> 'used_bytes')::bigint + p_size_bytes > (v_storage ->> 'limit_bytes')::bigint then
    return jsonb_build_object('outcome', 'storage');
  end if;
  if not public.reserve_usage(p_user_id, 'files', 1, p_file_id) then
    return jsonb_build_object('outcome', 'files');
  end if;
  insert into public.file_originals (
    id, user_id, storage_key, size_bytes, file_type, page_count, word_count, kind, language, width, height
  )
  values (
    p_original_id, p_user_id, p_storage_key, p_size_bytes, p_file_type, p_page_count, p_word_count, p_kind, p_language,
    p_width, p_height
  );
  insert into public.file_passages (original_id, ordinal, page, content, search)
  select p_original_id, passage.ordinal, passage.page, passage.content,
    to_tsvector(('pg_catalog.' || p_language)::regconfig, passage.content)
      || to_tsvector('pg_catalog.simple'::regconfig, passage.content)
      -- Of languages without spaces between words, which the parser does not take apart.
      || array_to_tsvector(coalesce(passage.words, '{}'))
  from jsonb_to_recordset(p_passages) as passage(ordinal integer, page integer, content text, words text[]);
  insert into public.chat_files (id, user_id, file_name, file_size, file_type, original_id, pending_until)
  values (p_file_id, p_user_id, p_file_name, p_size_bytes, p_file_type, p_original_id, p_pending_until)
  returning created_at into v_created_at;
  return jsonb_build_object('outcome', 'added', 'created_at', v_created_at);
end
$$;

-- Takes back an upload whose message was not sent, and gives back what it counted. Returns whether there was one.
create or replace function public.delete_pending_file(p_user_id uuid, p_file_id uuid)
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  -- The profile first, as begin_turn locks them.
  perform 1 from public.profiles where id = p_user_id for no key update;
  delete from public.chat_files
  where id = p_file_id and user_id = p_user_id and message_id is null and pending_until is not null;
  if not found then
    return false;
  end if;
  perform public.settle_usage(p_user_id, 0, 1, 0, p_subject_id => p_file_id);
  return true;
end
$$;

-- Locks what changing a file in all its places needs, in the order of begin_turn: its chats, then the profile. No message
-- takes it until the transaction ends. Returns whether the member has such a file; one of a message that was not sent yet
-- is none.
create or replace function public.lock_file(p_user_id uuid, p_original_id uuid)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_chats uuid[];
begin
  loop
    begin
      v_chats := array(
        select session_id from public.chat_files
        where original_id = p_original_id and user_id = p_user_id and session_id is not null
      );
      perform 1 from public.chat_sessions
      where id = any (v_chats) and user_id = p_user_id
      order by id
      for no key update;
      perform 1 from public.profiles where id = p_user_id for no key update;
      exit when not exists (
        select from public.chat_files
        where original_id = p_original_id and user_id = p_user_id and session_id is not null
          and session_id <> all (v_chats)
      );
      -- A message has taken it into another chat meanwhile, whose lock comes first: these are let go.
      raise exception using errcode = 'TL001';
    exception when sqlstate 'TL001' then
      null;
    end;
  end loop;
  return exists (
    select from public.chat_files
    where original_id = p_original_id and user_id = p_user_id and pending_until is null
  );
end
$$;

-- Deletes a file everywhere: its original with the passages, its uses in the library, and what hangs on them (the triggers
-- of 11 note the bytes and what OpenAI has). Chats keep a note that it was there; their conversations at OpenAI, which
-- hold pictures and what was searched, are made anew.
-- Returns whether there was one. What was counted stays counted: the plan counts what is taken in.
-- Dropped first, as the next one: an earlier form took a use's id.
drop function if exists public.delete_file(uuid, uuid);
create or replace function public.delete_file(p_user_id uuid, p_original_id uuid)
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  if not public.lock_file(p_user_id, p_original_id) then
    return false;
  end if;
  perform public.forget_conversations(array(
    select session_id from public.chat_files
    where original_id = p_original_id and user_id = p_user_id and session_id is not null
  ));
  update public.chat_files
  set deleted_at = now(), original_id = null, openai_file_id = null, vector_store_id = null, index_error = null
  where original_id = p_original_id and user_id = p_user_id and message_id is not null;
  delete from public.chat_files where original_id = p_original_id and user_id = p_user_id;
  delete from public.file_originals where id = p_original_id and user_id = p_user_id;
  return true;
end
$$;

-- Gives a file another name wherever it is used. Returns whether there was one. What OpenAI holds keeps the name that it was
-- uploaded under: citations show ours.
drop function if exists public.rename_file(uuid, uuid, text);
create or replace function public.rename_file(p_user_id uuid, p_original_id uuid, p_file_name text)
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  if not public.lock_file(p_user_id, p_original_id) then
    return false;
  end if;
  update public.chat_files
  set file_name = p_file_name
  where original_id = p_original_id and user_id = p_user_id;
  return true;
end
$$;

-- Keeps a chat's file in the member's library too, or takes it out of it again. Returns `done`, also where nothing had to
-- be done; `missing`: there is no such file; `only_here`: no chat has it, so that it would be gone.
create or replace function public.keep_file(p_user_id uuid, p_original_id uuid, p_is_kept boolean)
returns text
language plpgsql
set search_path = ''
as $$
declare
  v_use public.chat_files;
begin
  if not public.lock_file(p_user_id, p_original_id) then
    return 'missing';
  end if;
  select * into v_use from public.chat_files
  where original_id = p_original_id and user_id = p_user_id and session_id is null;
  if (v_use.id is not null) = p_is_kept then
    return 'done';
  end if;
  if p_is_kept then
    -- What OpenAI has of the file is shared.
    insert into public.chat_files (user_id, file_name, file_size, file_type, openai_file_id, original_id)
    select user_id, file_name, file_size, file_type, openai_file_id, original_id
    from public.chat_files
    where original_id = p_original_id and user_id = p_user_id
    order by openai_file_id is null, created_at desc
    limit 1;
    return 'done';
  end if;
  if not exists (
    select from public.chat_files
    where original_id = p_original_id and user_id = p_user_id and session_id is not null
  ) then
    return 'only_here';
  end if;
  -- The file at OpenAI is the chats' too and stays; the library's store must not have it any more. Whoever is filling that
  -- store may put it there yet.
  insert into public.erasures (kind, external_id, user_id, next_attempt_at)
  select 'openai_store_file', store_id || '/' || v_use.openai_file_id, p_user_id,
    now() + case when rebuild_token is null then interval '0' else interval '5 minutes' end
  from public.vector_stores
  where user_id = p_user_id and is_library and store_id not like 'new\_%' and v_use.openai_file_id is not null
  on conflict (kind, external_id) do nothing;
  delete from public.chat_files where original_id = p_original_id and user_id = p_user_id and session_id is null;
  return 'done';
end
$$;

revoke execute on function public.delete_unused_originals() from public, anon, authenticated, service_role;
revoke execute on function public.storage_of(uuid) from public, anon, authenticated, service_role;
revoke execute on function public.lock_file(uuid, uuid) from public, anon, authenticated, service_role;
revoke execute on function public.keep_file(uuid, uuid, boolean) from public, anon, authenticated, service_role;
revoke execute on function public.add_file(
  uuid, uuid, uuid, text, text, bigint, text, integer, integer, jsonb, timestamptz, text, text, integer, integer
) from public, anon, authenticated, service_role;
revoke execute on function public.delete_pending_file(uuid, uuid) from public, anon, authenticated, service_role;
revoke execute on function public.delete_file(uuid, uuid) from public, anon, authenticated, service_role;
revoke execute on function public.rename_file(uuid, uuid, text) from public, anon, authenticated, service_role;

drop trigger if exists chat_files_delete_unused_original on public.chat_files;
drop function if exists public.delete_unused_original();
create or replace trigger chat_files_delete_unused_originals
  after delete on public.chat_files
  referencing old table as gone
  for each statement execute function public.delete_unused_originals();
