import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type TestDatabase, testedVersions } from '../testing/open-database.ts';

/**
 * What one of Supabase's database advisors looks for, in our words. `query` lists what it finds; `bad` makes one thing
 * that it must find. Not here: advisors on data (bloat, unused indexes), on a project's settings (anonymous sign-ins,
 * old extensions, buckets), and 0027, which with pg_graphql installed warns of every table a member may read.
 */
type Advisor = { name: string; level: 'ERROR' | 'WARN' | 'INFO'; query: string; bad: string };

/** The schemas that are somebody else's; `n` is a pg_namespace. */
const is_ours = `n.nspname !~ '^pg_' and n.nspname not in ('auth', 'extensions', 'graphql', 'information_schema', 'pgboss', 'pgmq', 'realtime', 'storage', 'supabase_migrations', 'vault')`;
const tables = `pg_class c join pg_namespace n on n.oid = c.relnamespace`;
const is_read_by_members = `(has_any_column_privilege('anon', c.oid, 'select') or has_any_column_privilege('authenticated', c.oid, 'select'))`;
/** Each policy with its expressions as text, in a search path that spells out `auth`. */
const policies = `(
  select p.*, c.relname, c.relrowsecurity, coalesce(pg_get_expr(polqual, polrelid), '') as using_text,
    coalesce(pg_get_expr(polwithcheck, polrelid), '') as check_text,
    polroles = '{0}' or exists (select from unnest(polroles) as r where r::regrole::text in ('anon', 'authenticated')) as is_for_members
  from pg_policy p join pg_class c on c.oid = polrelid join pg_namespace n on n.oid = c.relnamespace where ${is_ours}
) as p`;
const commands = `unnest(case polcmd when 'r' then '{select}' when 'a' then '{insert}' when 'w' then '{update}' when 'd' then '{delete}' else '{select,insert,update,delete}' end::text[])`;
const bad_table = `create table public.bad (id uuid primary key, owner uuid); alter table public.bad enable row level security;`;

const advisors: Advisor[] = [
  {
    name: '0001_unindexed_foreign_keys',
    level: 'INFO',
    query: `select conname as what from pg_constraint k join ${tables} on c.oid = conrelid
      where contype = 'f' and ${is_ours} and not exists (
        select from pg_index where indrelid = conrelid and indisvalid
          and (indkey::smallint[])[0:cardinality(conkey) - 1] @> conkey)`,
    bad: 'create table public.bad (id uuid primary key, owner uuid references public.profiles (id))',
  },
  {
    name: '0002_auth_users_exposed',
    level: 'ERROR',
    query: `select distinct c.relname as what from pg_depend d join pg_rewrite r on r.oid = objid and classid = 'pg_rewrite'::regclass
      join ${tables} on c.oid = r.ev_class
      where refobjid = 'auth.users'::regclass and c.relkind in ('v', 'm') and n.nspname = 'public' and ${is_read_by_members}`,
    bad: 'create view public.bad as select id, email from auth.users; grant select on public.bad to authenticated',
  },
  {
    name: '0003_auth_rls_initplan',
    level: 'WARN',
    query: `select polname as what from ${policies}, unnest(array[using_text, check_text]) as expression
      where regexp_replace(expression, 'select\\s+(auth\\.\\w+|current_setting)\\(', '', 'gi') ~ '(auth\\.(uid|jwt|role|email)|current_setting)\\('`,
    bad: `${bad_table} create policy bad on public.bad for select to authenticated using (owner = auth.uid())`,
  },
  {
    name: '0004_no_primary_key',
    level: 'INFO',
    query: `select relname as what from ${tables} where ${is_ours} and relkind in ('r', 'p')
      and not exists (select from pg_index where indrelid = c.oid and indisprimary)`,
    bad: 'create table public.bad (id uuid)',
  },
  {
    name: '0006_multiple_permissive_policies',
    level: 'WARN',
    query: `select relname || ' ' || command || ' ' || role as what from ${policies}, ${commands} as command,
        unnest(array['anon', 'authenticated', 'service_role']) as role
      where polpermissive and (polroles = '{0}' or role::regrole = any (polroles)) group by 1 having count(*) > 1`,
    bad: `create policy bad on public.profiles for update to authenticated using (auth_id = (select auth.uid()))`,
  },
  {
    name: '0007_policy_exists_rls_disabled',
    level: 'ERROR',
    query: `select polname as what from ${policies} where not relrowsecurity`,
    bad: 'alter table public.turns disable row level security',
  },
  {
    name: '0008_rls_enabled_no_policy',
    level: 'INFO',
    // Tables of the server's alone are meant to have none.
    query: `select relname as what from ${tables} where ${is_ours} and relkind = 'r' and relrowsecurity
      and not exists (select from pg_policy where polrelid = c.oid) and ${is_read_by_members}`,
    bad: `${bad_table} grant select on public.bad to authenticated`,
  },
  {
    name: '0009_duplicate_index',
    level: 'WARN',
    query: `select string_agg(i.indexrelid::regclass::text, ' ') as what from pg_index i join pg_class x on x.oid = indexrelid join ${tables} on c.oid = indrelid
      where ${is_ours} group by indrelid, replace(pg_get_indexdef(indexrelid), x.relname, '') having count(*) > 1`,
    bad: 'create index bad on public.turns (user_id)',
  },
  {
    name: '0010_security_definer_view',
    level: 'ERROR',
    query: `select relname as what from ${tables} where ${is_ours} and relkind = 'v' and ${is_read_by_members}
      and not coalesce(reloptions::text ~* 'security_invoker=(1|true|yes|on)', false)`,
    bad: 'create view public.bad as select id from public.profiles; grant select on public.bad to authenticated',
  },
  {
    name: '0011_function_search_path_mutable',
    level: 'WARN',
    query: `select proname as what from pg_proc join pg_namespace n on n.oid = pronamespace
      where ${is_ours} and not coalesce(proconfig::text like '%search_path=%', false)`,
    bad: 'create function public.bad() returns integer language sql as $$ select 1 $$',
  },
  {
    name: '0013_rls_disabled_in_public',
    level: 'ERROR',
    query: `select relname as what from ${tables} where ${is_ours} and relkind in ('r', 'p') and not relrowsecurity`,
    bad: 'create table public.bad (id uuid primary key)',
  },
  {
    name: '0014_extension_in_public',
    level: 'WARN',
    query: `select extname as what from pg_extension where extnamespace = 'public'::regnamespace`,
    bad: `update pg_extension set extnamespace = 'public'::regnamespace where extname = 'plpgsql'`,
  },
  {
    name: '0015_rls_references_user_metadata',
    level: 'ERROR',
    query: `select polname as what from ${policies} where using_text || check_text ~ 'user_metadata'`,
    bad: `${bad_table} create policy bad on public.bad for select to authenticated
      using ((select current_setting('request.jwt.claims')::jsonb -> 'user_metadata' ->> 'role') = 'operator')`,
  },
  {
    name: '0016_materialized_view_in_api',
    level: 'WARN',
    query: `select relname as what from ${tables} where ${is_ours} and relkind = 'm' and ${is_read_by_members}`,
    bad: 'create materialized view public.bad as select 1 as one; grant select on public.bad to anon',
  },
  {
    name: '0017_foreign_table_in_api',
    level: 'WARN',
    query: `select relname as what from ${tables} where ${is_ours} and relkind = 'f' and ${is_read_by_members}`,
    bad: `create foreign data wrapper bad; create server bad foreign data wrapper bad;
      create foreign table public.bad (id uuid) server bad; grant select on public.bad to anon`,
  },
  {
    name: '0018_unsupported_reg_types',
    level: 'WARN',
    query: `select relname || '.' || attname as what from pg_attribute join ${tables} on c.oid = attrelid
      where ${is_ours} and relkind in ('r', 'p', 'm') and format_type(atttypid, null) ~ '^reg' and format_type(atttypid, null) not in ('regclass', 'regrole', 'regtype')`,
    bad: 'create table public.bad (id uuid primary key, language regconfig)',
  },
  {
    name: '0019_insecure_queue_exposed_in_api',
    level: 'ERROR',
    query: `select relname as what from ${tables} where n.nspname = 'pgmq' and relname like 'q\\_%' and not relrowsecurity and ${is_read_by_members}`,
    bad: 'create schema pgmq; create table pgmq.q_bad (id bigint); grant select on pgmq.q_bad to authenticated',
  },
  {
    name: '0021_fkey_to_auth_unique',
    level: 'ERROR',
    query: `select conname as what from pg_constraint k join pg_class target on target.oid = confrelid
      join pg_index i on i.indexrelid = conindid join ${tables} on c.oid = conrelid
      where contype = 'f' and ${is_ours} and target.relnamespace = 'auth'::regnamespace and not indisprimary`,
    bad: `create unique index bad on auth.users (id, email); alter table auth.users add constraint bad unique using index bad;
      create table public.bad (id uuid primary key, email varchar(255), foreign key (id, email) references auth.users (id, email))`,
  },
  {
    name: '0023_sensitive_columns_exposed',
    level: 'ERROR',
    query: `select relname || '.' || attname as what from pg_attribute join ${tables} on c.oid = attrelid
      where ${is_ours} and relkind = 'r' and not relrowsecurity and attname ~* '(password|secret|token|api_?key|session_id|otp|iban)'
        and (has_column_privilege('anon', c.oid, attnum, 'select') or has_column_privilege('authenticated', c.oid, attnum, 'select'))`,
    bad: 'create table public.bad (id uuid primary key, access_token text); grant select on public.bad to anon',
  },
  {
    name: '0024_rls_policy_always_true',
    level: 'WARN',
    query: `select polname as what from ${policies} where relrowsecurity and polpermissive and is_for_members and (
        polcmd in ('w', 'd', '*') and using_text in ('true', '(1 = 1)', '')
        or polcmd in ('a', 'w', '*') and check_text in ('true', '(1 = 1)') or polcmd = 'a' and check_text = '')`,
    bad: `${bad_table} create policy bad on public.bad for insert to authenticated with check (true)`,
  },
  {
    name: '0026_pg_graphql_anon_table_exposed',
    level: 'WARN',
    query: `select relname as what from ${tables} where ${is_ours} and relkind in ('r', 'v', 'm', 'f')
      and has_any_column_privilege('anon', c.oid, 'select')`,
    bad: 'grant select (id) on public.turns to anon',
  },
  ...(['anon', 'authenticated'] as const).map((role, index) => ({
    name: `00${28 + index}_${role}_security_definer_function_executable`,
    level: 'WARN' as const,
    query: `select proname as what from pg_proc p join pg_namespace n on n.oid = pronamespace
      where ${is_ours} and prosecdef and has_function_privilege('${role}', p.oid, 'execute')`,
    bad: `create function public.bad() returns integer language sql security definer set search_path = '' as $$ select 1 $$`,
  })),
  {
    name: '0030_invalid_index',
    level: 'WARN',
    query: `select indexrelid::regclass::text as what from pg_index join ${tables} on c.oid = indrelid where ${is_ours} and not indisvalid`,
    bad: `update pg_index set indisvalid = false where indexrelid = 'public.turns_user_id_idx'::regclass`,
  },
  {
    name: '0030_rls_policy_null_auth_disjunct',
    level: 'WARN',
    query: `select polname as what from ${policies} where is_for_members and polcmd in ('r', '*')
      and using_text ~* ' or ' and using_text ~* '(auth\\.\\w+\\(\\)[^=]*|current_setting\\([^=]*) is null'`,
    bad: `${bad_table} create policy bad on public.bad for select to authenticated
      using ((select auth.uid()) is null or owner = (select auth.uid()))`,
  },
];

describe.each(testedVersions())('on PostgreSQL %i, the advisor', (version) => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await openDatabase({ version });
  });
  afterAll(() => test.close());

  describe.each(advisors)('$name ($level)', ({ query, bad }) => {
    it('finds nothing in our schema', async () => {
      expect(await run('')).toEqual([]);
    });

    it('finds what it is for', async () => {
      expect(await run(bad)).toHaveLength(1);
    });

    /** What the advisor finds once `change` was made; then the change is undone. */
    async function run(change: string) {
      const client = await test.pool.connect();
      try {
        await client.query(`begin; set local search_path = ''`);
        await client.query(change);
        return (await client.query(query)).rows;
      } finally {
        await client.query('rollback');
        client.release();
      }
    }
  });

  it('0008: the tables that have row level security and no policy are the server’s alone', async () => {
    const { rows } = await test.pool.query(`
      select relname from pg_class c where relnamespace = 'public'::regnamespace and relkind = 'r'
        and not exists (select from pg_policy where polrelid = c.oid) order by 1`);
    expect(rows.map((row) => row.relname)).toEqual([
      'account_closings',
      'account_erasures',
      'account_exports',
      'email_changes',
      'erasures',
      'installation',
      'openai_uploads',
      'operator_notices',
      'plan_grants',
      'plans',
      'purchases',
      'rate_limits',
      'recovery_sessions',
      'schema_files',
      'sign_outs',
      'stripe_events',
      'subscriptions',
      'usage_entries',
    ]);
  });
});
