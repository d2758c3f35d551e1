import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeDatabase } from '../server/testing/describe-database.ts';
import { createTestServer } from '../server/testing/test-postgres.ts';

/** `npm run schema:types`: writes server/platform/database-types.ts from the applied schema. */
const target = join(import.meta.dirname, '..', 'server', 'platform', 'database-types.ts');
const server = await createTestServer();
try {
  writeFileSync(target, await describeDatabase(await server.createDatabase()));
  process.stdout.write(`wrote ${target}\n`);
} finally {
  await server.stop();
}
