-- 07 · Vector stores: what OpenAI keeps of a member's files so that a model can search them.
--
-- A store expires at OpenAI and is made anew from our own copies: the row stays, `store_id` changes.
-- Safe to run again.

create table if not exists public.vector_stores (
  id uuid not null default gen_random_uuid(),
  store_id text not null,
  user_id uuid not null,
  session_id uuid,
  name text not null,
  file_count integer not null default 0,
  expires_at timestamptz,
  status text not null default 'active',
  expired_at timestamptz,
  openai_metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint vector_stores_pkey primary key (id),
  constraint vector_stores_store_id_key unique (store_id),
  constraint vector_stores_user_id_fkey foreign key (user_id) references public.profiles (id) on delete cascade,
  constraint vector_stores_session_id_fkey foreign key (session_id)
    references public.chat_sessions (id) on delete cascade,
  constraint vector_stores_file_count_is_positive check (file_count >= 0),
  constraint vector_stores_status_is_known check (status in ('active', 'expired', 'recreating')),
  constraint vector_stores_expired_at_agrees check ((status = 'active') = (expired_at is null)),
  constraint vector_stores_openai_metadata_is_object check (jsonb_typeof(openai_metadata) = 'object')
);

comment on column public.vector_stores.store_id is 'OpenAI''s vector store (vs_…).';
comment on column public.vector_stores.session_id is 'The chat whose files it holds; null for a store of the member''s own.';

create index if not exists vector_stores_user_id_idx on public.vector_stores (user_id);
-- One store a chat, so that two turns that make one at the same moment end with one.
create unique index if not exists vector_stores_session_id_idx
  on public.vector_stores (session_id) where session_id is not null;
create index if not exists vector_stores_status_expires_at_idx on public.vector_stores (status, expires_at);

do $$
begin
  if not exists (
    select 1 from pg_catalog.pg_constraint
    where conname = 'chat_files_vector_store_id_fkey' and conrelid = 'public.chat_files'::regclass
  ) then
    alter table public.chat_files
      add constraint chat_files_vector_store_id_fkey foreign key (vector_store_id)
      references public.vector_stores (store_id) on update cascade on delete set null;
  end if;
end
$$;

create index if not exists chat_files_vector_store_id_idx on public.chat_files (vector_store_id);

-- Grants. Members read; the server writes.
revoke all on public.vector_stores from anon, authenticated;
grant select on public.vector_stores to authenticated;
grant select, insert, update, delete on public.vector_stores to service_role;

alter table public.vector_stores enable row level security;

drop policy if exists "Members read their own vector stores" on public.vector_stores;
create policy "Members read their own vector stores" on public.vector_stores
  for select to authenticated
  using (user_id in (select id from public.profiles where auth_id = (select auth.uid()) and not is_deleted));

-- `expired_at` is null exactly while the store is active.
create or replace function public.set_vector_store_expired_at()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if new.status = 'active' then
    new.expired_at := null;
  elsif new.expired_at is null then
    new.expired_at := now();
  end if;
  return new;
end
$$;

-- Keeps `file_count`: the chat files that the store holds. Definer: a member who deletes a chat takes its files
-- along, and this then runs as that member.
create or replace function public.count_vector_store_files()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.vector_stores
  set file_count = (select count(*) from public.chat_files where vector_store_id = vector_stores.store_id)
  where store_id in (
    case when tg_op in ('UPDATE', 'DELETE') then old.vector_store_id end,
    case when tg_op in ('INSERT', 'UPDATE') then new.vector_store_id end
  );
  return null;
end
$$;

revoke execute on function public.set_vector_store_expired_at() from public, anon, authenticated;
revoke execute on function public.count_vector_store_files() from public, anon, authenticated;

create or replace trigger vector_stores_set_expired_at
  before insert or update of status, expired_at on public.vector_stores
  for each row execute function public.set_vector_store_expired_at();

create or replace trigger vector_stores_set_updated_at
  before update on public.vector_stores
  for each row execute function public.set_updated_at();

create or replace trigger chat_files_count_vector_store_files
  after insert or delete or update of vector_store_id on public.chat_files
  for each row execute function public.count_vector_store_files();
