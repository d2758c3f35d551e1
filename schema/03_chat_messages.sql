-- 03 · Chat messages: what the member and the coach said.
--
-- Safe to run again.

create table if not exists public.chat_messages (
  id uuid not null default public.uuid_v7(),
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

-- An older form of the table, brought to the present one; README.md, "An older database", says what becomes of what.
do $$
declare
  the_table constant regclass := 'public.chat_messages';
  policies constant text[] := array['Members read the messages of their own chats'];
  -- Column, type, default, 'required', and what an older row without a value gets where that is not the default.
  present constant text[] := array[
    ['id', 'uuid', 'public.uuid_v7()', 'required', null],
    ['session_id', 'uuid', null, 'required', null],
    ['sender', 'text', null, 'required', null],
    ['content', 'text', null, 'required', null],
    ['has_files', 'boolean', 'false', 'required', null],
    ['created_at', 'timestamp with time zone', 'now()', 'required', null]
  ];
  wanted text[];
  step record;
  older text;
  row_count bigint;
begin
  for step in select polname from pg_catalog.pg_policy where polrelid = the_table and polname <> all (policies) loop
    execute format('drop policy %I on %s', step.polname, the_table);
    raise notice 'chat_messages: the policy "%" is none of ours and was dropped', step.polname;
  end loop;

  -- The present form has had this constraint from its first version on.
  if exists (select from pg_catalog.pg_constraint where conrelid = the_table and conname = 'chat_messages_sender_is_known') then
    return;
  end if;
  lock table public.chat_messages in access exclusive mode;
  -- A time without zone is taken for UTC, as Supabase writes it.
  perform set_config('timezone', 'UTC', true);
  alter table public.chat_messages no force row level security;

  -- What hangs on the older columns: policies, triggers, and constraints and indexes over columns of ours alone.
  for step in
    with ours as (
      select attnum, attname = 'id' as is_id, atttypid from pg_catalog.pg_attribute
      where attrelid = the_table and attname::text = any (present[:][1:1])
    ), tables as (
      select oid from pg_catalog.pg_class where relnamespace = 'public'::regnamespace
        and relname in ('profiles', 'chat_sessions', 'chat_messages', 'chat_files', 'vector_stores')
    )
    select 1 as place, 'policy' as kind, polname as name, polrelid::regclass as holder from pg_catalog.pg_policy
    where polrelid = the_table or polrelid in (select oid from tables) and exists (
      select from pg_catalog.pg_depend
      where classid = 'pg_catalog.pg_policy'::regclass and objid = pg_policy.oid and refobjid = the_table
    )
    union all
    select 2, 'trigger', tgname, the_table from pg_catalog.pg_trigger where tgrelid = the_table and not tgisinternal
    union all
    select case contype when 'f' then 3 else 4 end, 'constraint', conname, conrelid from pg_catalog.pg_constraint
    where conrelid = the_table and contype in ('c', 'f', 'u', 'x') and conkey <@ array(select attnum from ours)
      or conrelid = the_table and contype = 'p' and conkey <> array(select attnum from ours where is_id)
      -- A key of another table of ours that must change along; the later files make it anew.
      or confrelid = the_table and conrelid in (select oid from tables) and not exists (
        select from ours where is_id and atttypid = 'uuid'::regtype and array[attnum] = confkey
      )
    union all
    select 5, 'index', relname, the_table from pg_catalog.pg_index join pg_catalog.pg_class on oid = indexrelid
    where indrelid = the_table
      and not exists (select from pg_catalog.pg_constraint where conindid = indexrelid and contype in ('p', 'u', 'x'))
      and indkey::smallint[] <@ (array(select attnum from ours) || 0::smallint)
    order by place
  loop
    begin
      execute format(
        case step.kind
          when 'index' then 'drop index public.%I'
          when 'constraint' then 'alter table %2$s drop constraint if exists %1$I'
          else 'drop ' || step.kind || ' %I on %s'
        end, step.name, step.holder
      );
    exception when dependent_objects_still_exist then
      raise exception 'chat_messages: something of your own needs the older % "%"; drop that, then run this file again', step.kind, step.name
        using errcode = sqlstate, detail = sqlerrm, hint = 'It can be made anew afterwards, on the primary key.';
    end;
    raise notice 'chat_messages: the older % "%" was dropped', step.kind, step.name;
  end loop;

  foreach wanted slice 1 in array present loop
    execute format(
      'alter table %s add column if not exists %I %s %s', the_table, wanted[1], wanted[2],
      case when wanted[5] is null then 'default ' || wanted[3] end
    );
    select format_type(atttypid, atttypmod) into older from pg_catalog.pg_attribute
    where attrelid = the_table and attname = wanted[1];
    if older <> wanted[2] then
      if wanted[2] = 'uuid' then
        execute format(
          'select count(*) from %s where %I::text !~* ''^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$''',
          the_table, wanted[1]
        ) into row_count;
        if row_count > 0 then
          raise exception 'chat_messages: % row(s) have a value in "%" that is no uuid; give them one, then run this file again',
            row_count, wanted[1] using errcode = 'invalid_text_representation',
            hint = 'Where other tables refer to this column, change them in the same transaction.';
        end if;
      end if;
      begin
        execute format('alter table %s alter column %I drop default', the_table, wanted[1]);
        execute format(
          case when older ~ '^(timestamp|date|character varying)' then 'alter table %s alter column %I type %s using %2$I::%3$s'
            else 'alter table %s alter column %I type %s using %2$I::text::%3$s' end,
          the_table, wanted[1], wanted[2]
        );
      exception when data_exception or feature_not_supported or datatype_mismatch then
        select count(*) from public.chat_messages into row_count;
        raise exception 'chat_messages: "%" cannot become % in the % row(s) there are (%); put that right, then run this file again',
          wanted[1], wanted[2], row_count, sqlerrm using errcode = sqlstate,
          hint = 'A view, or a key of another table, can be dropped and made anew afterwards.';
      end;
    end if;
    execute format(
      'alter table %s alter column %I %s', the_table, wanted[1], coalesce('set default ' || wanted[3], 'drop default')
    );
    if wanted[4] is null then
      execute format('alter table %s alter column %I drop not null', the_table, wanted[1]);
      continue;
    end if;
    if coalesce(wanted[5], wanted[3]) is not null then
      execute format(
        'update %s set %I = %s where %2$I is null', the_table, wanted[1], coalesce(wanted[5], wanted[3])
      );
    end if;
    execute format('select count(*) from %s where %I is null', the_table, wanted[1]) into row_count;
    if row_count > 0 then
      raise exception 'chat_messages: % row(s) have no "%"; give them one, then run this file again', row_count, wanted[1]
        using errcode = 'not_null_violation',
        hint = format('select * from %s where %I is null;', the_table, wanted[1]);
    end if;
    execute format('alter table %s alter column %I set not null', the_table, wanted[1]);
  end loop;

  for step in
    select sentence, condition from (values
      ('have an id that another row has too; give one of them another',
        $q$id in (select id from public.chat_messages group by 1 having count(*) > 1)$q$),
      ('belong to no chat in chat_sessions; insert the chat or delete them',
        $q$not exists (select from public.chat_sessions where chat_sessions.id = chat_messages.session_id)$q$),
      ('have a sender that is neither user nor assistant; correct or delete them',
        $q$sender not in ('user', 'assistant')$q$)
    ) as problem(sentence, condition)
  loop
    execute format('select count(*) from %s where %s', the_table, step.condition) into row_count;
    if row_count > 0 then
      raise exception 'chat_messages: % row(s) %, then run this file again', row_count, step.sentence
        using errcode = 'check_violation',
        hint = format('select * from %s where %s;', the_table, step.condition);
    end if;
  end loop;
  -- A column of the owner's own that nothing here would fill.
  select string_agg(quote_ident(attname), ', ') into older from pg_catalog.pg_attribute
  where attrelid = the_table and attnum > 0 and not attisdropped and attnotnull and not atthasdef
    and attidentity = '' and attname::text <> all (present[:][1:1]);
  if older is not null then
    raise exception 'chat_messages: all rows must have a value in %, which nothing of ours fills; drop its "not null" or give it a default, then run this file again', older
      using errcode = 'not_null_violation',
      hint = 'alter table … alter column … drop not null;';
  end if;

  select conname into older from pg_catalog.pg_constraint where conrelid = the_table and contype = 'p';
  if older is null then
    alter table public.chat_messages add constraint chat_messages_pkey primary key (id);
  elsif older <> 'chat_messages_pkey' then
    execute format('alter table %s rename constraint %I to chat_messages_pkey', the_table, older);
  end if;
  alter table public.chat_messages
    add constraint chat_messages_session_id_fkey foreign key (session_id)
      references public.chat_sessions (id) on delete cascade,
    add constraint chat_messages_sender_is_known check (sender in ('user', 'assistant'));
end
$$;

-- Where the table has its present form, but random ids: those stay, new ones begin with their time.
alter table public.chat_messages alter column id set default public.uuid_v7();

-- Grants. Members read; every message is written by the server.
revoke all on public.chat_messages from public, anon, authenticated, service_role;
grant select on public.chat_messages to authenticated;
grant select, insert, update, delete on public.chat_messages to service_role;

alter table public.chat_messages enable row level security;

-- The sub-select passes through the policy of chat_sessions.
drop policy if exists "Members read the messages of their own chats" on public.chat_messages;
create policy "Members read the messages of their own chats" on public.chat_messages
  for select to authenticated
  using (exists (select 1 from public.chat_sessions where chat_sessions.id = chat_messages.session_id));
