-- 06 · Chat files: each use of a file in a chat.
--
-- `session_id` and `message_id` are null until the file belongs to a chat and its message is sent.
-- Safe to run again.

create table if not exists public.chat_files (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  session_id uuid,
  message_id uuid,
  file_name text not null,
  file_size bigint not null,
  file_type text not null,
  openai_file_id text,
  vector_store_id text,
  created_at timestamptz not null default now(),
  constraint chat_files_pkey primary key (id),
  constraint chat_files_user_id_fkey foreign key (user_id) references public.profiles (id) on delete cascade,
  constraint chat_files_session_id_fkey foreign key (session_id)
    references public.chat_sessions (id) on delete cascade,
  constraint chat_files_message_id_fkey foreign key (message_id)
    references public.chat_messages (id) on delete set null,
  constraint chat_files_file_name_is_short check (char_length(file_name) between 1 and 255),
  constraint chat_files_file_size_is_positive check (file_size >= 0),
  constraint chat_files_message_has_session check (message_id is null or session_id is not null)
);

comment on column public.chat_files.file_size is 'Bytes.';
comment on column public.chat_files.file_type is 'MIME type, found by content.';
comment on column public.chat_files.openai_file_id is 'OpenAI''s file (file-…); null until it was uploaded there.';
comment on column public.chat_files.vector_store_id is 'OpenAI''s vector store (vs_…): vector_stores.store_id, see 07.';

create index if not exists chat_files_user_id_idx on public.chat_files (user_id);
create index if not exists chat_files_session_id_idx on public.chat_files (session_id);
create index if not exists chat_files_message_id_idx on public.chat_files (message_id);
create index if not exists chat_files_openai_file_id_idx
  on public.chat_files (openai_file_id) where openai_file_id is not null;

-- Grants. Members read; the server writes.
revoke all on public.chat_files from anon, authenticated;
grant select on public.chat_files to authenticated;
grant select, insert, update, delete on public.chat_files to service_role;

alter table public.chat_files enable row level security;

drop policy if exists "Members read their own files" on public.chat_files;
create policy "Members read their own files" on public.chat_files
  for select to authenticated
  using (user_id in (select id from public.profiles where auth_id = (select auth.uid()) and not is_deleted));

-- A file, its chat and its message belong to one member and to each other.
create or replace function public.check_chat_file_belongs()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if new.session_id is not null and not exists (
    select 1 from public.chat_sessions where id = new.session_id and user_id = new.user_id
  ) then
    raise exception 'chat_files: the chat belongs to somebody else'
      using errcode = 'check_violation', constraint = 'chat_files_session_is_the_members';
  end if;
  if new.message_id is not null and not exists (
    select 1 from public.chat_messages where id = new.message_id and session_id = new.session_id
  ) then
    raise exception 'chat_files: the message belongs to another chat'
      using errcode = 'check_violation', constraint = 'chat_files_message_is_the_chats';
  end if;
  return new;
end
$$;

revoke execute on function public.check_chat_file_belongs() from public, anon, authenticated;

create or replace trigger chat_files_check_belongs
  before insert or update of user_id, session_id, message_id on public.chat_files
  for each row execute function public.check_chat_file_belongs();

create or replace trigger chat_files_set_message_has_files
  after insert or delete or update of message_id on public.chat_files
  for each row execute function public.set_message_has_files();
