-- 07 · Vector stores: what OpenAI keeps of a member's files so that a model can search them.
--
-- A store expires at OpenAI and is made anew from our own copies: the row stays, `store_id` changes.
-- Safe to run again.

create table if not exists public.vector_stores (
  id uuid not null default gen_random_uuid(),
  store_id text not null,
  user_id uuid not null,
  session_id uuid,
  name text not null,
  file_count integer not null default 0,
  expires_at timestamptz,
  status text not null default 'active',
  expired_at timestamptz,
  openai_metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint vector_stores_pkey primary key (id),
  constraint vector_stores_store_id_key unique (store_id),
  constraint vector_stores_user_id_fkey foreign key (user_id) references public.profiles (id) on delete cascade,
  constraint vector_stores_session_id_fkey foreign key (session_id)
    references public.chat_sessions (id) on delete cascade,
  constraint vector_stores_file_count_is_positive check (file_count >= 0),
  constraint vector_stores_status_is_known check (status in ('active', 'expired', 'recreating')),
  constraint vector_stores_expired_at_agrees check ((status = 'active') = (expired_at is null)),
  constraint vector_stores_openai_metadata_is_object check (jsonb_typeof(openai_metadata) = 'object')
);

-- An older form of the table, brought to the present one; README.md, "An older database", says what becomes of what.
do $$
declare
  the_table constant regclass := 'public.vector_stores';
  policies constant text[] := array['Members read their own vector stores'];
  -- Column, type, default, 'required', and what an older row without a value gets where that is not the default.
  present constant text[] := array[
    ['id', 'uuid', 'gen_random_uuid()', 'required', null],
    ['store_id', 'text', null, 'required', null],
    ['user_id', 'uuid', null, 'required', null],
    ['session_id', 'uuid', null, null, null],
    ['name', 'text', null, 'required', '''Files'''],
    ['file_count', 'integer', '0', 'required', null],
    ['expires_at', 'timestamp with time zone', null, null, null],
    ['status', 'text', '''active''', 'required', null],
    ['expired_at', 'timestamp with time zone', null, null, null],
    ['openai_metadata', 'jsonb', '''{}''', 'required', null],
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
    raise notice 'vector_stores: the policy "%" is none of ours and was dropped', step.polname;
  end loop;

  -- The present form has had this constraint from its first version on.
  if exists (select from pg_catalog.pg_constraint where conrelid = the_table and conname = 'vector_stores_expired_at_agrees') then
    return;
  end if;
  lock table public.vector_stores in access exclusive mode;
  -- A time without zone is taken for UTC, as Supabase writes it.
  perform set_config('timezone', 'UTC', true);
  alter table public.vector_stores no force row level security;

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
      raise exception 'vector_stores: something of your own needs the older % "%"; drop that, then run this file again', step.kind, step.name
        using errcode = sqlstate, detail = sqlerrm, hint = 'It can be made anew afterwards, on the primary key.';
    end;
    raise notice 'vector_stores: the older % "%" was dropped', step.kind, step.name;
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
          raise exception 'vector_stores: % row(s) have a value in "%" that is no uuid; give them one, then run this file again',
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
        select count(*) from public.vector_stores into row_count;
        raise exception 'vector_stores: "%" cannot become % in the % row(s) there are (%); put that right, then run this file again',
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
      raise exception 'vector_stores: % row(s) have no "%"; give them one, then run this file again', row_count, wanted[1]
        using errcode = 'not_null_violation',
        hint = format('select * from %s where %I is null;', the_table, wanted[1]);
    end if;
    execute format('alter table %s alter column %I set not null', the_table, wanted[1]);
  end loop;

  -- An owner that is named by the id at Auth.
  update public.vector_stores set user_id = profiles.id from public.profiles
  where profiles.auth_id = vector_stores.user_id
    and not exists (select from public.profiles as same where same.id = vector_stores.user_id);

  for step in
    select sentence, condition from (values
      ('have an id that another row has too; give one of them another',
        $q$id in (select id from public.vector_stores group by 1 having count(*) > 1)$q$),
      ('have a store_id that another row has too; keep one of them',
        $q$store_id in (select store_id from public.vector_stores group by 1 having count(*) > 1)$q$),
      ('belong to nobody in profiles; insert the profile or delete them',
        $q$not exists (select from public.profiles where profiles.id = vector_stores.user_id)$q$),
      ('belong to a chat that is not in chat_sessions; set their session_id to null or delete them',
        $q$session_id is not null and not exists (select from public.chat_sessions where chat_sessions.id = vector_stores.session_id)$q$),
      ('belong to a chat that has another store; set session_id to null in all but the one in use',
        $q$session_id in (select session_id from public.vector_stores group by 1 having count(*) > 1)$q$),
      ('have a status other than active, expired and recreating; correct it',
        $q$status not in ('active', 'expired', 'recreating')$q$),
      ('have openai_metadata that is no JSON object; correct it',
        $q$jsonb_typeof(openai_metadata) <> 'object'$q$)
    ) as problem(sentence, condition)
  loop
    execute format('select count(*) from %s where %s', the_table, step.condition) into row_count;
    if row_count > 0 then
      raise exception 'vector_stores: % row(s) %, then run this file again', row_count, step.sentence
        using errcode = 'check_violation',
        hint = format('select * from %s where %s;', the_table, step.condition);
    end if;
  end loop;
  -- A column of the owner's own that nothing here would fill.
  select string_agg(quote_ident(attname), ', ') into older from pg_catalog.pg_attribute
  where attrelid = the_table and attnum > 0 and not attisdropped and attnotnull and not atthasdef
    and attidentity = '' and attname::text <> all (present[:][1:1]);
  if older is not null then
    raise exception 'vector_stores: all rows must have a value in %, which nothing of ours fills; drop its "not null" or give it a default, then run this file again', older
      using errcode = 'not_null_violation',
      hint = 'alter table … alter column … drop not null;';
  end if;

  update public.vector_stores set expired_at = null where status = 'active' and expired_at is not null;
  update public.vector_stores set expired_at = updated_at where status <> 'active' and expired_at is null;
  -- A file may name its store by our id; a store counts its files.
  update public.chat_files set vector_store_id = stores.store_id from public.vector_stores as stores
  where stores.id::text = chat_files.vector_store_id;
  update public.vector_stores set file_count = (
    select count(*) from public.chat_files where chat_files.vector_store_id = vector_stores.store_id
  );

  select conname into older from pg_catalog.pg_constraint where conrelid = the_table and contype = 'p';
  if older is null then
    alter table public.vector_stores add constraint vector_stores_pkey primary key (id);
  elsif older <> 'vector_stores_pkey' then
    execute format('alter table %s rename constraint %I to vector_stores_pkey', the_table, older);
  end if;
  alter table public.vector_stores
    add constraint vector_stores_store_id_key unique (store_id),
    add constraint vector_stores_user_id_fkey foreign key (user_id) references public.profiles (id) on delete cascade,
    add constraint vector_stores_session_id_fkey foreign key (session_id)
      references public.chat_sessions (id) on delete cascade,
    add constraint vector_stores_file_count_is_positive check (file_count >= 0),
    add constraint vector_stores_status_is_known check (status in ('active', 'expired', 'recreating')),
    add constraint vector_stores_expired_at_agrees check ((status = 'active') = (expired_at is null)),
    add constraint vector_stores_openai_metadata_is_object check (jsonb_typeof(openai_metadata) = 'object');
end
$$;

comment on column public.vector_stores.store_id is 'OpenAI''s vector store (vs_…).';
comment on column public.vector_stores.session_id is 'The chat whose files it holds; null for a store of the member''s own.';

create index if not exists vector_stores_user_id_idx on public.vector_stores (user_id);
-- One store a chat, so that two turns that make one at the same moment end with one.
create unique index if not exists vector_stores_session_id_idx
  on public.vector_stores (session_id) where session_id is not null;
create index if not exists vector_stores_status_expires_at_idx on public.vector_stores (status, expires_at);

do $$
declare
  row_count bigint;
begin
  if not exists (
    select 1 from pg_catalog.pg_constraint
    where conname = 'chat_files_vector_store_id_fkey' and conrelid = 'public.chat_files'::regclass
  ) then
    select count(*) into row_count from public.chat_files
    where vector_store_id is not null
      and not exists (select from public.vector_stores where vector_stores.store_id = chat_files.vector_store_id);
    if row_count > 0 then
      raise exception 'chat_files: % row(s) have a vector_store_id that is not in vector_stores; set it to null or insert the store, then run this file again', row_count
        using errcode = 'foreign_key_violation',
        hint = 'select * from public.chat_files where vector_store_id not in (select store_id from public.vector_stores);';
    end if;
    alter table public.chat_files
      add constraint chat_files_vector_store_id_fkey foreign key (vector_store_id)
      references public.vector_stores (store_id) on update cascade on delete set null;
  end if;
end
$$;

create index if not exists chat_files_vector_store_id_idx on public.chat_files (vector_store_id);

-- Grants. Members read; the server writes.
revoke all on public.vector_stores from public, anon, authenticated, service_role;
grant select on public.vector_stores to authenticated;
grant select, insert, update, delete on public.vector_stores to service_role;

alter table public.vector_stores enable row level security;

drop policy if exists "Members read their own vector stores" on public.vector_stores;
create policy "Members read their own vector stores" on public.vector_stores
  for select to authenticated
  using (user_id in (select id from public.profiles where auth_id = (select auth.uid()) and not is_deleted));

-- `expired_at` is null exactly while the store is active.
create or replace function public.set_vector_store_expired_at()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if new.status = 'active' then
    new.expired_at := null;
  elsif new.expired_at is null then
    new.expired_at := now();
  end if;
  return new;
end
$$;

-- Keeps `file_count`: the chat files that the store holds. Definer: a member who deletes a chat takes its files
-- along, and this then runs as that member.
create or replace function public.count_vector_store_files()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.vector_stores
  set file_count = (select count(*) from public.chat_files where vector_store_id = vector_stores.store_id)
  where store_id in (
    case when tg_op in ('UPDATE', 'DELETE') then old.vector_store_id end,
    case when tg_op in ('INSERT', 'UPDATE') then new.vector_store_id end
  );
  return null;
end
$$;

revoke execute on function public.set_vector_store_expired_at() from public, anon, authenticated;
revoke execute on function public.count_vector_store_files() from public, anon, authenticated;

create or replace trigger vector_stores_set_expired_at
  before insert or update of status, expired_at on public.vector_stores
  for each row execute function public.set_vector_store_expired_at();

create or replace trigger vector_stores_set_updated_at
  before update on public.vector_stores
  for each row execute function public.set_updated_at();

create or replace trigger chat_files_count_vector_store_files
  after insert or delete or update of vector_store_id on public.chat_files
  for each row execute function public.count_vector_store_files();
