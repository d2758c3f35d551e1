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

create index if not exists file_originals_user_id_idx on public.file_originals (user_id);

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
create or replace function public.delete_unused_original()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  delete from public.file_originals
  where id = old.original_id
    and not exists (select 1 from public.chat_files where original_id = old.original_id);
  return null;
end
$$;

-- Takes in one upload: counts it, and writes the original, its passages ([{ordinal, page, content}]) and the
-- first use of it. `p_pending_until`: its message must come until then; null: it goes into the member's library.
-- Returns the new chat file's row, or none where the plan has no file left.
-- Dropped first: earlier forms returned something else, or took less.
drop function if exists public.add_file(
  uuid, uuid, uuid, text, text, bigint, text, integer, integer, jsonb, timestamptz
);
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
returns setof public.chat_files
language plpgsql
set search_path = ''
as $$
begin
  if not public.reserve_usage(p_user_id, 'files', 1, p_file_id) then
    return;
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
  from jsonb_to_recordset(p_passages) as passage(ordinal integer, page integer, content text);
  return query
  insert into public.chat_files (id, user_id, file_name, file_size, file_type, original_id, pending_until)
  values (p_file_id, p_user_id, p_file_name, p_size_bytes, p_file_type, p_original_id, p_pending_until)
  returning *;
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

-- Deletes a file everywhere: its original with the passages, its uses in the library, and what hangs on them (the triggers
-- of 11 note the bytes and what OpenAI has). Chats keep a note that it was there. `p_file_id`: any use of it.
-- Returns whether there was one. What was counted stays counted: the plan counts what is taken in.
create or replace function public.delete_file(p_user_id uuid, p_file_id uuid)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_file public.chat_files;
begin
  select * into v_file from public.chat_files
  where id = p_file_id and user_id = p_user_id and deleted_at is null;
  if not found then
    return false;
  end if;
  -- Locks in the order of begin_turn: chats, profile. The uses change stores, whose rows come after both.
  perform 1 from public.chat_sessions
  where id in (
    select session_id from public.chat_files where id = p_file_id or original_id = v_file.original_id
  )
  order by id
  for no key update;
  perform 1 from public.profiles where id = p_user_id for no key update;

  update public.chat_files
  set deleted_at = now(), original_id = null, openai_file_id = null, vector_store_id = null
  where user_id = p_user_id and message_id is not null and deleted_at is null
    and (id = p_file_id or original_id = v_file.original_id);
  delete from public.chat_files
  where user_id = p_user_id and message_id is null and deleted_at is null
    and (id = p_file_id or original_id = v_file.original_id);
  delete from public.file_originals where id = v_file.original_id and user_id = p_user_id;
  return true;
end
$$;

-- Gives a file another name wherever it is used. `p_file_id`: any use of it. Returns whether there was one.
create or replace function public.rename_file(p_user_id uuid, p_file_id uuid, p_file_name text)
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  update public.chat_files
  set file_name = p_file_name
  where user_id = p_user_id and deleted_at is null and (
    id = p_file_id
    or original_id = (select original_id from public.chat_files where id = p_file_id and user_id = p_user_id)
  );
  return found;
end
$$;

revoke execute on function public.delete_unused_original() from public, anon, authenticated, service_role;
revoke execute on function public.add_file(
  uuid, uuid, uuid, text, text, bigint, text, integer, integer, jsonb, timestamptz, text, text, integer, integer
) from public, anon, authenticated, service_role;
revoke execute on function public.delete_pending_file(uuid, uuid) from public, anon, authenticated, service_role;
revoke execute on function public.delete_file(uuid, uuid) from public, anon, authenticated, service_role;
revoke execute on function public.rename_file(uuid, uuid, text) from public, anon, authenticated, service_role;

create or replace trigger chat_files_delete_unused_original
  after delete on public.chat_files
  for each row
  when (old.original_id is not null)
  execute function public.delete_unused_original();
