import { Kysely, PostgresDialect as KyselyPostgresDialect } from 'kysely';
import { generate, PostgresDialect } from 'kysely-codegen';
import pg from 'pg';

/** The Kysely types of every table in `public`, as TypeScript, read from an applied database. */
export async function describeDatabase(url: string): Promise<string> {
  const pool = new pg.Pool({ connectionString: url, max: 2 });
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
