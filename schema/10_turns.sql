-- 10 · Turns: a member's message and the reply to it. Owned by chat.
--
-- A turn's id is made in the browser, which makes sending it again safe. Its life:
-- accepted → answering → done, stopped or failed. Until it has ended, `reply` holds the text so far and `heartbeat_at`
-- says that its server is alive. `begin_turn` and `finish_turn` are one database round trip each.
--
-- A message is never overwritten. One that is edited gets a sibling, and so does a reply that is made again; the chosen
-- messages of a chat are one line from the first to the last, each later than the one that it follows.
-- Safe to run again.

create table if not exists public.turns (
  id uuid not null,
  user_id uuid not null,
  session_id uuid not null,
  user_message_id uuid not null,
  assistant_message_id uuid,
  status text not null default 'accepted',
  error_code text,
  reply text not null default '',
  incomplete boolean not null default false,
  history_shortened boolean not null default false,
  input_tokens bigint not null default 0,
  cached_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  stop_requested_at timestamptz,
  followed_at timestamptz,
  heartbeat_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  constraint turns_pkey primary key (id),
  constraint turns_user_id_fkey foreign key (user_id) references public.profiles (id) on delete cascade,
  constraint turns_session_id_fkey foreign key (session_id) references public.chat_sessions (id) on delete cascade,
  constraint turns_user_message_id_fkey foreign key (user_message_id)
    references public.chat_messages (id) on delete cascade,
  constraint turns_assistant_message_id_fkey foreign key (assistant_message_id)
    references public.chat_messages (id) on delete set null,
  constraint turns_status_is_known check (status in ('accepted', 'answering', 'done', 'stopped', 'failed')),
  constraint turns_error_code_agrees check ((status = 'failed') = (error_code is not null)),
  constraint turns_finished_at_agrees check ((status in ('accepted', 'answering')) = (finished_at is null)),
  constraint turns_tokens_are_positive check (input_tokens >= 0 and cached_tokens >= 0 and output_tokens >= 0)
);

-- Before there was `accepted`.
do $$
begin
  if exists (
    select from pg_catalog.pg_constraint
    where conrelid = 'public.turns'::regclass and conname = 'turns_status_is_known'
      and pg_catalog.pg_get_constraintdef(oid) like '%accepted%'
  ) then
    return;
  end if;
  drop index if exists public.turns_one_answering_idx, public.turns_heartbeat_at_idx;
  drop trigger if exists turns_settle_deleted on public.turns;
  alter table public.turns
    alter column status set default 'accepted',
    add column history_shortened boolean not null default false,
    drop constraint turns_status_is_known,
    add constraint turns_status_is_known check (status in ('accepted', 'answering', 'done', 'stopped', 'failed')),
    drop constraint turns_finished_at_agrees,
    add constraint turns_finished_at_agrees check ((status in ('accepted', 'answering')) = (finished_at is null));
end
$$;

comment on column public.turns.reply is 'The text so far; empty once it stands in chat_messages.';
alter table public.turns
  add column if not exists former_reply_id uuid,
  add column if not exists followed_at timestamptz,
  add column if not exists files_missing boolean not null default false;

comment on column public.turns.former_reply_id is 'The reply whose place this one takes; it is chosen again when this one fails.';
comment on column public.turns.followed_at is 'Somebody follows the turn in another process and is to be rung for.';
comment on column public.turns.files_missing is 'The files could not be made ready: the model had to do without them.';
comment on column public.turns.history_shortened is 'The chat had grown too long: its oldest messages were left out of what the model was told.';

create index if not exists turns_user_id_idx on public.turns (user_id);
create index if not exists turns_user_message_id_idx on public.turns (user_message_id);
create index if not exists turns_assistant_message_id_idx on public.turns (assistant_message_id);
create index if not exists turns_session_id_created_at_idx on public.turns (session_id, created_at desc);
-- What a checkpoint changes each second (`reply`, `status`, `heartbeat_at`) stands in no index and in no condition of one,
-- and pages keep room for it: so a new version of the row stays on its page, and no index is written.
create index if not exists turns_failed_idx on public.turns (session_id) where error_code is not null;
-- One chat session, one reply at a time. All that are running are few: whose server is silent is found among them.
create unique index if not exists turns_one_running_idx on public.turns (session_id) where finished_at is null;
drop index if exists public.turns_heartbeat_at_idx;
alter table public.turns set (fillfactor = 70);

-- [{number, index, file_id, file_name, page, passage_id, quote}]: see server/knowledge/citation.ts.
alter table public.chat_messages add column if not exists citations jsonb not null default '[]';

-- The message that a message follows; null for a chat's first. What was written before there was this column is one line.
do $$
begin
  if exists (
    select from pg_catalog.pg_attribute
    where attrelid = 'public.chat_messages'::regclass and attname = 'parent_id' and not attisdropped
  ) then
    return;
  end if;
  alter table public.chat_messages
    add column parent_id uuid,
    add column is_chosen boolean not null default true;
  update public.chat_messages
  set parent_id = lines.parent_id
  from (
    select id, lag(id) over (partition by session_id order by created_at, id) as parent_id from public.chat_messages
  ) as lines
  where lines.id = chat_messages.id and lines.parent_id is not null;
  alter table public.chat_messages
    add constraint chat_messages_parent_id_fkey foreign key (parent_id)
      references public.chat_messages (id) on delete set null,
    add constraint chat_messages_parent_is_another check (parent_id <> id);
end
$$;

comment on column public.chat_messages.is_chosen is 'On the line of the chat that is shown, and that the model is told.';

create index if not exists chat_messages_parent_id_idx on public.chat_messages (parent_id);

-- The last message that the conversation at OpenAI holds.
alter table public.chat_sessions add column if not exists conversation_message_id uuid;

-- Grants. Members read; the server writes.
revoke all on public.turns from anon, authenticated, service_role;
grant select on public.turns to authenticated;
grant select, insert, update, delete on public.turns to service_role;

alter table public.turns enable row level security;

drop policy if exists "Members read their own turns" on public.turns;
create policy "Members read their own turns" on public.turns
  for select to authenticated
  using (user_id in (select id from public.profiles where auth_id = (select auth.uid()) and not is_deleted));

-- What a model is told before a member's message: {messages: [{sender, content}], shortened}, oldest first. The last 200
-- chosen ones at the most, and no more than `p_most_characters` together; `shortened`: older ones were left out. Texts
-- that broke off in failed turns are not told.
drop function if exists public.turn_history(uuid);
create or replace function public.turn_history(p_message_id uuid, p_most_characters integer)
returns jsonb
-- Not in SQL: that would be planned anew at every call.
language plpgsql
stable
set search_path = ''
as $$
declare
  v_asked public.chat_messages;
  v_broken_off uuid[];
begin
  select * into v_asked from public.chat_messages where id = p_message_id;
  -- Found once for the chat. To look for the turn of each message reads four pages a message, and hardly one has failed.
  v_broken_off := array(
    select assistant_message_id from public.turns
    where session_id = v_asked.session_id and error_code is not null and assistant_message_id is not null
  );
  return (
    with recent as (
      select id, sender, content, created_at
      from public.chat_messages
      where session_id = v_asked.session_id
        and is_chosen
        and (created_at, id) < (v_asked.created_at, v_asked.id)
        and id <> all (v_broken_off)
      order by created_at desc, id desc
      limit 201
    ),
    counted as (
      select *,
        row_number() over newest_first <= 200
          and sum(length(content)) over newest_first <= p_most_characters as is_told
      from recent
      window newest_first as (order by created_at desc, id desc)
    )
    select jsonb_build_object(
      'messages', coalesce(
        jsonb_agg(jsonb_build_object('sender', sender, 'content', content) order by created_at, id)
          filter (where is_told and content <> ''),
        '[]'
      ),
      'shortened', coalesce(bool_or(not is_told), false)
    )
    from counted
  );
end
$$;

-- Takes in a message and everything that its reply needs.
--
-- Returns {outcome, ...}: `begun` with what the reply needs, `exists` for a turn that was sent before, or why not:
-- no_profile, account_closed, account_inactive, plan_required, email_unconfirmed, quota_exhausted, session_not_found, coach_mismatch,
-- message_not_found, file_not_found, turn_in_progress, turn_id_taken. Nothing is written or counted unless the turn has
-- begun.
--
-- `p_edits_id`: the message takes the place of this one of the member's; its files may be named again. `p_repeats_id`:
-- there is no new message, this one is answered again. It is the last that the member wrote; the reply to it leaves the
-- chosen line.
-- `p_plans`: the plans whose members this coach is for. `p_with_history`: always return the history; without it only
-- when the conversation at OpenAI does not hold the message before. `p_most_characters`: see turn_history.
-- `p_unconfirmed_messages`: how many messages a member has before the address is confirmed. `p_with_library`: whether the
-- coach may see the member's library.
--
-- A file of the library or of another message that is named in `p_file_ids` stays there: the message gets a use of its own.
drop function if exists public.begin_turn(uuid, uuid, uuid, text, text, text, uuid[], text[], boolean);
drop function if exists
  public.begin_turn(uuid, uuid, uuid, text, text, text, uuid[], uuid, uuid, text[], boolean, integer);
drop function if exists
  public.begin_turn(uuid, uuid, uuid, text, text, text, uuid[], uuid, uuid, text[], boolean, integer, integer);
create or replace function public.begin_turn(
  p_auth_id uuid,
  p_turn_id uuid,
  p_session_id uuid,
  p_assistant_slug text,
  p_title text,
  p_content text,
  p_file_ids uuid[],
  p_edits_id uuid,
  p_repeats_id uuid,
  p_plans text[],
  p_with_history boolean,
  p_most_characters integer,
  p_unconfirmed_messages integer,
  p_with_library boolean default false
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_profile public.profiles;
  v_session public.chat_sessions;
  v_turn public.turns;
  -- The message that the new one follows, the one that it takes the place of or that is answered again, and the new one.
  v_parent public.chat_messages;
  v_replaced public.chat_messages;
  v_former_reply_id uuid;
  v_message_id uuid;
  v_in_place boolean;
  v_history jsonb;
begin
  -- Locks are taken in one order everywhere: chat, profile, turn. The chat's keeps it from being deleted in between; the
  -- profile's lets one member's turns begin one after the other.
  select * into v_session from public.chat_sessions where id = p_session_id for no key update;
  select * into v_profile from public.profiles where auth_id = p_auth_id for no key update;
  if not found then
    return jsonb_build_object('outcome', 'no_profile');
  end if;
  if v_profile.is_deleted then
    return jsonb_build_object('outcome', 'account_closed');
  end if;

  select * into v_turn from public.turns where id = p_turn_id;
  if found then
    if v_turn.user_id <> v_profile.id or v_turn.session_id <> p_session_id then
      return jsonb_build_object('outcome', 'turn_id_taken');
    end if;
    return jsonb_build_object('outcome', 'exists');
  end if;

  if not v_profile.is_active then
    return jsonb_build_object('outcome', 'account_inactive');
  end if;
  if v_profile.plan_ends_at <= now() then
    v_profile := public.apply_plan(v_profile.id);
  end if;
  if not v_profile.subscription_plan = any (p_plans) then
    return jsonb_build_object('outcome', 'plan_required');
  end if;

  -- Whose address is not confirmed may try the coaches, and no more. What failed does not count.
  -- Usage, because a deleted chat takes its turns along; turns, because usage begins anew each month.
  if not v_profile.email_confirmed and p_unconfirmed_messages <= greatest(
    coalesce((public.usage_now(v_profile) ->> 'messages')::numeric, 0),
    (select count(*) from public.turns where user_id = v_profile.id and error_code is null)
  ) then
    return jsonb_build_object('outcome', 'email_unconfirmed');
  end if;

  if v_session.id is null and exists (
    select 1 from public.chat_sessions where id = p_session_id and user_id = v_profile.id
  ) then
    -- Another message of the member made this chat while this one waited for the profile.
    return jsonb_build_object('outcome', 'turn_in_progress');
  end if;
  if v_session.id is not null then
    if v_session.user_id <> v_profile.id then
      return jsonb_build_object('outcome', 'session_not_found');
    end if;
    if v_session.assistant_slug <> p_assistant_slug then
      return jsonb_build_object('outcome', 'coach_mismatch');
    end if;
    if exists (select 1 from public.turns where session_id = p_session_id and finished_at is null) then
      return jsonb_build_object('outcome', 'turn_in_progress');
    end if;
    select * into v_parent from public.chat_messages
    where session_id = p_session_id and is_chosen
    order by created_at desc, id desc
    limit 1;
  end if;
  if coalesce(p_edits_id, p_repeats_id) is not null then
    select * into v_replaced from public.chat_messages
    where id = coalesce(p_edits_id, p_repeats_id) and session_id = p_session_id and sender = 'user' and is_chosen
      and (id = v_parent.id or id = v_parent.parent_id);
    if not found then
      return jsonb_build_object('outcome', 'message_not_found');
    end if;
    if v_replaced.id <> v_parent.id and p_repeats_id is not null then
      v_former_reply_id := v_parent.id;
    end if;
    select * into v_parent from public.chat_messages where id = v_replaced.parent_id;
  end if;

  perform 1 from public.chat_files where id = any (p_file_ids) order by id for update;
  if cardinality(p_file_ids) > 0 and cardinality(p_file_ids) <> (
    select count(*) from public.chat_files
    where id = any (p_file_ids) and user_id = v_profile.id and deleted_at is null
      and (original_id is not null or (message_id is null and session_id is null) or message_id = p_edits_id)
  ) then
    return jsonb_build_object('outcome', 'file_not_found');
  end if;

  if not public.reserve_usage(v_profile.id, 'messages', 1, p_turn_id, p_assistant_slug) then
    return jsonb_build_object(
      'outcome', 'quota_exhausted',
      'allowances', public.meter(v_profile)
    );
  end if;

  if v_session.id is null then
    insert into public.chat_sessions (id, user_id, assistant_slug, title)
    values (p_session_id, v_profile.id, p_assistant_slug, case
      when p_content <> '' then p_title
      else coalesce((select left(min(file_name), 200) from public.chat_files where id = any (p_file_ids)), p_title)
    end)
    returning * into v_session;
  end if;

  v_in_place := coalesce(not p_with_history
    and v_session.thread_id like 'conv\_%'
    and v_parent.id = v_session.conversation_message_id, false);

  if v_replaced.id is not null then
    -- The chosen messages are one line: what is later follows.
    update public.chat_messages
    set is_chosen = false
    where session_id = p_session_id and is_chosen and (
      (created_at, id) > (v_replaced.created_at, v_replaced.id) or id = p_edits_id
    );
  end if;
  if p_repeats_id is null then
    insert into public.chat_messages (session_id, parent_id, sender, content, created_at)
    values (
      p_session_id, v_parent.id, 'user', p_content,
      -- Whoever waited for the locks has an older now() than the message before.
      greatest(clock_timestamp(), v_replaced.created_at + interval '1 us', v_parent.created_at + interval '1 us')
    )
    returning id into v_message_id;
  else
    v_message_id := p_repeats_id;
  end if;

  if cardinality(p_file_ids) > 0 then
    -- A message and the library keep their files: the new message gets a use of its own of each, once.
    -- What OpenAI has of the file is shared; whether the chat's store holds it, another use in the chat tells.
    insert into public.chat_files (
      user_id, session_id, message_id, file_name, file_size, file_type, openai_file_id, vector_store_id, original_id,
      created_at
    )
    select files.user_id, p_session_id, v_message_id, files.file_name, files.file_size, files.file_type,
      coalesce(present.openai_file_id, files.openai_file_id), present.vector_store_id, files.original_id,
      now() + array_position(p_file_ids, files.id) * interval '1 us'
    from (
      select distinct on (coalesce(original_id, id)) * from public.chat_files
      where id = any (p_file_ids) and pending_until is null
      order by coalesce(original_id, id), openai_file_id is null, created_at desc
    ) as files
    left join lateral (
      select openai_file_id, vector_store_id from public.chat_files as same
      where same.session_id = p_session_id and same.original_id = files.original_id
      order by vector_store_id is null, created_at desc
      limit 1
    ) as present on true;
    -- A message has its files in the order in which they are named, not in which their uploads ended.
    update public.chat_files
    set session_id = p_session_id, message_id = v_message_id, pending_until = null,
      created_at = now() + array_position(p_file_ids, id) * interval '1 us'
    where id = any (p_file_ids) and pending_until is not null;
  end if;

  insert into public.turns (id, user_id, session_id, user_message_id, former_reply_id)
  values (p_turn_id, v_profile.id, p_session_id, v_message_id, v_former_reply_id);

  v_history := case
    when v_in_place then '{"messages": [], "shortened": false}'
    else public.turn_history(v_message_id, p_most_characters)
  end;
  return jsonb_build_object(
    'outcome', 'begun',
    'user_id', v_profile.id,
    'user_message_id', v_message_id,
    'content', case when p_repeats_id is null then p_content else v_replaced.content end,
    'title', v_session.title,
    'conversation_id', case when v_in_place then v_session.thread_id end,
    'history', v_history -> 'messages',
    'history_shortened', v_history -> 'shortened',
    'documents', public.place_documents(v_profile.id, p_session_id, v_message_id),
    'vector_store', (
      select jsonb_build_object(
        'store_id', store_id, 'status', status, 'expires_at', expires_at, 'revision', revision, 'attempts', attempts
      )
      from public.vector_stores
      where session_id = p_session_id
    ),
    'library', case when p_with_library then public.library_state(v_profile.id) end,
    'images', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'file_id', files.id,
        'original_id', originals.id,
        'file_name', files.file_name,
        'storage_key', originals.storage_key,
        'file_type', originals.file_type,
        'is_new', files.message_id = v_message_id
      ) order by files.created_at, files.id), '[]')
      from public.chat_files as files
      join public.file_originals as originals on originals.id = files.original_id and originals.kind = 'image'
      join public.chat_messages as messages on messages.id = files.message_id and messages.is_chosen
      where files.session_id = p_session_id
    )
  );
exception when unique_violation then
  -- Another member uses the same id at the same moment, for the turn or for the chat.
  return jsonb_build_object('outcome', 'turn_id_taken');
end
$$;

-- Ends a turn: writes the reply and settles what it cost. `p_status`: done, stopped or failed.
--
-- A reply that was to take the place of another one, and failed or was stopped before its first word, gives it back.
--
-- Done: the real tokens are added. Stopped after the first word: the message counts, with `p_usage` as reported or
-- estimated. Stopped before it, or failed: the message is given back and no token counts; the text so far is kept.
-- `p_conversation_id`: OpenAI's conversation that holds the reply; null: none does. `p_usage`: {input_tokens,
-- cached_tokens, output_tokens}. `p_files_missing`: the model had to do without the files. `p_searched`: OpenAI's stores
-- that the model searched, which OpenAI keeps for `p_store_days` from then on; written when that moves it by an hour.
-- Rings for those who follow the turn in another process. Only for them: transactions that notify are committed one after
-- the other in the whole cluster.
--
-- Returns {status, message_id, allowances}. A turn that has ended stays as it ended: calling again changes nothing and
-- returns {status, message_id}; null where the turn is gone (its chat was deleted).
drop function if exists public.finish_turn(uuid, text, text, text, jsonb, boolean, jsonb, boolean);
drop function if exists public.finish_turn(uuid, text, text, text, jsonb, boolean, boolean, jsonb, text);
create or replace function public.finish_turn(
  p_turn_id uuid,
  p_status text,
  p_error_code text,
  p_content text,
  p_citations jsonb,
  p_incomplete boolean,
  p_history_shortened boolean,
  p_usage jsonb,
  p_conversation_id text,
  p_files_missing boolean default false,
  p_searched text[] default '{}',
  p_store_days integer default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_turn public.turns;
  v_message_id uuid;
  v_counts boolean := p_status = 'done' or (p_status = 'stopped' and p_content <> '');
  v_input_tokens bigint := coalesce((p_usage ->> 'input_tokens')::bigint, 0);
  v_output_tokens bigint := coalesce((p_usage ->> 'output_tokens')::bigint, 0);
  v_allowances jsonb;
begin
  -- Locks in the order of begin_turn, and of deleting a chat: chat, profile, turn.
  select * into v_turn from public.turns where id = p_turn_id;
  perform 1 from public.chat_sessions where id = v_turn.session_id for no key update;
  perform 1 from public.profiles where id = v_turn.user_id for no key update;
  select * into v_turn from public.turns where id = p_turn_id for no key update;
  if not found then
    return null;
  end if;
  if v_turn.finished_at is not null then
    return jsonb_build_object('status', v_turn.status, 'message_id', v_turn.assistant_message_id);
  end if;

  if p_content <> '' then
    insert into public.chat_messages (session_id, parent_id, sender, content, citations, created_at)
    select
      session_id, id, 'assistant', p_content, p_citations,
      greatest(clock_timestamp(), created_at + interval '1 us')
    from public.chat_messages
    where id = v_turn.user_message_id
    returning id into v_message_id;
  end if;
  if v_turn.former_reply_id is not null and not v_counts then
    -- Asking for another reply must not cost the one that was there; what was said of the new one is kept beside it.
    update public.chat_messages
    set is_chosen = id = v_turn.former_reply_id
    where id in (v_turn.former_reply_id, v_message_id);
  end if;

  update public.turns
  set status = p_status,
    error_code = p_error_code,
    reply = '',
    incomplete = p_incomplete,
    history_shortened = p_history_shortened,
    files_missing = p_files_missing,
    assistant_message_id = v_message_id,
    input_tokens = v_input_tokens,
    cached_tokens = coalesce((p_usage ->> 'cached_tokens')::bigint, 0),
    output_tokens = v_output_tokens,
    finished_at = now()
  where id = p_turn_id;

  -- What OpenAI made of a turn that did not end well is not known: its conversation is made anew.
  update public.chat_sessions
  set conversation_message_id = case when thread_id = p_conversation_id then v_message_id end
  where id = v_turn.session_id and (p_conversation_id is not null or conversation_message_id is not null);

  if cardinality(p_searched) > 0 then
    update public.vector_stores
    set expires_at = now() + make_interval(days => p_store_days)
    where store_id = any (p_searched) and user_id = v_turn.user_id and status = 'active'
      and expires_at < now() + make_interval(days => p_store_days) - interval '1 hour';
  end if;

  v_allowances := public.settle_usage(
    v_turn.user_id,
    case when v_counts then 0 else 1 end,
    0,
    case when v_counts then v_input_tokens + v_output_tokens else 0 end,
    v_turn.created_at,
    p_turn_id,
    p_usage
  );
  if v_turn.followed_at is not null then
    perform pg_notify('touchline_turns', p_turn_id::text);
  end if;
  return jsonb_build_object('status', p_status, 'message_id', v_message_id, 'allowances', v_allowances);
end
$$;

-- Ends a turn that its server left, with the text that was kept: `p_silence` long nothing was heard of it. Returns whether
-- it has; one whose server was heard of meanwhile, or that has ended, goes on as it is.
create or replace function public.fail_abandoned_turn(p_turn_id uuid, p_silence interval)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_turn public.turns;
begin
  -- Locks in the order of finish_turn, which takes them again.
  select * into v_turn from public.turns where id = p_turn_id;
  perform 1 from public.chat_sessions where id = v_turn.session_id for no key update;
  perform 1 from public.profiles where id = v_turn.user_id for no key update;
  select * into v_turn from public.turns where id = p_turn_id for no key update;
  if not found or v_turn.finished_at is not null or v_turn.heartbeat_at > now() - p_silence then
    return false;
  end if;
  perform public.finish_turn(p_turn_id, 'failed', 'server_stopped', v_turn.reply, '[]', false, false, '{}', null);
  return true;
end
$$;

-- Drops what OpenAI holds of chats, because something in them was deleted: their next turns make a conversation anew from our
-- rows. The caller has locked them. A reply that is being given has its conversation for another hour.
create or replace function public.forget_conversations(p_session_ids uuid[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_busy text[] := array(
    select thread_id from public.chat_sessions
    where id = any (p_session_ids) and thread_id like 'conv\_%'
      and exists (select from public.turns where session_id = chat_sessions.id and finished_at is null)
  );
begin
  update public.chat_sessions
  set thread_id = null, conversation_message_id = null
  where id = any (p_session_ids) and thread_id like 'conv\_%';
  update public.erasures
  set next_attempt_at = now() + interval '1 hour'
  where kind = 'openai_conversation' and external_id = any (v_busy);
end
$$;

-- That OpenAI has forgotten a chat is no news in it: it stays where it is in the sidebar. Comes after the trigger of 04.
create or replace function public.keep_updated_at()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.updated_at := old.updated_at;
  return new;
end
$$;

create or replace trigger chat_sessions_without_conversation
  before update of thread_id on public.chat_sessions
  for each row
  when (old.thread_id is not null and new.thread_id is null)
  execute function public.keep_updated_at();

-- Keeps the text so far of many turns, says that their server is alive, and rings for those who follow one in another
-- process: the channel carries turn ids, as many in a notification as fit. `p_turns`: [{id, reply}].
-- Returns, of those turns, the ones that go on: [{id, stop_requested}]. One that is missing has ended or is gone.
create or replace function public.checkpoint_turns(p_turns jsonb)
returns jsonb
language sql
set search_path = ''
as $$
  with kept as (
    update public.turns
    set reply = running.reply,
      status = case when running.reply = '' then turns.status else 'answering' end,
      heartbeat_at = now()
    from jsonb_to_recordset(p_turns) as running(id uuid, reply text)
    where turns.id = running.id and turns.finished_at is null
    returning turns.id, turns.stop_requested_at is not null as stop_requested, turns.followed_at
  ),
  rung as (
    select pg_notify('touchline_turns', string_agg(id::text, ' '))
    from (select id, (row_number() over () - 1) / 200 as batch from kept where followed_at is not null) as batched
    group by batch
  )
  select coalesce(jsonb_agg(jsonb_build_object('id', id, 'stop_requested', stop_requested)), '[]')
  from kept
  where (select count(*) from rung) >= 0
$$;

-- A running turn whose chat is deleted costs what a stop at this moment would: nothing before the first
-- word, afterwards the message and the tokens of the text so far, estimated at four characters each.
-- Definer: a member who deletes a chat over the Data API may not change the meter.
create or replace function public.settle_deleted_turn()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if old.reply = '' then
    perform public.settle_usage(old.user_id, 1, 0, 0, old.created_at, old.id);
  else
    perform public.settle_usage(old.user_id, 0, 0, (length(old.reply) + 3) / 4, old.created_at, old.id);
  end if;
  return old;
end
$$;

create or replace trigger turns_settle_deleted
  before delete on public.turns
  for each row
  when (old.finished_at is null)
  execute function public.settle_deleted_turn();

revoke execute on function public.settle_deleted_turn() from public, anon, authenticated, service_role;
revoke execute on function public.forget_conversations(uuid[]) from public, anon, authenticated, service_role;
revoke execute on function public.keep_updated_at() from public, anon, authenticated, service_role;
revoke execute on function public.turn_history(uuid, integer) from public, anon, authenticated, service_role;
revoke execute on function
  public.begin_turn(uuid, uuid, uuid, text, text, text, uuid[], uuid, uuid, text[], boolean, integer, integer, boolean)
  from public, anon, authenticated, service_role;
revoke execute on function
  public.finish_turn(uuid, text, text, text, jsonb, boolean, boolean, jsonb, text, boolean, text[], integer)
  from public, anon, authenticated, service_role;
revoke execute on function public.fail_abandoned_turn(uuid, interval)
  from public, anon, authenticated, service_role;
revoke execute on function public.checkpoint_turns(jsonb) from public, anon, authenticated, service_role;
