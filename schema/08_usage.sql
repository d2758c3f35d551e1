-- 08 · Usage: what a member has left, and taking from it. Owned by billing.
--
-- `subscription_quota` is what the plan gives, `subscription_usage` what was used, and the allowance is what is
-- left: null where the quota is unlimited. Each function is one step of the statement that calls it.
-- Safe to run again.

create or replace function public.allowance(quota jsonb, usage jsonb, counter text)
returns bigint
language sql
immutable
parallel safe
set search_path = ''
as $$
  select case
    when jsonb_typeof(quota -> counter) = 'null' then null
    else greatest(coalesce((quota ->> counter)::bigint, 0) - coalesce((usage ->> counter)::bigint, 0), 0)
  end
$$;

create or replace function public.allowances(quota jsonb, usage jsonb)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
  select jsonb_build_object(
    'messages', public.allowance(quota, usage, 'messages'),
    'files', public.allowance(quota, usage, 'files'),
    'tokens', public.allowance(quota, usage, 'tokens')
  )
$$;

-- Takes `amount` of one counter if that much is left, and asks for at least one token left where it takes a
-- message. Returns whether it did; the row's lock makes it exact however many ask at once.
create or replace function public.reserve_usage(p_user_id uuid, p_counter text, p_amount bigint)
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  update public.profiles
  set subscription_usage = jsonb_set(
    subscription_usage,
    array[p_counter],
    to_jsonb(coalesce((subscription_usage ->> p_counter)::bigint, 0) + p_amount)
  )
  where id = p_user_id
    and coalesce(public.allowance(subscription_quota, subscription_usage, p_counter), p_amount) >= p_amount
    and (
      p_counter <> 'messages'
      or coalesce(public.allowance(subscription_quota, subscription_usage, 'tokens'), 1) >= 1
    );
  return found;
end
$$;

-- Gives back what was reserved (`p_messages`, `p_files`, each 0 or more) and adds the tokens that were used.
-- Returns the allowances that remain.
create or replace function public.settle_usage(p_user_id uuid, p_messages bigint, p_files bigint, p_tokens bigint)
returns jsonb
language sql
set search_path = ''
as $$
  update public.profiles
  set subscription_usage = subscription_usage || jsonb_build_object(
    'messages', greatest(coalesce((subscription_usage ->> 'messages')::bigint, 0) - p_messages, 0),
    'files', greatest(coalesce((subscription_usage ->> 'files')::bigint, 0) - p_files, 0),
    'tokens', coalesce((subscription_usage ->> 'tokens')::bigint, 0) + p_tokens
  )
  where id = p_user_id
  returning public.allowances(subscription_quota, subscription_usage)
$$;

revoke execute on function public.allowance(jsonb, jsonb, text) from public, anon, authenticated;
revoke execute on function public.allowances(jsonb, jsonb) from public, anon, authenticated;
revoke execute on function public.reserve_usage(uuid, text, bigint) from public, anon, authenticated;
revoke execute on function public.settle_usage(uuid, bigint, bigint, bigint) from public, anon, authenticated;
