import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import type { DB } from './database-types.ts';
import type { Logger } from './logger.ts';

export type Database = Kysely<DB>;

/**
 * How values arrive, settled once: bigint as number (nothing here counts past 2^53), timestamps as ISO 8601 text
 * in UTC with microseconds, because a page's cursor must not lose what `Date` rounds away.
 */
const parsers = new Map<number, (value: string) => unknown>([
  [pg.types.builtins.INT8, Number],
  [pg.types.builtins.TIMESTAMPTZ, isoTimestamp],
]);

/** `2026-11-22 17:09:27.857123+00` → `2026-11-22T17:09:27.857123Z`. */
function isoTimestamp(value: string) {
  return value
    .replace(' ', 'T')
    .replace(/\+00$/, 'Z')
    .replace(/([+-]\d\d)$/, '$1:00');
}

const types = {
  getTypeParser(id: number, format?: 'text' | 'binary') {
    const parser = format === 'binary' ? undefined : parsers.get(id);
    return parser ?? pg.types.getTypeParser(id, format as 'text');
  },
};

/**
 * A pool of connections with our parsers. An idle connection that breaks is logged and replaced, never fatal.
 * `size`: connections at the most.
 */
export function createPool(url: string, size: number, logger: Logger): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: size,
    types: types as pg.CustomTypesConfig,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    idleTimeoutMillis: 60_000,
    application_name: 'touchline',
  });
  const lost = (error: Error) => {
    // One that we are closing may hear that the server is shutting down before it has said goodbye.
    if (!pool.ending) logger.warn({ error }, 'a database connection was lost');
  };
  pool.on('error', lost);
  // While a connection is lent out the pool does not listen, and nobody listening would end the process.
  pool.on('connect', (client) => {
    client.on('error', lost);
    breakWhenSilent(client);
  });
  return pool;
}

/** The longest statement of ours deletes a member with everything; none takes minutes. */
const longest_silence_ms = 5 * 60_000;

/**
 * Breaks a connection on which a statement has been silent for minutes: a peer that is gone without a word (a machine
 * that lost its power) would hold it for hours.
 */
function breakWhenSilent(client: pg.PoolClient) {
  const socket = socketOf(client);
  socket.setTimeout(longest_silence_ms, () => {
    const { _activeQuery } = client as unknown as { _activeQuery: unknown };
    if (_activeQuery) socket.destroy(new Error('the database was silent for too long'));
  });
}

/** The socket of a connection (pg 8). */
export function socketOf(client: pg.ClientBase): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}

/** Kysely on a pool. Destroying it ends the pool. */
export function createDatabase(pool: pg.Pool): Database {
  return new Kysely<DB>({ dialect: new PostgresDialect({ pool }) });
}

/** Asks the database for a sign of life within `timeout_ms`; throws what went wrong. */
export async function pingDatabase(database: Database, timeout_ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the database did not answer in time')), timeout_ms);
  });
  try {
    await Promise.race([sql`select 1`.execute(database), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

const connection_codes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  '57P01',
  '57P02',
  '57P03',
  '53300',
  // Two statements that waited for each other: one was rolled back.
  '40P01',
]);

/** What pg says without a code: no connection in time, one that broke, and one that broke before the statement was sent. */
const connection_messages =
  /^timeout exceeded when trying to connect|^Connection terminated|is not queryable$/;

/** Whether an error says that the database cannot be reached, rather than that a statement was wrong. */
export function isDatabaseAway(error: Error & { code?: string }): boolean {
  const { code = '', message } = error;
  return connection_codes.has(code) || code.startsWith('08') || connection_messages.test(message);
}

const longest_absence_ms = 5 * 60_000;

/**
 * Does something on the database, again and again while it is away, for five minutes at the most. It must be harmless when
 * done twice: a connection that breaks does not tell whether it was done.
 */
export async function tryWhileAway<Result>(work: () => Promise<Result>): Promise<Result> {
  const deadline = Date.now() + longest_absence_ms;
  for (let wait_ms = 100; ; wait_ms = Math.min(wait_ms * 2, 5_000)) {
    try {
      return await work();
    } catch (error) {
      if (!isDatabaseAway(error as Error) || Date.now() + wait_ms > deadline) throw error;
      await delay(wait_ms);
    }
  }
}
