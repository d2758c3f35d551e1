/** The drills in short that kill servers and restart PostgreSQL: what was acknowledged is there afterwards. */
import { expect, it } from 'vitest';
import { killServers } from './kill-servers.ts';
import { startOwnPostgres } from './own-postgres.ts';
import { restartPostgres } from './restart-postgres.ts';
import { setShortDrill } from './short-drill.ts';

const options = setShortDrill();

it('servers killed five times at random moments lose nothing that was acknowledged', async () => {
  const killing = killServers({ ...options, times: 5, turns_per_s: 4, skips_silence: true });
  expect(await killing).toMatchObject({ differences: [] });
}, 180_000);

it('PostgreSQL restarted twice under load loses nothing that was acknowledged', async () => {
  const postgres = await startOwnPostgres();
  try {
    const restarting = restartPostgres({ ...options, times: 2, postgres, requests_per_s: 25 });
    expect(await restarting).toMatchObject({ differences: [] });
  } finally {
    await postgres.stop();
  }
}, 180_000);
