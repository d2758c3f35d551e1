-- 04 · Triggers of the tables so far.
--
-- Safe to run again.

create or replace function public.set_updated_at()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end
$$;

-- A new message moves its chat to the top of the sidebar.
create or replace function public.touch_chat_session()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  update public.chat_sessions set updated_at = now() where id = new.session_id;
  return null;
end
$$;

-- Keeps `chat_messages.has_files`: true while a file belongs to the message. The trigger stands in 06, on chat_files.
-- Definer: a member who deletes a chat takes its files along, and this then runs as that member.
create or replace function public.set_message_has_files()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if tg_op in ('UPDATE', 'DELETE') and old.message_id is not null then
    update public.chat_messages
    set has_files = exists (select 1 from public.chat_files where message_id = old.message_id)
    where id = old.message_id;
  end if;
  if tg_op in ('INSERT', 'UPDATE') and new.message_id is not null then
    update public.chat_messages set has_files = true where id = new.message_id and not has_files;
  end if;
  return null;
end
$$;

revoke execute on function public.set_updated_at() from public, anon, authenticated;
revoke execute on function public.touch_chat_session() from public, anon, authenticated;
revoke execute on function public.set_message_has_files() from public, anon, authenticated;

create or replace trigger profiles_set_updated_at
  before update on public.profiles
  for each row execute function public.set_updated_at();

create or replace trigger chat_sessions_set_updated_at
  before update on public.chat_sessions
  for each row execute function public.set_updated_at();

create or replace trigger chat_messages_touch_chat_session
  after insert on public.chat_messages
  for each row execute function public.touch_chat_session();
