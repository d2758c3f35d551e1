import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../server/platform/embedded-postgres.ts';
import { createTestServer, type TestServer } from '../../server/testing/test-postgres.ts';

/**
 * Starts a PostgreSQL of the benchmark's own in a temporary folder, with `settings`. It is stopped and deleted by
 * `stop`, and when the benchmark is interrupted.
 */
export async function startBenchServer(settings: Record<string, string>): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'touchline-bench-'));
  let postgres = await startEmbeddedPostgres(folder);
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  for (const [name, value] of Object.entries(settings)) {
    await client.query(`alter system set ${name} = ${client.escapeLiteral(value)}`);
  }
  await client.end();
  // Some settings are only read at the start.
  await postgres.stop();
  postgres = await startEmbeddedPostgres(folder);
  const server = await createTestServer(postgres.url);
  const stop = async () => {
    await server.stop();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stop().finally(() => process.exit(1)));
  }
  return { ...server, stop };
}
