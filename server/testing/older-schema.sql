-- The product's tables as somebody made them a year ago in a Supabase project, with a few rows in each. Only for tests:
-- the schema's files bring it to the present form.

create type public.message_sender as enum ('user', 'assistant');

create table public.profiles (
  id uuid primary key default gen_random_uuid(),
  auth_id uuid unique references auth.users (id) on delete cascade,
  email varchar(255) not null unique,
  user_name varchar(100),
  organization_name varchar(100),
  stripe_customer_id varchar(64),
  subscription_plan varchar(20) default 'free' check (subscription_plan in ('free', 'starter', 'pro', 'enterprise')),
  subscription_quota integer default 50,
  subscription_usage integer default 0,
  is_active boolean default true,
  created_at timestamp default now(),
  updated_at timestamp
);

create table public.chat_sessions (
  id text primary key default gen_random_uuid()::text,
  user_id uuid not null references public.profiles (auth_id) on delete cascade,
  assistant_slug varchar(50) not null,
  thread_id varchar(64) unique,
  title varchar(255) default 'New Chat',
  created_at timestamp default now(),
  updated_at timestamp default now()
);

create table public.chat_messages (
  id uuid not null default gen_random_uuid(),
  session_id text references public.chat_sessions (id) on delete cascade,
  sender public.message_sender default 'user',
  content varchar,
  created_at timestamp default now(),
  constraint messages_pk primary key (id)
);

create table public.chat_files (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  session_id text,
  message_id uuid,
  file_name varchar(255) not null,
  file_size integer not null,
  openai_file_id varchar(64),
  vector_store_id varchar(64),
  created_at timestamp default now()
);

create table public.vector_stores (
  id uuid primary key default gen_random_uuid(),
  store_id varchar(64) not null,
  user_id uuid not null,
  session_id text references public.chat_sessions (id),
  name varchar(255),
  file_count integer,
  expires_at timestamp,
  status varchar(20) default 'active',
  openai_metadata json,
  created_at timestamp default now()
);

create index idx_chat_sessions_user on public.chat_sessions (user_id);
create index idx_chat_messages_session on public.chat_messages (session_id, created_at);
create unique index profiles_lower_email on public.profiles (lower(email::text));

-- What the dashboard's older projects grant, and the policies of a tutorial.
grant all on public.profiles, public.chat_sessions, public.chat_messages, public.chat_files, public.vector_stores
  to anon, authenticated, service_role;
grant insert (user_id, title) on public.chat_sessions to authenticated with grant option;
grant select on public.chat_files to public;
alter table public.profiles enable row level security;
alter table public.chat_sessions enable row level security;
alter table public.chat_messages enable row level security;
create policy "Public profiles are viewable by everyone." on public.profiles for select using (true);
create policy "Users can insert their own profile." on public.profiles for insert with check (auth.uid() = auth_id);
create policy "Users can update own profile." on public.profiles for update using (auth.uid() = auth_id);
create policy "Own sessions" on public.chat_sessions for all using (auth.uid() = user_id);
create policy "Own messages" on public.chat_messages for all
  using (exists (select 1 from public.chat_sessions s where s.id = session_id and s.user_id = auth.uid()));
create policy "Members read their own files" on public.chat_files for all to public using (true);

create function public.update_updated_at_column() returns trigger language plpgsql as $$
begin
  new.updated_at = now();
  return new;
end
$$;
create trigger update_profiles_updated_at before update on public.profiles
  for each row execute function public.update_updated_at_column();
create trigger chat_sessions_updated before update on public.chat_sessions
  for each row execute function public.update_updated_at_column();

create function public.handle_new_user() returns trigger language plpgsql security definer as $$
begin
  insert into public.profiles (auth_id, email) values (new.id, new.email);
  return new;
end
$$;

insert into auth.users (id, email, raw_user_meta_data) values
  ('a0000000-0000-4000-8000-000000000001', 'ada@example.org', '{}'),
  ('a0000000-0000-4000-8000-000000000002', 'grace@example.org', '{}');
create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();

insert into public.profiles
  (id, auth_id, email, user_name, stripe_customer_id, subscription_plan, subscription_quota, subscription_usage, is_active, created_at, updated_at)
values
  ('b0000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-000000000001', 'Ada@Example.org', 'Ada', 'cus_1', 'pro', 500, 120, true, '2025-03-01 09:30:00', '2025-06-01 10:00:00'),
  ('b0000000-0000-4000-8000-000000000002', 'a0000000-0000-4000-8000-000000000002', 'grace@example.org', null, null, null, null, null, null, '2025-04-01 09:30:00', null),
  ('b0000000-0000-4000-8000-000000000003', null, 'left@example.org', 'Left', null, 'free', 0, 50, false, '2025-05-01 09:30:00', null);

insert into public.chat_sessions (id, user_id, assistant_slug, thread_id, title, created_at, updated_at) values
  ('c0000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-000000000001', 'carousel', 'thread_abc123', 'My first post', '2025-03-02 10:00:00', '2025-03-02 11:00:00'),
  ('c0000000-0000-4000-8000-000000000002', 'a0000000-0000-4000-8000-000000000002', 'storyteller', 'thread_def456', '', '2025-04-02 10:00:00', null);

insert into public.chat_messages (id, session_id, sender, content, created_at) values
  ('d0000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-000000000001', 'user', 'Hello', '2025-03-02 10:00:00.123456'),
  ('d0000000-0000-4000-8000-000000000002', 'c0000000-0000-4000-8000-000000000001', 'assistant', 'Welcome. ✓', '2025-03-02 10:00:05'),
  ('d0000000-0000-4000-8000-000000000003', 'c0000000-0000-4000-8000-000000000002', 'user', 'Hi', '2025-04-02 10:00:00');

insert into public.vector_stores (id, store_id, user_id, session_id, name, file_count, expires_at, status, openai_metadata, created_at) values
  ('e0000000-0000-4000-8000-000000000001', 'vs_1', 'b0000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-000000000001', null, null, '2025-03-09 10:00:00', 'expired', '{"bytes": 12}', '2025-03-02 10:00:00');

insert into public.chat_files (id, user_id, session_id, message_id, file_name, file_size, openai_file_id, vector_store_id, created_at) values
  ('f0000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-000000000001', 'd0000000-0000-4000-8000-000000000001', 'plan.pdf', 1200, 'file-1', 'vs_1', '2025-03-02 10:00:00'),
  ('f0000000-0000-4000-8000-000000000002', 'b0000000-0000-4000-8000-000000000001', null, null, 'notes.md', 20, null, 'e0000000-0000-4000-8000-000000000001', '2025-03-02 10:00:00');

alter table public.profiles force row level security;
