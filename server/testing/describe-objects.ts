import type pg from 'pg';

/**
 * Everything in `public` that a schema file can make, a line each: columns, constraints, indexes, functions, triggers,
 * policies, grants and row level security. Without `schema_files`, which the runner keeps for itself.
 */
export async function describeObjects(connection: pg.Pool | pg.Client): Promise<string[]> {
  const { rows } = await connection.query<{ line: string }>(`
    with acl as (
      select oid, (select string_agg(item::text, ' ' order by item::text) from unnest(relacl) as item) as grants
      from pg_class where relnamespace = 'public'::regnamespace
    )
    select 'column ' || attrelid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod)
        || ' ' || attnotnull::text || ' ' || attidentity::text || attgenerated::text
        || coalesce(' default ' || pg_get_expr(adbin, adrelid), '')
        || coalesce(' grants ' || (select string_agg(item::text, ' ' order by item::text) from unnest(attacl) as item), '')
        || coalesce(' comment ' || col_description(attrelid, attnum), '') as line
      from pg_attribute
      join pg_class on pg_class.oid = attrelid and relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v')
      left join pg_attrdef on adrelid = attrelid and adnum = attnum
      where attnum > 0 and not attisdropped
    union all
    select 'relation ' || pg_class.oid::regclass || ' ' || relkind::text || ' rls ' || relrowsecurity::text || relforcerowsecurity::text
        || coalesce(' grants ' || grants, '') || coalesce(' ' || reloptions::text, '')
        || coalesce(' comment ' || obj_description(pg_class.oid, 'pg_class'), '')
      from pg_class join acl using (oid)
    union all
    select 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
      from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'
    union all
    select 'index ' || indexdef from pg_indexes where schemaname = 'public'
    union all
    select 'function ' || pg_get_functiondef(oid)
        || coalesce((select string_agg(item::text, ' ' order by item::text) from unnest(proacl) as item), '')
      from pg_proc where pronamespace = 'public'::regnamespace and prokind <> 'a'
    union all
    select 'trigger ' || tgenabled::text || ' ' || pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    union all
    select 'policy ' || tablename || ' ' || policyname || ' ' || permissive || ' ' || roles::text || ' ' || cmd
        || coalesce(' using ' || qual, '') || coalesce(' check ' || with_check, '')
      from pg_policies where schemaname = 'public'
  `);
  return rows
    .map((row) => row.line)
    .filter((line) => !/\bschema_files/.test(line))
    .sort();
}
