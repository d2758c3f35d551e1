-- 06 · Chat files: each use of a file in a chat.
--
-- `session_id` and `message_id` are null until the file belongs to a chat and its message is sent.
-- Safe to run again.

create table if not exists public.chat_files (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  session_id uuid,
  message_id uuid,
  file_name text not null,
  file_size bigint not null,
  file_type text not null,
  openai_file_id text,
  vector_store_id text,
  created_at timestamptz not null default now(),
  constraint chat_files_pkey primary key (id),
  constraint chat_files_user_id_fkey foreign key (user_id) references public.profiles (id) on delete cascade,
  constraint chat_files_session_id_fkey foreign key (session_id)
    references public.chat_sessions (id) on delete cascade,
  constraint chat_files_message_id_fkey foreign key (message_id)
    references public.chat_messages (id) on delete set null,
  constraint chat_files_file_name_is_short check (char_length(file_name) between 1 and 255),
  constraint chat_files_file_size_is_positive check (file_size >= 0),
  constraint chat_files_message_has_session check (message_id is null or session_id is not null)
);

-- An older form of the table, brought to the present one; README.md, "An older database", says what becomes of what.
do $$
declare
  the_table constant regclass := 'public.chat_files';
  policies constant text[] := array['Members read their own files'];
  -- Column, type, default, 'required', and what an older row without a value gets where that is not the default.
  present constant text[] := array[
    ['id', 'uuid', 'gen_random_uuid()', 'required', null],
    ['user_id', 'uuid', null, 'required', null],
    ['session_id', 'uuid', null, null, null],
    ['message_id', 'uuid', null, null, null],
    ['file_name', 'text', null, 'required', null],
    ['file_size', 'bigint', null, 'required', null],
    ['file_type', 'text', null, 'required', '''application/octet-stream'''],
    ['openai_file_id', 'text', null, null, null],
    ['vector_store_id', 'text', null, null, null],
    ['created_at', 'timestamp with time zone', 'now()', 'required', null]
  ];
  wanted text[];
  step record;
  older text;
  row_count bigint;
begin
  for step in select polname from pg_catalog.pg_policy where polrelid = the_table and polname <> all (policies) loop
    execute format('drop policy %I on %s', step.polname, the_table);
    raise notice 'chat_files: the policy "%" is none of ours and was dropped', step.polname;
  end loop;

  -- The present form has had this constraint from its first version on.
  if exists (select from pg_catalog.pg_constraint where conrelid = the_table and conname = 'chat_files_message_has_session') then
    return;
  end if;
  lock table public.chat_files in access exclusive mode;
  -- A time without zone is taken for UTC, as Supabase writes it.
  perform set_config('timezone', 'UTC', true);
  alter table public.chat_files no force row level security;

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
      raise exception 'chat_files: something of your own needs the older % "%"; drop that, then run this file again', step.kind, step.name
        using errcode = sqlstate, detail = sqlerrm, hint = 'It can be made anew afterwards, on the primary key.';
    end;
    raise notice 'chat_files: the older % "%" was dropped', step.kind, step.name;
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
          raise exception 'chat_files: % row(s) have a value in "%" that is no uuid; give them one, then run this file again',
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
        select count(*) from public.chat_files into row_count;
        raise exception 'chat_files: "%" cannot become % in the % row(s) there are (%); put that right, then run this file again',
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
      raise exception 'chat_files: % row(s) have no "%"; give them one, then run this file again', row_count, wanted[1]
        using errcode = 'not_null_violation',
        hint = format('select * from %s where %I is null;', the_table, wanted[1]);
    end if;
    execute format('alter table %s alter column %I set not null', the_table, wanted[1]);
  end loop;

  -- An owner that is named by the id at Auth.
  update public.chat_files set user_id = profiles.id from public.profiles
  where profiles.auth_id = chat_files.user_id
    and not exists (select from public.profiles as same where same.id = chat_files.user_id);
  update public.chat_files set session_id = messages.session_id from public.chat_messages as messages
  where messages.id = chat_files.message_id and chat_files.session_id is null;

  for step in
    select sentence, condition from (values
      ('have an id that another row has too; give one of them another',
        $q$id in (select id from public.chat_files group by 1 having count(*) > 1)$q$),
      ('belong to nobody in profiles; insert the profile or delete them',
        $q$not exists (select from public.profiles where profiles.id = chat_files.user_id)$q$),
      ('belong to a chat that is not in chat_sessions; set their session_id and message_id to null or delete them',
        $q$session_id is not null and not exists (select from public.chat_sessions where chat_sessions.id = chat_files.session_id)$q$),
      ('belong to a message that is not in chat_messages; set their message_id to null',
        $q$message_id is not null and not exists (select from public.chat_messages where chat_messages.id = chat_files.message_id)$q$),
      ('belong to somebody else''s chat or to a message of another chat; correct or delete them',
        $q$not exists (select from public.chat_sessions as chat where chat.id = session_id and chat.user_id = chat_files.user_id) and session_id is not null or message_id is not null and not exists (select from public.chat_messages as message where message.id = message_id and message.session_id = chat_files.session_id)$q$),
      ('have a file_name that is empty or longer than 255 characters; shorten or give it',
        $q$char_length(file_name) not between 1 and 255$q$),
      ('have a file_size below zero; correct it',
        $q$file_size < 0$q$)
    ) as problem(sentence, condition)
  loop
    execute format('select count(*) from %s where %s', the_table, step.condition) into row_count;
    if row_count > 0 then
      raise exception 'chat_files: % row(s) %, then run this file again', row_count, step.sentence
        using errcode = 'check_violation',
        hint = format('select * from %s where %s;', the_table, step.condition);
    end if;
  end loop;
  -- A column of the owner's own that nothing here would fill.
  select string_agg(quote_ident(attname), ', ') into older from pg_catalog.pg_attribute
  where attrelid = the_table and attnum > 0 and not attisdropped and attnotnull and not atthasdef
    and attidentity = '' and attname::text <> all (present[:][1:1]);
  if older is not null then
    raise exception 'chat_files: all rows must have a value in %, which nothing of ours fills; drop its "not null" or give it a default, then run this file again', older
      using errcode = 'not_null_violation',
      hint = 'alter table … alter column … drop not null;';
  end if;

  update public.chat_messages set has_files = true
  where not has_files and id in (select message_id from public.chat_files);

  select conname into older from pg_catalog.pg_constraint where conrelid = the_table and contype = 'p';
  if older is null then
    alter table public.chat_files add constraint chat_files_pkey primary key (id);
  elsif older <> 'chat_files_pkey' then
    execute format('alter table %s rename constraint %I to chat_files_pkey', the_table, older);
  end if;
  alter table public.chat_files
    add constraint chat_files_user_id_fkey foreign key (user_id) references public.profiles (id) on delete cascade,
    add constraint chat_files_session_id_fkey foreign key (session_id)
      references public.chat_sessions (id) on delete cascade,
    add constraint chat_files_message_id_fkey foreign key (message_id)
      references public.chat_messages (id) on delete set null,
    add constraint chat_files_file_name_is_short check (char_length(file_name) between 1 and 255),
    add constraint chat_files_file_size_is_positive check (file_size >= 0),
    add constraint chat_files_message_has_session check (message_id is null or session_id is not null);
end
$$;

comment on column public.chat_files.file_size is 'Bytes.';
comment on column public.chat_files.file_type is 'MIME type, found by content.';
comment on column public.chat_files.openai_file_id is 'OpenAI''s file (file-…); null until it was uploaded there.';
comment on column public.chat_files.vector_store_id is 'OpenAI''s vector store (vs_…): vector_stores.store_id, see 07.';

create index if not exists chat_files_user_id_idx on public.chat_files (user_id);
create index if not exists chat_files_session_id_idx on public.chat_files (session_id);
create index if not exists chat_files_message_id_idx on public.chat_files (message_id);
create index if not exists chat_files_openai_file_id_idx
  on public.chat_files (openai_file_id) where openai_file_id is not null;

-- Grants. Members read; the server writes.
revoke all on public.chat_files from public, anon, authenticated, service_role;
grant select on public.chat_files to authenticated;
grant select, insert, update, delete on public.chat_files to service_role;

alter table public.chat_files enable row level security;

drop policy if exists "Members read their own files" on public.chat_files;
create policy "Members read their own files" on public.chat_files
  for select to authenticated
  using (user_id in (select id from public.profiles where auth_id = (select auth.uid()) and not is_deleted));

-- A file, its chat and its message belong to one member and to each other.
create or replace function public.check_chat_file_belongs()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if new.session_id is not null and not exists (
    select 1 from public.chat_sessions where id = new.session_id and user_id = new.user_id
  ) then
    raise exception 'chat_files: the chat belongs to somebody else'
      using errcode = 'check_violation', constraint = 'chat_files_session_is_the_members';
  end if;
  if new.message_id is not null and not exists (
    select 1 from public.chat_messages where id = new.message_id and session_id = new.session_id
  ) then
    raise exception 'chat_files: the message belongs to another chat'
      using errcode = 'check_violation', constraint = 'chat_files_message_is_the_chats';
  end if;
  return new;
end
$$;

revoke execute on function public.check_chat_file_belongs() from public, anon, authenticated;

create or replace trigger chat_files_check_belongs
  before insert or update of user_id, session_id, message_id on public.chat_files
  for each row execute function public.check_chat_file_belongs();

create or replace trigger chat_files_set_message_has_files
  after insert or delete or update of message_id on public.chat_files
  for each row execute function public.set_message_has_files();
