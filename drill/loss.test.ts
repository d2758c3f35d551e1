/** The drills in short that kill servers and restart PostgreSQL: what was acknowledged is there afterwards. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { killServers } from './kill-servers.ts';
import { startOwnPostgres } from './own-postgres.ts';
import { restartPostgres } from './restart-postgres.ts';

let folder: string;
let log_path: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'touchline-drill-test-'));
  log_path = join(folder, 'servers.log');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('servers killed five times at random moments lose nothing that was acknowledged', async () => {
  const killing = killServers({
    seed: '1',
    times: 5,
    admin_url: inject('admin_url'),
    log_path,
    turns_per_s: 4,
    skips_silence: true,
  });
  expect(await killing).toMatchObject({ differences: [] });
}, 180_000);

it('PostgreSQL restarted twice under load loses nothing that was acknowledged', async () => {
  const postgres = await startOwnPostgres();
  try {
    const restarting = restartPostgres({ seed: '1', times: 2, log_path, postgres, requests_per_s: 25 });
    expect(await restarting).toMatchObject({ differences: [] });
  } finally {
    await postgres.stop();
  }
}, 180_000);
