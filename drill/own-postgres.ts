import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { startEmbeddedPostgres } from '../server/platform/embedded-postgres.ts';
import { isAlive, readPostmaster } from '../server/platform/postmaster.ts';
import { createTestServer } from '../server/testing/test-postgres.ts';

export type OwnPostgres = Awaited<ReturnType<typeof startOwnPostgres>>;

/** `fast`: whoever is connected is told; `immediate`: as after a crash, the log is replayed at the next start. */
type ShutdownMode = 'fast' | 'immediate';

/** A PostgreSQL of the drill's own, with the template of `createTestServer`, that can be restarted on its port. */
export async function startOwnPostgres() {
  const folder = mkdtempSync(join(tmpdir(), 'touchline-drill-postgres-'));
  const postgres = await startEmbeddedPostgres(folder);
  const template = await createTestServer(postgres.url);
  const data = (await ask<{ data_directory: string }>(postgres.url, 'show data_directory'))!.data_directory;

  return {
    admin_url: postgres.url,
    /** Stops it and waits until it answers again: `startEmbeddedPostgres` starts what has died. Returns how long it was away. */
    async restart(mode: ShutdownMode): Promise<number> {
      const { pid } = readPostmaster(data)!;
      const stopped_ms = performance.now();
      process.kill(pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
      while (isAlive(pid)) await delay(10);
      while (!(await ask(postgres.url, 'select 1').catch(() => undefined))) await delay(20);
      return performance.now() - stopped_ms;
    },
    async stop() {
      await template.stop();
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function ask<Row extends pg.QueryResultRow>(url: string, statement: string): Promise<Row | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows[0];
  } finally {
    await client.end().catch(() => {});
  }
}
