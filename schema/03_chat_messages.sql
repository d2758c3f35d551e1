-- 03 · Chat messages: what the member and the coach said.
--
-- Safe to run again.

create table if not exists public.chat_messages (
  id uuid not null default gen_random_uuid(),
  session_id uuid not null,
  sender text not null,
  content text not null,
  has_files boolean not null default false,
  created_at timestamptz not null default now(),
  constraint chat_messages_pkey primary key (id),
  constraint chat_messages_session_id_fkey foreign key (session_id)
    references public.chat_sessions (id) on delete cascade,
  constraint chat_messages_sender_is_known check (sender in ('user', 'assistant'))
);

-- Grants. Members read; every message is written by the server.
revoke all on public.chat_messages from anon, authenticated;
grant select on public.chat_messages to authenticated;
grant select, insert, update, delete on public.chat_messages to service_role;

alter table public.chat_messages enable row level security;

-- The sub-select passes through the policy of chat_sessions.
drop policy if exists "Members read the messages of their own chats" on public.chat_messages;
create policy "Members read the messages of their own chats" on public.chat_messages
  for select to authenticated
  using (exists (select 1 from public.chat_sessions where chat_sessions.id = chat_messages.session_id));
