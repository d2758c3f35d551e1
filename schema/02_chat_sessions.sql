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

-- An older form of the table, brought to the present one; README.md, "An older database", says what becomes of what.
do $$
declare
  the_table constant regclass := 'public.chat_sessions';
  policies constant text[] := array['Members read their own chats', 'Members rename their own chats', 'Members delete their own chats'];
  -- Column, type, default, 'required', and what an older row without a value gets where that is not the default.
  present constant text[] := array[
    ['id', 'uuid', 'gen_random_uuid()', 'required', null],
    ['user_id', 'uuid', null, 'required', null],
    ['assistant_slug', 'text', null, 'required', null],
    ['thread_id', 'text', null, null, null],
    ['title', 'text', '''New chat''', 'required', null],
    ['created_at', 'timestamp with time zone', 'now()', 'required', null],
    ['updated_at', 'timestamp with time zone', 'now()', 'required', 'created_at']
  ];
  wanted text[];
  step record;
  older text;
  row_count bigint;
begin
  for step in select polname from pg_catalog.pg_policy where polrelid = the_table and polname <> all (policies) loop
    execute format('drop policy %I on %s', step.polname, the_table);
    raise notice 'chat_sessions: the policy "%" is none of ours and was dropped', step.polname;
  end loop;

  -- The present form has had this constraint from its first version on.
  if exists (select from pg_catalog.pg_constraint where conrelid = the_table and conname = 'chat_sessions_title_is_short') then
    return;
  end if;
  lock table public.chat_sessions in access exclusive mode;
  -- A time without zone is taken for UTC, as Supabase writes it.
  perform set_config('timezone', 'UTC', true);
  alter table public.chat_sessions no force row level security;

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
      raise exception 'chat_sessions: something of your own needs the older % "%"; drop that, then run this file again', step.kind, step.name
        using errcode = sqlstate, detail = sqlerrm, hint = 'It can be made anew afterwards, on the primary key.';
    end;
    raise notice 'chat_sessions: the older % "%" was dropped', step.kind, step.name;
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
          raise exception 'chat_sessions: % row(s) have a value in "%" that is no uuid; give them one, then run this file again',
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
        select count(*) from public.chat_sessions into row_count;
        raise exception 'chat_sessions: "%" cannot become % in the % row(s) there are (%); put that right, then run this file again',
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
      raise exception 'chat_sessions: % row(s) have no "%"; give them one, then run this file again', row_count, wanted[1]
        using errcode = 'not_null_violation',
        hint = format('select * from %s where %I is null;', the_table, wanted[1]);
    end if;
    execute format('alter table %s alter column %I set not null', the_table, wanted[1]);
  end loop;

  -- An owner that is named by the id at Auth.
  update public.chat_sessions set user_id = profiles.id from public.profiles
  where profiles.auth_id = chat_sessions.user_id
    and not exists (select from public.profiles as same where same.id = chat_sessions.user_id);
  update public.chat_sessions set title = default where btrim(title) = '';

  for step in
    select sentence, condition from (values
      ('have an id that another row has too; give one of them another',
        $q$id in (select id from public.chat_sessions group by 1 having count(*) > 1)$q$),
      ('belong to nobody in profiles; insert the profile or delete them',
        $q$not exists (select from public.profiles where profiles.id = chat_sessions.user_id)$q$),
      ('have an assistant_slug that is none; write it in small letters, digits and underscores',
        $q$assistant_slug !~ '^[a-z][a-z0-9_]{0,62}$'$q$),
      ('have a title of more than 200 characters; shorten it',
        $q$char_length(title) > 200$q$)
    ) as problem(sentence, condition)
  loop
    execute format('select count(*) from %s where %s', the_table, step.condition) into row_count;
    if row_count > 0 then
      raise exception 'chat_sessions: % row(s) %, then run this file again', row_count, step.sentence
        using errcode = 'check_violation',
        hint = format('select * from %s where %s;', the_table, step.condition);
    end if;
  end loop;
  -- A column of the owner's own that nothing here would fill.
  select string_agg(quote_ident(attname), ', ') into older from pg_catalog.pg_attribute
  where attrelid = the_table and attnum > 0 and not attisdropped and attnotnull and not atthasdef
    and attidentity = '' and attname::text <> all (present[:][1:1]);
  if older is not null then
    raise exception 'chat_sessions: all rows must have a value in %, which nothing of ours fills; drop its "not null" or give it a default, then run this file again', older
      using errcode = 'not_null_violation',
      hint = 'alter table … alter column … drop not null;';
  end if;

  select conname into older from pg_catalog.pg_constraint where conrelid = the_table and contype = 'p';
  if older is null then
    alter table public.chat_sessions add constraint chat_sessions_pkey primary key (id);
  elsif older <> 'chat_sessions_pkey' then
    execute format('alter table %s rename constraint %I to chat_sessions_pkey', the_table, older);
  end if;
  alter table public.chat_sessions
    add constraint chat_sessions_user_id_fkey foreign key (user_id) references public.profiles (id) on delete cascade,
    add constraint chat_sessions_assistant_slug_is_slug check (assistant_slug ~ '^[a-z][a-z0-9_]{0,62}$'),
    add constraint chat_sessions_title_is_short check (char_length(title) between 1 and 200);
end
$$;

comment on column public.chat_sessions.assistant_slug is 'The coach: the name of a file in coaches/.';
comment on column public.chat_sessions.thread_id is 'The OpenAI conversation (conv_…); null until there is one.';

-- Grants. Members read, rename and delete their own chats; only the server starts one.
revoke all on public.chat_sessions from public, anon, authenticated, service_role;
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
