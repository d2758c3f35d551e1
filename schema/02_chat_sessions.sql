-- 02 · Chat sessions: one conversation of a member with one coach.
--
-- Safe to run again.

create table if not exists public.chat_sessions (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  assistant_slug text not null,
  thread_id text,
  title text not null default 'New chat',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint chat_sessions_pkey primary key (id),
  constraint chat_sessions_user_id_fkey foreign key (user_id) references public.profiles (id) on delete cascade,
  constraint chat_sessions_assistant_slug_is_slug check (assistant_slug ~ '^[a-z][a-z0-9_]{0,62}$'),
  constraint chat_sessions_title_is_short check (char_length(title) between 1 and 200)
);

comment on column public.chat_sessions.assistant_slug is 'The coach: the name of a file in coaches/.';
comment on column public.chat_sessions.thread_id is 'The OpenAI conversation (conv_…); null until there is one.';

-- Grants. Members read, rename and delete their own chats; only the server starts one.
revoke all on public.chat_sessions from anon, authenticated;
grant select, delete on public.chat_sessions to authenticated;
grant update (title) on public.chat_sessions to authenticated;
grant select, insert, update, delete on public.chat_sessions to service_role;

alter table public.chat_sessions enable row level security;

drop policy if exists "Members read their own chats" on public.chat_sessions;
create policy "Members read their own chats" on public.chat_sessions
  for select to authenticated
  using (user_id in (select id from public.profiles where auth_id = (select auth.uid()) and not is_deleted));

drop policy if exists "Members rename their own chats" on public.chat_sessions;
create policy "Members rename their own chats" on public.chat_sessions
  for update to authenticated
  using (user_id in (select id from public.profiles where auth_id = (select auth.uid()) and not is_deleted))
  with check (user_id in (select id from public.profiles where auth_id = (select auth.uid()) and not is_deleted));

drop policy if exists "Members delete their own chats" on public.chat_sessions;
create policy "Members delete their own chats" on public.chat_sessions
  for delete to authenticated
  using (user_id in (select id from public.profiles where auth_id = (select auth.uid()) and not is_deleted));
