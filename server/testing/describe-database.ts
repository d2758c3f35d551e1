import { Kysely, PostgresDialect as KyselyPostgresDialect } from 'kysely';
import { generate, PostgresDialect } from 'kysely-codegen';
import { createPool } from '../platform/database.ts';
import { createLogger } from '../platform/logger.ts';

/** The Kysely types of every table in `public`, as TypeScript, read from an applied database. */
export async function describeDatabase(url: string): Promise<string> {
  // Of ours: where the server is stopped at once, a connection that is closing hears of it, which may not end the process.
  const pool = createPool(url, 2, createLogger('silent'));
  const database = new Kysely<never>({ dialect: new KyselyPostgresDialect({ pool }) });
  try {
    return await generate({
      camelCase: false,
      db: database,
      defaultSchemas: ['public'],
      dialect: new PostgresDialect(),
      excludePattern: '{pgboss,auth,supabase_migrations}.*',
      typeMapping: { timestamptz: 'string', int8: 'number' },
    } as never);
  } finally {
    await database.destroy();
  }
}
