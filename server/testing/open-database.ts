import type pg from 'pg';
import { inject } from 'vitest';
import { createDatabase, createPool, type Database } from '../platform/database.ts';
import { createLogger } from '../platform/logger.ts';
import { cloneTemplate } from './test-postgres.ts';

export type TestDatabase = { url: string; pool: pg.Pool; database: Database; close: () => Promise<void> };

/** A database of the test file's own with the whole schema. `version`: of PostgreSQL. */
export async function openDatabase({ version = 17, pool_size = 10 } = {}): Promise<TestDatabase> {
  const admin_url = version === 15 ? inject('admin_url_15') : inject('admin_url');
  if (!admin_url) throw new Error(`there is no PostgreSQL ${version} on this machine`);
  const url = await cloneTemplate(admin_url);
  const pool = createPool(url, pool_size, createLogger('silent'));
  return { url, pool, database: createDatabase(pool), close: () => pool.end() };
}

/** The versions of PostgreSQL that this machine can test on: 17 always, 15 where it is installed. */
export function testedVersions(): number[] {
  return inject('admin_url_15') ? [17, 15] : [17];
}
