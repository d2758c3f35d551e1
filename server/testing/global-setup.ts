import type { TestProject } from 'vitest/node';
import { startPostgres15 } from './installed-postgres.ts';
import { createTestServer } from './test-postgres.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The address of the PostgreSQL 17 whose template each test file clones. */
    admin_url: string;
    /** The same of a PostgreSQL 15; null where none is installed. */
    admin_url_15: string | null;
  }
}

/** One PostgreSQL for the whole test run, and the oldest supported one where it is installed. */
export default async function setup(project: TestProject) {
  const server = await createTestServer();
  const postgres15 = await startPostgres15();
  if (postgres15) await createTestServer(postgres15.url);
  project.provide('admin_url', server.admin_url);
  project.provide('admin_url_15', postgres15?.url ?? null);
  return async () => {
    await server.stop();
    postgres15?.stop();
  };
}
