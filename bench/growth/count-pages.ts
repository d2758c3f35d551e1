import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import type { Database } from '../../server/platform/database.ts';
import type { DB } from '../../server/platform/database-types.ts';

/** What one call touched, with everything that its functions and triggers ran. */
export type Touched = {
  /**
   * Pages of 8 KiB of our tables and indexes, found in memory or read. A page that is asked for twice counts twice. Not
   * those of PostgreSQL's catalogue: it is read anew whenever others change enough of it, and does not grow with ours.
   */
  pages: number;
  /** Descents of an index: its scans, and entries put into it. */
  look_ups: number;
  /** Tables of ours that were read from end to end. */
  scanned_tables: string[];
  /** Pages and look-ups of each table and index of ours. */
  relations: Record<string, Counters>;
  /** The plans, as PostgreSQL gives them. */
  plans: unknown[];
};

type Counters = { pages: number; look_ups: number; scans: number };

/**
 * Runs what `call` asks of the database as `explain (analyze, buffers)` on a connection, so that the product's own
 * functions can be measured as they are; they get no rows. It is for real: a transaction that is rolled back belongs
 * around it. Returns the sum of its statements.
 */
export async function countPages(
  client: pg.PoolClient,
  call: (database: Database) => Promise<unknown>,
): Promise<Touched> {
  const plans: unknown[] = [];
  const database = databaseOn(async (text, values) => {
    const { rows } = await client.query(
      `explain (analyze, buffers, timing off, format json) ${text}`,
      values,
    );
    plans.push(rows[0]['QUERY PLAN'][0]);
    // Functions are asked for one row with a result, whatever it is.
    return { command: 'SELECT', rowCount: 1, rows: [{ result: null }] };
  });
  const before = await readCounters(client);
  await call(database);
  const relations = await readCounters(client);
  for (const [name, counters] of Object.entries(relations)) {
    for (const counter of ['pages', 'look_ups', 'scans'] as const)
      counters[counter] -= before[name]![counter];
    if (counters.pages === 0) delete relations[name];
  }
  return {
    pages: sum(Object.values(relations).map(({ pages }) => pages)),
    look_ups: sum(Object.values(relations).map(({ look_ups }) => look_ups)),
    scanned_tables: Object.keys(relations).filter((name) => relations[name]!.scans > 0),
    relations,
    plans,
  };
}

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);

/** The product's database on one connection, whose transaction is the caller's. */
export function databaseOn(query: (text: string, values: unknown[]) => Promise<unknown>): Database {
  const connection = { query, release() {} };
  const pool = { connect: async () => connection, end: async () => {} };
  return new Kysely<DB>({ dialect: new PostgresDialect({ pool: pool as never }) });
}

/**
 * The connection's own counters, which it has before it reports them, of each table and index. What an insert puts into
 * a partial index is no look-up: those hold what is running or special, and need not grow with the table.
 */
async function readCounters(client: pg.PoolClient): Promise<Record<string, Counters>> {
  const { rows } = await client.query<{ name: string } & Record<keyof Counters, string>>(`
    select oid::regclass as name,
      pg_stat_get_xact_blocks_fetched(oid) + pg_stat_get_xact_blocks_fetched(reltoastrelid) as pages,
      0 as look_ups, pg_stat_get_xact_numscans(oid) as scans
    from pg_class
    where relkind = 'r' and relnamespace in ('public'::regnamespace, 'auth'::regnamespace)
    union all
    select indexrelid::regclass, pg_stat_get_xact_blocks_fetched(indexrelid),
      pg_stat_get_xact_numscans(indexrelid) + case when indpred is null then
        pg_stat_get_xact_tuples_inserted(indrelid) + pg_stat_get_xact_tuples_updated(indrelid)
          - pg_stat_get_xact_tuples_hot_updated(indrelid)
      else 0 end, 0
    from pg_index join pg_class on pg_class.oid = indrelid
    where relkind = 'r' and relnamespace in ('public'::regnamespace, 'auth'::regnamespace)
  `);
  return Object.fromEntries(
    rows.map(({ name, pages, look_ups, scans }) => [
      name,
      { pages: Number(pages), look_ups: Number(look_ups), scans: Number(scans) },
    ]),
  );
}
