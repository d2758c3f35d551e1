-- 16 · Knowledge: how OpenAI's stores are made and made anew. Owned by knowledge.
--
-- A place is a chat, or a member's library (session null). A place with documents has one row in `vector_stores`; whoever
-- makes its store claims the row for 15 s at a time, so that it is made once, however many turns and servers ask:
--
--   active ──► expired ──► recreating ──► active
--
-- `claim_vector_store` makes an expired store's id a stand-in (`new_…`), which notes the old store for erasure, and
-- empties `vector_store_id` of its files; `record_vector_store` puts the new store's id there; each file that OpenAI has
-- indexed gets it back in `advance_vector_store`; `finish_vector_store` makes it active. So whoever takes over from a server
-- that died sees what is done already. Documents that come later go into the active store under a claim of the same kind.
-- Safe to run again.

alter table public.vector_stores
  add column if not exists is_library boolean not null default false
    constraint vector_stores_is_library_agrees check (not is_library or session_id is null),
  add column if not exists rebuild_token uuid,
  add column if not exists rebuild_lease_until timestamptz
    constraint vector_stores_rebuild_agrees check ((rebuild_token is null) = (rebuild_lease_until is null)),
  add column if not exists files_ready integer not null default 0
    constraint vector_stores_files_ready_is_positive check (files_ready >= 0),
  add column if not exists files_total integer not null default 0
    constraint vector_stores_files_total_is_positive check (files_total >= 0),
  add column if not exists revision integer not null default 0,
  add column if not exists attempts integer not null default 0
    constraint vector_stores_attempts_is_positive check (attempts >= 0),
  add column if not exists retry_at timestamptz;

comment on column public.vector_stores.is_library is 'Of the member''s library. Other rows without a chat are from before there were libraries.';
comment on column public.vector_stores.rebuild_token is 'Who is making the store, until rebuild_lease_until; null: nobody.';
comment on column public.vector_stores.files_ready is 'Of files_total, while the store is being made.';
comment on column public.vector_stores.revision is 'Counts how often the store was made or added to.';
comment on column public.vector_stores.attempts is 'How often in a row that failed.';
comment on column public.vector_stores.retry_at is 'When a job tries again; null: it need not.';

create unique index if not exists vector_stores_library_idx on public.vector_stores (user_id) where is_library;
create index if not exists vector_stores_unfinished_idx on public.vector_stores (greatest(retry_at, rebuild_lease_until))
  where retry_at is not null or rebuild_lease_until is not null;

-- A document that OpenAI cannot index: the store does without it.
alter table public.chat_files add column if not exists index_error text;

comment on column public.chat_files.index_error is 'OpenAI''s code for why it cannot index the file; null: it can, or was not asked.';

create index if not exists chat_files_library_idx
  on public.chat_files (user_id) where session_id is null and original_id is not null;
-- Files that came into a library and are in no store yet: a job looks whether somebody is at it.
create index if not exists chat_files_library_waiting_idx on public.chat_files (created_at)
  where session_id is null and original_id is not null and pending_until is null and vector_store_id is null
    and index_error is null;

-- Whose stores at OpenAI are ours, where several programs share an account there. One row.
create table if not exists public.installation (
  id uuid not null default gen_random_uuid(),
  is_only boolean not null default true,
  constraint installation_pkey primary key (id),
  constraint installation_is_only_key unique (is_only),
  constraint installation_is_only check (is_only)
);

insert into public.installation default values on conflict do nothing;

-- Uploads to OpenAI whose outcome is not known yet. Files there carry no mark of ours: what a server that died has left is
-- found again by name, size and time. Without the name itself, so that nothing of a member's is kept.
create table if not exists public.openai_uploads (
  id uuid not null default gen_random_uuid(),
  name_hash text not null,
  size_bytes bigint not null,
  started_at timestamptz not null default now(),
  constraint openai_uploads_pkey primary key (id),
  constraint openai_uploads_size_bytes_is_positive check (size_bytes > 0)
);

comment on column public.openai_uploads.name_hash is 'SHA-256 of the file''s name at OpenAI.';

-- Grants. The server's alone: row level security is on and there is no policy.
revoke all on public.installation, public.openai_uploads from public, anon, authenticated, service_role;
grant select, insert, update, delete on public.installation, public.openai_uploads to service_role;

alter table public.installation enable row level security;
alter table public.openai_uploads enable row level security;

-- The documents of a place, as begin_turn returns them: [{file_id, original_id, file_name, openai_file_id,
-- vector_store_id, index_error, is_new}]. Of several uses of one original the latest stands for all, before it the one of
-- the message `p_message_id`; `is_new`: it came with that message.
create or replace function public.place_documents(p_user_id uuid, p_session_id uuid, p_message_id uuid default null)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'file_id', id,
      'original_id', original_id,
      'file_name', file_name,
      'openai_file_id', openai_file_id,
      'vector_store_id', vector_store_id,
      'index_error', index_error,
      'is_new', coalesce(message_id = p_message_id, false)
    ) order by created_at, id), '[]')
    from (
      select distinct on (files.original_id) files.*
      from public.chat_files as files
      join public.file_originals as originals on originals.id = files.original_id and originals.kind = 'document'
      where files.user_id = p_user_id and case
        when p_session_id is null then files.session_id is null and files.message_id is null and files.pending_until is null
        else files.session_id = p_session_id
      end
      order by files.original_id, files.message_id is not distinct from p_message_id desc, files.created_at desc,
        files.id desc
    ) as documents
  );
end
$$;

-- A member's library as begin_turn returns it: {document_count, held_count, documents, is_loaded, vector_store}. The store has
-- `held_count` of the documents. They are named where one has to be put into the store: a list of hundreds would be carried
-- along with each message.
create or replace function public.library_state(p_user_id uuid)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_store public.vector_stores;
  v_count integer;
  v_held integer;
  v_is_whole boolean;
begin
  select * into v_store from public.vector_stores where user_id = p_user_id and is_library;
  select
    count(*),
    count(distinct files.openai_file_id) filter (where files.vector_store_id = v_store.store_id),
    coalesce(bool_and(files.index_error is not null or files.vector_store_id is not distinct from v_store.store_id), true)
  into v_count, v_held, v_is_whole
  from public.chat_files as files
  join public.file_originals as originals on originals.id = files.original_id and originals.kind = 'document'
  where files.user_id = p_user_id and files.session_id is null and files.message_id is null
    and files.pending_until is null;
  v_is_whole := v_is_whole and v_store.status is not distinct from 'active';
  return jsonb_build_object(
    'document_count', v_count,
    'held_count', v_held,
    'is_loaded', not v_is_whole or v_count = 0,
    'documents', case when v_is_whole then '[]' else public.place_documents(p_user_id, null) end,
    'vector_store', case when v_store.id is not null then jsonb_build_object(
      'store_id', v_store.store_id, 'status', v_store.status, 'expires_at', v_store.expires_at,
      'revision', v_store.revision, 'attempts', v_store.attempts
    ) end
  );
end
$$;

-- Locks a place, as begin_turn and deleting do before they come to its files and its store. Returns whether it is there.
create or replace function public.lock_place(p_user_id uuid, p_session_id uuid)
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  if p_session_id is null then
    perform 1 from public.profiles where id = p_user_id and not is_deleted for no key update;
  else
    perform 1 from public.chat_sessions where id = p_session_id and user_id = p_user_id for no key update;
  end if;
  return found;
end
$$;

-- Whether a claim's holder still has it; locks the place and the row.
create or replace function public.lock_claim(p_store_row_id uuid, p_token uuid)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_store public.vector_stores;
begin
  select * into v_store from public.vector_stores where id = p_store_row_id;
  if not found or not public.lock_place(v_store.user_id, v_store.session_id) then
    return false;
  end if;
  perform 1 from public.vector_stores where id = p_store_row_id and rebuild_token = p_token for no key update;
  return found;
end
$$;

-- Says what a place's store needs, and takes it on where nobody has.
--
-- `p_token`: who asks; a new one for each try. `p_complaint`: what OpenAI said of the store when it was used, {store_id,
-- revision, what: 'gone' or 'incomplete'}; null: nothing. It counts only while the store is the one that it was said of.
-- `p_at_once`: does not wait for `retry_at`.
--
-- Returns {outcome, …}: `missing` (the place is gone), `empty` (no documents), `ready` with {store_id, revision, documents}, `busy`
-- with {files_ready, files_total}: somebody else is at it; `put_off`: it failed and is tried again later, with {store_id,
-- revision, documents} of what can be searched meanwhile; `claimed` with {id, store_id, documents, is_checked}: the caller has it for 15 s. There `store_id` is null where a store is to be made,
-- and `is_checked` true where what it holds has to be looked up.
create or replace function public.claim_vector_store(
  p_user_id uuid,
  p_session_id uuid,
  p_name text,
  p_token uuid,
  p_complaint jsonb,
  p_at_once boolean
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_documents jsonb;
  v_store public.vector_stores;
  v_is_complained boolean := false;
  v_is_claimed boolean;
  v_missing integer;
  v_total integer;
begin
  if not public.lock_place(p_user_id, p_session_id) then
    return jsonb_build_object('outcome', 'missing');
  end if;
  v_documents := public.place_documents(p_user_id, p_session_id);
  if v_documents = '[]' then
    return jsonb_build_object('outcome', 'empty');
  end if;

  if p_session_id is null then
    select * into v_store from public.vector_stores where user_id = p_user_id and is_library for no key update;
  else
    select * into v_store from public.vector_stores where session_id = p_session_id for no key update;
  end if;
  if v_store.id is null then
    insert into public.vector_stores (store_id, user_id, session_id, is_library, name, status)
    values ('new_' || p_token, p_user_id, p_session_id, p_session_id is null, p_name, 'expired')
    returning * into v_store;
  end if;
  v_is_claimed := coalesce(v_store.rebuild_lease_until > now(), false);

  if v_store.status = 'active' and not v_is_claimed then
    v_is_complained := coalesce(
      p_complaint ->> 'store_id' = v_store.store_id and (p_complaint ->> 'revision')::integer = v_store.revision, false
    );
    if v_store.expires_at <= now() or v_is_complained and p_complaint ->> 'what' = 'gone' then
      update public.vector_stores set status = 'expired' where id = v_store.id returning * into v_store;
    end if;
  end if;

  select count(*) filter (where is_missing), count(*)
  into v_missing, v_total
  from (
    select document ->> 'vector_store_id' is distinct from v_store.store_id as is_missing
    from jsonb_array_elements(v_documents) as document
    where document ->> 'index_error' is null or p_at_once and (document ->> 'vector_store_id') is null
  ) as wanted;

  if v_store.status = 'active' and v_missing = 0 and not v_is_complained then
    return jsonb_build_object(
      'outcome', 'ready', 'store_id', v_store.store_id, 'revision', v_store.revision, 'documents', v_documents
    );
  end if;
  if v_is_claimed then
    return jsonb_build_object(
      'outcome', 'busy', 'files_ready', v_store.files_ready, 'files_total', v_store.files_total
    );
  end if;
  if v_store.retry_at > now() and not p_at_once then
    return jsonb_build_object(
      'outcome', 'put_off',
      'store_id', case when v_store.status = 'active' then v_store.store_id end,
      'revision', v_store.revision,
      'documents', v_documents
    );
  end if;

  if v_store.status = 'expired' then
    update public.chat_files set vector_store_id = null, index_error = null where vector_store_id = v_store.store_id;
    update public.vector_stores
    set store_id = 'new_' || p_token, status = 'recreating'
    where id = v_store.id
    returning * into v_store;
    v_documents := public.place_documents(p_user_id, p_session_id);
    v_missing := v_total;
  end if;
  update public.vector_stores
  set rebuild_token = p_token,
    rebuild_lease_until = now() + interval '15 seconds',
    files_ready = v_total - v_missing,
    files_total = v_total
  where id = v_store.id;
  return jsonb_build_object(
    'outcome', 'claimed',
    'id', v_store.id,
    'store_id', case when v_store.store_id not like 'new\_%' then v_store.store_id end,
    'documents', v_documents,
    'is_checked', v_is_complained and v_store.status = 'active'
  );
end
$$;

-- The store that was made for a claim, or with null that the one that was recorded is gone and another has to be made.
-- Returns false where the claim is lost, and notes the new store for erasure then.
create or replace function public.record_vector_store(p_store_row_id uuid, p_token uuid, p_store_id text)
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  if not public.lock_claim(p_store_row_id, p_token) then
    perform public.note_erasure(
      'openai_vector_store', p_store_id, (select user_id from public.vector_stores where id = p_store_row_id)
    );
    return false;
  end if;
  if p_store_id is null then
    update public.chat_files set vector_store_id = null
    where vector_store_id = (select store_id from public.vector_stores where id = p_store_row_id);
    update public.vector_stores set status = 'expired' where id = p_store_row_id and status = 'active';
  end if;
  update public.vector_stores
  set store_id = coalesce(p_store_id, 'new_' || gen_random_uuid()),
    status = 'recreating',
    files_ready = case when p_store_id is null then 0 else files_ready end,
    rebuild_lease_until = now() + interval '15 seconds'
  where id = p_store_row_id;
  return true;
end
$$;

-- Which of a claim's documents OpenAI has indexed (`p_indexed`: ids of originals), which it holds no more, and which it
-- cannot index (`p_refused`: {original id: its code}); and that the claim's holder is alive. Returns false, and changes
-- nothing, where the claim is lost.
create or replace function public.advance_vector_store(
  p_store_row_id uuid, p_token uuid, p_indexed uuid[], p_lost uuid[], p_refused jsonb
)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_store public.vector_stores;
begin
  if not public.lock_claim(p_store_row_id, p_token) then
    return false;
  end if;
  select * into v_store from public.vector_stores where id = p_store_row_id;
  if cardinality(p_indexed) + cardinality(p_lost) > 0 or p_refused <> '{}' then
    update public.chat_files
    set vector_store_id = case when original_id = any (p_indexed) then v_store.store_id end,
      index_error = p_refused ->> original_id::text
    where user_id = v_store.user_id and session_id is not distinct from v_store.session_id
      and pending_until is null
      and (original_id = any (p_indexed || p_lost) or p_refused ? original_id::text);
  end if;
  update public.vector_stores
  set files_ready = least(
      greatest(
        files_ready + cardinality(p_indexed) - cardinality(p_lost) + (select count(*) from jsonb_object_keys(p_refused)),
        0
      ),
      files_total
    ),
    rebuild_lease_until = now() + interval '15 seconds'
  where id = p_store_row_id;
  return true;
end
$$;

-- Ends a claim. `p_expires_at`: the store is ready, and OpenAI keeps it until then. Without it the claim has failed
-- (`p_has_failed`: it is tried again after 1, 2, 4 … minutes, an hour at the most) or is given up, for the next one at
-- once. Returns whether the claim was still there.
create or replace function public.finish_vector_store(
  p_store_row_id uuid, p_token uuid, p_expires_at timestamptz, p_has_failed boolean
)
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  if not public.lock_claim(p_store_row_id, p_token) then
    return false;
  end if;
  update public.vector_stores
  set status = case
      when p_expires_at is not null then 'active'
      -- What is not made at all is expired still; a store that is half full is gone on with.
      when store_id like 'new\_%' then 'expired'
      else status
    end,
    expires_at = coalesce(p_expires_at, expires_at),
    rebuild_token = null,
    rebuild_lease_until = null,
    revision = revision + case when p_expires_at is not null then 1 else 0 end,
    attempts = case when p_expires_at is not null then 0 when p_has_failed then attempts + 1 else attempts end,
    retry_at = case
      when p_expires_at is not null then null
      when p_has_failed then now() + least(interval '1 minute' * 2 ^ least(attempts, 10), interval '1 hour')
      else now()
    end
  where id = p_store_row_id;
  return true;
end
$$;

-- Under which id OpenAI holds a document of a claim's place; `p_upload_id`: what openai_uploads knew of it. Returns false
-- where the claim is lost or the document was deleted: then the id is noted for erasure.
create or replace function public.record_openai_file(
  p_store_row_id uuid, p_token uuid, p_original_id uuid, p_openai_file_id text, p_upload_id uuid
)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_is_kept boolean := public.lock_claim(p_store_row_id, p_token);
begin
  if v_is_kept then
    update public.chat_files
    set openai_file_id = p_openai_file_id
    from public.vector_stores as stores
    where stores.id = p_store_row_id and chat_files.user_id = stores.user_id
      and chat_files.session_id is not distinct from stores.session_id and chat_files.original_id = p_original_id
      and chat_files.pending_until is null;
    v_is_kept := found;
  end if;
  if not v_is_kept then
    perform public.note_erasure(
      'openai_file', p_openai_file_id, (select user_id from public.vector_stores where id = p_store_row_id)
    );
  end if;
  delete from public.openai_uploads where id = p_upload_id;
  return v_is_kept;
end
$$;

revoke execute on function public.place_documents(uuid, uuid, uuid) from public, anon, authenticated, service_role;
revoke execute on function public.library_state(uuid) from public, anon, authenticated, service_role;
revoke execute on function public.lock_place(uuid, uuid) from public, anon, authenticated, service_role;
revoke execute on function public.lock_claim(uuid, uuid) from public, anon, authenticated, service_role;
revoke execute on function public.claim_vector_store(uuid, uuid, text, uuid, jsonb, boolean)
  from public, anon, authenticated, service_role;
revoke execute on function public.record_vector_store(uuid, uuid, text) from public, anon, authenticated, service_role;
revoke execute on function public.advance_vector_store(uuid, uuid, uuid[], uuid[], jsonb)
  from public, anon, authenticated, service_role;
revoke execute on function public.finish_vector_store(uuid, uuid, timestamptz, boolean)
  from public, anon, authenticated, service_role;
revoke execute on function public.record_openai_file(uuid, uuid, uuid, text, uuid)
  from public, anon, authenticated, service_role;
