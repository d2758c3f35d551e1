-- 01 · People: one profile for each Supabase Auth user.
--
-- Needs Supabase's roles and its schema `auth` (the embedded database brings both).
-- Safe to run again.

do $$
begin
  if to_regclass('auth.users') is null then
    raise exception 'auth.users does not exist: run these files in a Supabase project; on any other PostgreSQL set DATABASE_URL and start Touchline, which brings what is missing';
  end if;
end
$$;

-- A counter object holds only `messages`, `files` and `tokens`, whole numbers from 0 on; a quota also `storage_mb`.
-- In a quota a counter may be null: unlimited. An absent counter means 0, an absent `storage_mb` unlimited. PL/pgSQL keeps
-- its plans: 08 says what it saves.
create or replace function public.are_counters(counters jsonb, may_be_unlimited boolean)
returns boolean
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
  return coalesce(
    jsonb_typeof(counters) = 'object'
    and counters - array['messages', 'files', 'tokens'] - case when may_be_unlimited then '{storage_mb}'::text[] else '{}' end
      = '{}'::jsonb
    and not exists (
      select 1
      from jsonb_each(counters) as counter
      where not case jsonb_typeof(counter.value)
        when 'null' then may_be_unlimited
        when 'number' then (counter.value #>> '{}')::numeric >= 0
          and (counter.value #>> '{}')::numeric % 1 = 0
        else false
      end
    ),
    false
  );
end
$$;

-- What a month on the free plan includes.
create or replace function public.free_plan_quota()
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
  select '{"messages": 50, "files": 10, "tokens": 200000}'::jsonb
$$;

-- An id that begins with its time (RFC 9562, version 7): milliseconds in 48 bits, then random bits. For rows that are
-- many: ids that are made together stand together in the indexes. PostgreSQL has one of its own from 18 on, `uuidv7()`.
-- Not in SQL: that would take half as long again.
create or replace function public.uuid_v7()
returns uuid
language plpgsql
volatile
parallel safe
set search_path = ''
as $$
begin
  -- A random uuid is version 4: the time replaces its first 6 bytes, and two more bits make the 4 a 7.
  return encode(set_bit(set_bit(
    overlay(
      uuid_send(gen_random_uuid())
      placing substring(int8send(floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
      from 1 for 6
    ), 52, 1), 53, 1), 'hex')::uuid;
end
$$;

create table if not exists public.profiles (
  id uuid not null default gen_random_uuid(),
  auth_id uuid,
  email text,
  user_name text,
  organization_name text,
  avatar_url text,
  stripe_customer_id text,
  stripe_subscription_id text,
  subscription_plan text not null default 'free',
  subscription_quota jsonb not null default public.free_plan_quota(),
  subscription_usage jsonb not null default '{"messages": 0, "files": 0, "tokens": 0}',
  quota_last_reset timestamptz not null default now(),
  is_active boolean not null default true,
  email_confirmed boolean not null default false,
  email_verification_token text,
  is_deleted boolean not null default false,
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint profiles_pkey primary key (id),
  constraint profiles_auth_id_key unique (auth_id),
  constraint profiles_auth_id_fkey foreign key (auth_id) references auth.users (id) on delete set null,
  constraint profiles_email_key unique (email),
  constraint profiles_email_is_lowercase check (email = lower(email)),
  constraint profiles_subscription_quota_is_counters check (public.are_counters(subscription_quota, true)),
  constraint profiles_subscription_usage_is_counters check (public.are_counters(subscription_usage, false)),
  constraint profiles_deletion_agrees check (is_deleted = (deleted_at is not null))
);

-- An older form of the table, brought to the present one; README.md, "An older database", says what becomes of what.
do $$
declare
  the_table constant regclass := 'public.profiles';
  policies constant text[] := array['Members read their own profile', 'Members update their own profile'];
  -- Column, type, default, 'required', and what an older row without a value gets where that is not the default.
  present constant text[] := array[
    ['id', 'uuid', 'gen_random_uuid()', 'required', null],
    ['auth_id', 'uuid', null, null, null],
    ['email', 'text', null, null, null],
    ['user_name', 'text', null, null, null],
    ['organization_name', 'text', null, null, null],
    ['avatar_url', 'text', null, null, null],
    ['stripe_customer_id', 'text', null, null, null],
    ['stripe_subscription_id', 'text', null, null, null],
    ['subscription_plan', 'text', '''free''', 'required', null],
    ['subscription_quota', 'jsonb', 'public.free_plan_quota()', 'required', null],
    ['subscription_usage', 'jsonb', '''{"messages": 0, "files": 0, "tokens": 0}''', 'required', null],
    ['quota_last_reset', 'timestamp with time zone', 'now()', 'required', null],
    ['is_active', 'boolean', 'true', 'required', null],
    ['email_confirmed', 'boolean', 'false', 'required', null],
    ['email_verification_token', 'text', null, null, null],
    ['deleted_at', 'timestamp with time zone', null, null, null],
    ['is_deleted', 'boolean', 'false', 'required', 'deleted_at is not null'],
    ['created_at', 'timestamp with time zone', 'now()', 'required', null],
    ['updated_at', 'timestamp with time zone', 'now()', 'required', 'created_at']
  ];
  wanted text[];
  step record;
  older text;
  row_count bigint;
  auth_id_is_new boolean;
  counters constant text := '^\s*\{\s*("(messages|files|tokens)"\s*:\s*(\d+|null)\s*(,\s*(?=")|(?=\})))*\}\s*$';
begin
  for step in select polname from pg_catalog.pg_policy where polrelid = the_table and polname <> all (policies) loop
    execute format('drop policy %I on %s', step.polname, the_table);
    raise notice 'profiles: the policy "%" is none of ours and was dropped', step.polname;
  end loop;

  -- The present form has had this constraint from its first version on.
  if exists (select from pg_catalog.pg_constraint where conrelid = the_table and conname = 'profiles_deletion_agrees') then
    return;
  end if;
  lock table public.profiles in access exclusive mode;
  -- A time without zone is taken for UTC, as Supabase writes it.
  perform set_config('timezone', 'UTC', true);
  alter table public.profiles no force row level security;

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
      raise exception 'profiles: something of your own needs the older % "%"; drop that, then run this file again', step.kind, step.name
        using errcode = sqlstate, detail = sqlerrm, hint = 'It can be made anew afterwards, on the primary key.';
    end;
    raise notice 'profiles: the older % "%" was dropped', step.kind, step.name;
  end loop;

  -- On auth.users: what an older project keeps its profiles by.
  for step in
    select tgname from pg_catalog.pg_trigger join pg_catalog.pg_proc on pg_proc.oid = tgfoid
    where tgrelid = 'auth.users'::regclass and not tgisinternal and prosrc ~* '\mprofiles\M'
      and tgname not in ('on_auth_user_created', 'on_auth_user_email_changed')
  loop
    begin
      execute format('drop trigger %I on auth.users', step.tgname);
    exception when insufficient_privilege then
      raise exception 'profiles: the older trigger "%" on auth.users would write to all new rows, and this role may not drop it; drop it in the dashboard under Database, Triggers, then run this file again', step.tgname
        using errcode = 'insufficient_privilege', hint = format('drop trigger %I on auth.users;', step.tgname);
    end;
    raise notice 'profiles: the older trigger "%" on auth.users was dropped', step.tgname;
  end loop;
  auth_id_is_new := not exists (
    select from pg_catalog.pg_attribute where attrelid = the_table and attname = 'auth_id' and not attisdropped
  );

  -- A quota and a usage that are a number count messages. Text and json are read as what they hold.
  for step in
    select attname,
      case attname when 'subscription_quota' then 'public.free_plan_quota()' else $q$'{"files": 0, "tokens": 0}'::jsonb$q$ end as others,
      case attname when 'subscription_quota' then counters else replace(counters, '|null', '') end as form
    from pg_catalog.pg_attribute
    where attrelid = the_table and attname in ('subscription_quota', 'subscription_usage') and not attisdropped
  loop
    execute format('alter table %s alter column %I drop default, alter column %2$I drop not null', the_table, step.attname);
    execute format(
      'select count(*) from %s where btrim(%I::text, $q$ "$q$) !~ %L and btrim(%2$I::text, $q$ "$q$) !~* %4$L',
      the_table, step.attname, step.form,
      case step.attname when 'subscription_quota' then '^(|null|unlimited|\d+)$' else '^(|null|\d+)$' end
    ) into row_count;
    if row_count > 0 then
      raise exception 'profiles: % row(s) have a value in "%" that cannot be read as counters; write it as {"messages": 50, "files": 10, "tokens": 200000}, then run this file again',
        row_count, step.attname using errcode = 'check_violation',
        hint = format('select id, %I from public.profiles;', step.attname);
    end if;
    execute format(
      'alter table %s alter column %I type jsonb using case
        when btrim(%2$I::text, $q$ "$q$) ~ ''^\d+$''
          then %3$s || jsonb_build_object(''messages'', btrim(%2$I::text, $q$ "$q$)::numeric)
        when lower(btrim(%2$I::text, $q$ "$q$)) = ''unlimited'' then ''{"messages": null, "files": null, "tokens": null}''
        when %2$I::text ~ ''\{'' then %2$I::text::jsonb
      end', the_table, step.attname, step.others
    );
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
          raise exception 'profiles: % row(s) have a value in "%" that is no uuid; give them one, then run this file again',
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
        select count(*) from public.profiles into row_count;
        raise exception 'profiles: "%" cannot become % in the % row(s) there are (%); put that right, then run this file again',
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
      raise exception 'profiles: % row(s) have no "%"; give them one, then run this file again', row_count, wanted[1]
        using errcode = 'not_null_violation',
        hint = format('select * from %s where %I is null;', the_table, wanted[1]);
    end if;
    execute format('alter table %s alter column %I set not null', the_table, wanted[1]);
  end loop;

  update public.profiles set auth_id = id where auth_id is null and exists (select from auth.users where users.id = profiles.id);
  update public.profiles set email = null where btrim(email) = '';

  for step in
    select sentence, condition from (values
      ('have an id that another row has too; give one of them another',
        $q$id in (select id from public.profiles group by 1 having count(*) > 1)$q$),
      ('have an auth_id that another row has too; keep it in one of them, set it to null in the others',
        $q$auth_id in (select auth_id from public.profiles group by 1 having count(*) > 1)$q$),
      ('belong to a user who is not in auth.users any more; set their auth_id to null',
        $q$auth_id is not null and not exists (select from auth.users where users.id = profiles.auth_id)$q$),
      ('have an address that differs from another row''s only in case, or not at all; change or clear one of them',
        $q$lower(email) in (select lower(email) from public.profiles group by 1 having count(*) > 1)$q$),
      ('have deleted_at but are not is_deleted; set is_deleted to true or deleted_at to null',
        $q$not is_deleted and deleted_at is not null$q$),
      ('share an email_verification_token, stripe_customer_id or stripe_subscription_id with another row; keep it in one of them',
        $q$email_verification_token in (select email_verification_token from public.profiles group by 1 having count(*) > 1) or stripe_customer_id in (select stripe_customer_id from public.profiles group by 1 having count(*) > 1) or stripe_subscription_id in (select stripe_subscription_id from public.profiles group by 1 having count(*) > 1)$q$)
    ) as problem(sentence, condition)
  loop
    execute format('select count(*) from %s where %s', the_table, step.condition) into row_count;
    if row_count > 0 then
      raise exception 'profiles: % row(s) %, then run this file again', row_count, step.sentence
        using errcode = 'check_violation',
        hint = format('select * from %s where %s;', the_table, step.condition);
    end if;
  end loop;
  -- A column of the owner's own that nothing here would fill.
  select string_agg(quote_ident(attname), ', ') into older from pg_catalog.pg_attribute
  where attrelid = the_table and attnum > 0 and not attisdropped and attnotnull and not atthasdef
    and attidentity = '' and attname::text <> all (present[:][1:1]);
  if older is not null then
    raise exception 'profiles: all rows must have a value in %, which nothing of ours fills; drop its "not null" or give it a default, then run this file again', older
      using errcode = 'not_null_violation',
      hint = 'alter table … alter column … drop not null;';
  end if;

  update public.profiles set email = lower(email) where email <> lower(email);
  update public.profiles set deleted_at = updated_at where is_deleted and deleted_at is null;
  -- Without any link to Auth, a confirmed address is one.
  if auth_id_is_new then
    update public.profiles set auth_id = users.id from auth.users as users
    where profiles.auth_id is null and not profiles.is_deleted and lower(users.email) = profiles.email
      and to_jsonb(users) ->> 'email_confirmed_at' is not null
      and not exists (select from public.profiles as other where other.auth_id = users.id);
  end if;

  select conname into older from pg_catalog.pg_constraint where conrelid = the_table and contype = 'p';
  if older is null then
    alter table public.profiles add constraint profiles_pkey primary key (id);
  elsif older <> 'profiles_pkey' then
    execute format('alter table %s rename constraint %I to profiles_pkey', the_table, older);
  end if;
  alter table public.profiles
    add constraint profiles_auth_id_key unique (auth_id),
    add constraint profiles_auth_id_fkey foreign key (auth_id) references auth.users (id) on delete set null,
    add constraint profiles_email_key unique (email),
    add constraint profiles_email_is_lowercase check (email = lower(email)),
    add constraint profiles_subscription_quota_is_counters check (public.are_counters(subscription_quota, true)),
    add constraint profiles_subscription_usage_is_counters check (public.are_counters(subscription_usage, false)),
    add constraint profiles_deletion_agrees check (is_deleted = (deleted_at is not null));
end
$$;

-- Grants. A member reads the own profile but for the verification token, and changes three columns of it.
revoke all on public.profiles from public, anon, authenticated, service_role;
grant select (
  id, auth_id, email, user_name, organization_name, avatar_url, stripe_customer_id, stripe_subscription_id,
  subscription_plan, subscription_quota, subscription_usage, quota_last_reset, is_active, email_confirmed,
  is_deleted, deleted_at, created_at, updated_at
) on public.profiles to authenticated;
grant update (user_name, organization_name, avatar_url) on public.profiles to authenticated;
grant select, insert, update, delete on public.profiles to service_role;

alter table public.profiles enable row level security;

drop policy if exists "Members read their own profile" on public.profiles;
create policy "Members read their own profile" on public.profiles
  for select to authenticated
  using (auth_id = (select auth.uid()));

drop policy if exists "Members update their own profile" on public.profiles;
create policy "Members update their own profile" on public.profiles
  for update to authenticated
  using (auth_id = (select auth.uid()) and not is_deleted)
  with check (auth_id = (select auth.uid()) and not is_deleted);

-- Gives a new Auth user a profile. Definer, because Supabase Auth writes as a role that owns nothing here.
-- Never blocks a sign-up: an address that another profile holds is left out, and whatever else goes wrong is
-- a warning; the server makes a missing profile at the first request.
create or replace function public.handle_new_user()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  given_name text := nullif(trim(coalesce(
    new.raw_user_meta_data ->> 'user_name', new.raw_user_meta_data ->> 'full_name', new.raw_user_meta_data ->> 'name'
  )), '');
begin
  begin
    insert into public.profiles (auth_id, email, user_name)
    values (new.id, lower(new.email), given_name)
    on conflict (auth_id) do nothing;
  exception when unique_violation then
    raise warning 'profiles: the address of auth user % belongs to another profile', new.id;
    insert into public.profiles (auth_id, user_name) values (new.id, given_name)
    on conflict (auth_id) do nothing;
  end;
  return new;
exception when others then
  raise warning 'profiles: no profile for auth user % (%)', new.id, sqlstate;
  return new;
end
$$;

-- Follows a change of address at Auth. Definer for the same reason.
create or replace function public.handle_user_email_change()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- Who confirmed the old address has not confirmed this one.
  update public.profiles
  set email = lower(new.email), email_confirmed = false, email_verification_token = null
  where auth_id = new.id and email is distinct from lower(new.email);
  return new;
exception when others then
  raise warning 'profiles: the address of auth user % was not taken over (%)', new.id, sqlstate;
  return new;
end
$$;

-- Closes a profile whose Auth user is gone, and frees its address.
create or replace function public.close_profile_without_user()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.email := null;
  new.is_active := false;
  new.is_deleted := true;
  new.deleted_at := coalesce(old.deleted_at, now());
  new.email_verification_token := null;
  return new;
end
$$;

revoke execute on function public.are_counters(jsonb, boolean) from public, anon, authenticated;
revoke execute on function public.free_plan_quota() from public, anon, authenticated;
revoke execute on function public.uuid_v7() from public, anon, authenticated;
revoke execute on function public.handle_new_user() from public, anon, authenticated;
revoke execute on function public.handle_user_email_change() from public, anon, authenticated;
revoke execute on function public.close_profile_without_user() from public, anon, authenticated;
-- A member's update of the own profile checks the row's constraints as that member.
grant execute on function public.are_counters(jsonb, boolean) to authenticated, service_role;
-- Whoever inserts runs the defaults.
grant execute on function public.free_plan_quota() to service_role;
grant execute on function public.uuid_v7() to service_role;

create or replace trigger on_auth_user_created
  after insert on auth.users
  for each row execute function public.handle_new_user();

create or replace trigger on_auth_user_email_changed
  after update of email on auth.users
  for each row
  when (old.email is distinct from new.email)
  execute function public.handle_user_email_change();

create or replace trigger profiles_close_without_user
  before update of auth_id on public.profiles
  for each row
  when (old.auth_id is not null and new.auth_id is null)
  execute function public.close_profile_without_user();

-- People who signed up before this file was applied.
insert into public.profiles (auth_id, email)
select users.id, lower(users.email)
from auth.users as users
where not exists (select 1 from public.profiles where profiles.auth_id = users.id)
on conflict do nothing;
