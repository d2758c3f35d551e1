-- 05 · Indexes of the tables so far.
--
-- Safe to run again. Foreign keys: profiles.auth_id has its unique index; chat_sessions.user_id and
-- chat_messages.session_id lead the two indexes below.

-- The sidebar: a member's chats, newest first.
create index if not exists chat_sessions_user_id_updated_at_idx
  on public.chat_sessions (user_id, updated_at desc, id desc);

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
