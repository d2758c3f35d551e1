-- 05 · Indexes of the tables so far.
--
-- Safe to run again. Foreign keys: profiles.auth_id has its unique index; chat_sessions.user_id and
-- chat_messages.session_id lead the two indexes below.

-- The sidebar: a member's chats, newest first. It holds what a page of it shows: the rows lie all over the table, a page
-- each. An earlier form held the order alone.
drop index if exists public.chat_sessions_user_id_updated_at_idx;
create index if not exists chat_sessions_sidebar_idx
  on public.chat_sessions (user_id, updated_at desc, id desc) include (assistant_slug, title, created_at);
-- For the planner a member has 100 chats. With an average of 20, which is less than a page of the sidebar, it would fetch
-- all chats of a member and sort them, also where one has a thousand.
alter table public.chat_sessions alter column user_id set (n_distinct = -0.01);

-- The history: the messages of one chat in order, page by page.
create index if not exists chat_messages_session_id_created_at_idx
  on public.chat_messages (session_id, created_at, id);

-- A verification link, and what Stripe's events name. Few rows have them, so the indexes are partial.
create unique index if not exists profiles_email_verification_token_idx
  on public.profiles (email_verification_token) where email_verification_token is not null;
create unique index if not exists profiles_stripe_customer_id_idx
  on public.profiles (stripe_customer_id) where stripe_customer_id is not null;
create unique index if not exists profiles_stripe_subscription_id_idx
  on public.profiles (stripe_subscription_id) where stripe_subscription_id is not null;
