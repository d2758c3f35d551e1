import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type TestDatabase } from '../testing/open-database.ts';
import { AppError } from './errors.ts';
import { createRateLimits, type RateLimit } from './rate-limit.ts';

const limit: RateLimit = { name: 'for_a_test', points: 2, per_ms: 60_000 };

let test_database: TestDatabase;
beforeAll(async () => {
  test_database = await openDatabase();
});
afterAll(() => test_database.close());

async function codesOf(trying: Promise<unknown>[]) {
  const outcomes = await Promise.allSettled(trying);
  return outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'taken' : outcome.reason.code)).sort();
}

test('so many are let through, at once and by any process, and the next is told when to come again', async () => {
  const who = randomUUID();
  const processes = [createRateLimits(test_database.pool), createRateLimits(test_database.pool)];
  expect(await codesOf([0, 1, 0, 1].map((at) => processes[at]!.consume(limit, who)))).toEqual([
    'taken',
    'taken',
    'too_many_requests',
    'too_many_requests',
  ]);
  const error: AppError = await processes[0]!.consume(limit, who).catch((error) => error);
  expect(error).toBeInstanceOf(AppError);
  expect(error.status).toBe(429);
  expect(error.retry_after_ms).toBeGreaterThanOrEqual(1_000);
  expect(error.retry_after_ms).toBeLessThanOrEqual(60_000);
});

test('everybody and every limit is counted apart', async () => {
  const limits = createRateLimits(test_database.pool);
  const who = randomUUID();
  await limits.consume({ ...limit, points: 1 }, who);
  await limits.consume({ ...limit, name: 'another', points: 1 }, who);
  await limits.consume(limit, randomUUID());
});

test('what is given back or forgotten can be taken again', async () => {
  const limits = createRateLimits(test_database.pool);
  const who = randomUUID();
  for (let i = 0; i < 5; i++) {
    await limits.consume(limit, who);
    await limits.giveBack(limit, who);
  }
  await limits.consume(limit, who);
  await limits.consume(limit, who);
  await limits.forget(limit, who);
  await limits.consume(limit, who);
});

test('while the database is away nothing is let through, and it says so (503)', async () => {
  const pool = new pg.Pool({ connectionString: 'postgresql://postgres@127.0.0.1:1/postgres' });
  const limits = createRateLimits(pool);
  expect(await codesOf([limits.consume(limit, 'somebody')])).toEqual(['unavailable']);
  await limits.giveBack(limit, 'somebody');
  await limits.forget(limit, 'somebody');
  await pool.end();
});
