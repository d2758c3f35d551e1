import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import { isDatabaseAway } from './database.ts';
import { AppError } from './errors.ts';

/** So many times within so long, counted from the first time. `name`: snake case, unique, permanent. */
export type RateLimit = { name: string; points: number; per_ms: number };

/** Counts what is tried, for all server processes together, in the table `rate_limits`. */
export type RateLimits = {
  /**
   * Counts one more for `who`, an address or an id, which is kept as a hash only. Throws `too_many_requests` with
   * `retry_after_ms` where it is one too many, and `unavailable` while the database is away.
   */
  consume: (limit: RateLimit, who: string) => Promise<void>;
  /** Takes back what was counted once. Never throws: then it stays counted. */
  giveBack: (limit: RateLimit, who: string) => Promise<void>;
  /** Begins anew for `who`. Never throws. */
  forget: (limit: RateLimit, who: string) => Promise<void>;
};

export function createRateLimits(pool: pg.Pool): RateLimits {
  const limiters = new Map<string, RateLimiterPostgres>();
  // Without the names of statements, which a pooler in transaction mode may lend to another connection.
  const storeClient = {
    query: ({ text, values }: { text: string; values: unknown[] }) => pool.query(text, values),
  };

  async function limiterOf({ name, points, per_ms }: RateLimit) {
    const known = limiters.get(name);
    if (known) return known;
    // Loaded with the first try: a start has no use for it.
    const { RateLimiterPostgres } = await import('rate-limiter-flexible');
    const limiter = new RateLimiterPostgres({
      storeClient,
      storeType: 'pool',
      schemaName: 'public',
      tableName: 'rate_limits',
      tableCreated: true,
      clearExpiredByTimeout: false,
      keyPrefix: name,
      points,
      duration: per_ms / 1000,
    });
    limiters.set(name, limiter);
    return limiter;
  }

  return {
    async consume(limit, who) {
      const limiter = await limiterOf(limit);
      try {
        await limiter.consume(hashed(who));
      } catch (error) {
        if (!(error instanceof Error)) throw tooMany((error as RateLimiterRes).msBeforeNext);
        if (!isDatabaseAway(error)) throw error;
        throw new AppError(
          'unavailable',
          'The database does not answer at the moment. Nothing was changed; try again in a minute.',
          { cause: error, retry_after_ms: 5_000 },
        );
      }
    },
    async giveBack(limit, who) {
      const limiter = await limiterOf(limit);
      await limiter.reward(hashed(who)).catch(() => {});
    },
    async forget(limit, who) {
      const limiter = await limiterOf(limit);
      await limiter.delete(hashed(who)).catch(() => {});
    },
  };
}

/** Neither an address nor an id lies in the table. */
function hashed(who: string) {
  return createHash('sha256').update(who).digest('hex');
}

function tooMany(wait_ms: number) {
  return new AppError(
    'too_many_requests',
    `This was tried too often. Nothing was changed; try again ${inWords(wait_ms)}.`,
    { retry_after_ms: Math.max(1_000, wait_ms) },
  );
}

/** `in 14 minutes`, rounded up. */
function inWords(wait_ms: number) {
  const minutes = Math.max(1, Math.ceil(wait_ms / 60_000));
  if (minutes < 100) return minutes === 1 ? 'in a minute' : `in ${minutes} minutes`;
  return `in ${Math.ceil(minutes / 60)} hours`;
}
