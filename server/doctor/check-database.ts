import { join } from 'node:path';
import pg from 'pg';
import { type Config, StartError } from '../platform/config.ts';
import { describeConnectionFailure } from '../platform/connection-failure.ts';
import { createLogger } from '../platform/logger.ts';
import { findPendingFiles, readSchemaFiles } from '../platform/migrate.ts';
import { hasSupabaseObjects } from '../platform/supabase.ts';
import { openDatabaseServer, type Undo } from '../prepare-database.ts';
import { checkOperators } from './check-operators.ts';
import { checkRows } from './check-rows.ts';
import { type Finding, findingsAbout } from './finding.ts';

const { good, note, wrong } = findingsAbout('database');
const timeout_ms = 5_000;

/**
 * Whether the database answers, is new enough, and has what this version needs; and what waits in it. The embedded one
 * is used as it runs, else started, which `undo` ends. Changes nothing in it.
 */
export async function checkDatabase(config: Config, root: string, undo: Undo): Promise<Finding[]> {
  const url = await openDatabaseServer(config, undo, createLogger('silent'));
  if (!url) return [note('There is none yet: the first start makes it.')];
  const pool = new pg.Pool({
    connectionString: url,
    max: 1,
    connectionTimeoutMillis: timeout_ms,
    query_timeout: timeout_ms,
    application_name: 'touchline doctor',
  });
  pool.on('error', () => {});
  try {
    return [...checkPooler(config), ...(await checkConnected(pool, config, root))];
  } finally {
    await pool.end();
  }
}

async function checkConnected(pool: pg.Pool, config: Config, root: string): Promise<Finding[]> {
  let version: { number: number; name: string };
  try {
    const { rows } = await pool.query(
      `select current_setting('server_version_num')::int as number, current_setting('server_version') as name`,
    );
    version = rows[0];
  } catch (error) {
    return [wrong(describeConnectionFailure(error))];
  }
  const name = /^[\d.]+/.exec(version.name)?.[0];
  if (version.number < 150_000) {
    return [
      wrong(`It is PostgreSQL ${name}: Touchline needs 15 or newer. Upgrade it, or choose another one.`),
    ];
  }
  return [
    good(`PostgreSQL ${name} answers.`),
    await checkSupabaseObjects(pool, config),
    await checkSchema(pool, root),
    await checkRowSecurity(pool),
    ...(await checkRows(pool, config)),
    ...(await checkOperators(pool, config)),
  ];
}

function checkPooler({ mode, database_url }: Config) {
  if (mode !== 'supabase' || !/:6543(\/|\?|$)/.test(database_url!)) return [];
  return [
    wrong(
      "DATABASE_URL is the transaction pooler's (port 6543), on which the job queue gets no notifications: take the session pooler's or the direct one from the dashboard, under Connect.",
    ),
  ];
}

async function checkSupabaseObjects(pool: pg.Pool, { mode }: Config) {
  if (await hasSupabaseObjects(pool)) return good('It has the roles and the tables of the sign-in.');
  return mode === 'supabase'
    ? wrong(
        "It lacks the roles or the sign-in's tables that every Supabase project has: copy DATABASE_URL from the dashboard of the project in SUPABASE_URL, under Connect.",
      )
    : wrong("It lacks the roles or the sign-in's tables: npm run migrate");
}

async function checkSchema(pool: pg.Pool, root: string) {
  try {
    const files = readSchemaFiles(join(root, 'schema'));
    const pending = await findPendingFiles(pool, files);
    if (pending.length === 0) return good(`All ${files.length} schema files are applied.`);
    const names = pending.map((file) => file.name).join(', ');
    return wrong(`It does not have the present form of ${names}: npm run migrate`);
  } catch (error) {
    if (error instanceof StartError) return wrong(error.message);
    throw error;
  }
}

/** On every table of `public`, ours or not: on Supabase they are all within the Data API's reach. */
async function checkRowSecurity(pool: pg.Pool) {
  const { rows } = await pool.query<{ name: string }>(`
    select format('%I.%I', 'public', relname) as name
    from pg_catalog.pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relrowsecurity
      and not exists (
        select from pg_catalog.pg_depend
        where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e'
      )
    order by relname
  `);
  if (rows.length === 0) return good('Row level security is on for every table in public.');
  const statements = rows.map(({ name }) => `alter table ${name} enable row level security;`).join(' ');
  return wrong(`Row level security is off, so members may reach what is not theirs: ${statements}`);
}
