/**
 * `npm run drill`: breaks what can break under a running Touchline and compares everything that members were told with the
 * database afterwards. `npm run drill -- kill --seed 7 --times 20` runs one, as it ran before. Exit code 1 when anything
 * differs.
 */
import { existsSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { breakUpstream } from './break-upstream.ts';
import { crowdChat } from './crowd-chat.ts';
import { dropReaders } from './drop-readers.ts';
import { killServers } from './kill-servers.ts';
import { loseFiles } from './lose-files.ts';
import type { DrillOptions, Outcome } from './outcome.ts';
import { type OwnPostgres, startOwnPostgres } from './own-postgres.ts';
import { rebuildStores } from './rebuild-stores.ts';
import { restartPostgres } from './restart-postgres.ts';
import { spendAllowance } from './spend-allowance.ts';
import { stopServer } from './stop-server.ts';

type Drill = {
  title: string;
  times: number;
  run: (options: DrillOptions, postgres: OwnPostgres) => Promise<Outcome>;
};

const drills: Record<string, Drill> = {
  kill: { title: 'two servers killed at random moments', times: 200, run: killServers },
  postgres: {
    title: 'PostgreSQL restarted under 50 requests a second',
    times: 20,
    run: (options, postgres) => restartPostgres({ ...options, postgres }),
  },
  allowance: { title: 'more messages at once than the plan leaves', times: 1_000, run: spendAllowance },
  chat: { title: 'messages at once for one chat', times: 100, run: crowdChat },
  upstream: { title: 'every fault of the model', times: 50, run: breakUpstream },
  readers: { title: 'readers dropped in the middle of their replies', times: 500, run: dropReaders },
  stores: {
    title: 'turns at once on a store that is gone, and servers killed while it is made',
    times: 100,
    run: rebuildStores,
  },
  files: { title: 'OpenAI loses stores, files and conversations', times: 500, run: loseFiles },
  stop: { title: 'a server asked to stop in the middle of its replies', times: 50, run: stopServer },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, times: { type: 'string' } },
});
const wrong = positionals.find((name) => !(name in drills));
if (wrong !== undefined || !/^[1-9]\d*$/.test(values.times ?? '1')) {
  process.stderr.write(`npm run drill -- [${Object.keys(drills).join('|')}] [--seed 7] [--times 20]\n`);
  process.exit(1);
}

const log_path = join(tmpdir(), `touchline-drill-${process.pid}.log`);
const postgres = await startOwnPostgres();
for (const event of ['SIGINT', 'SIGTERM', 'uncaughtException', 'unhandledRejection']) {
  process.once(event, async (reason) => {
    say(`ended by ${event}${reason instanceof Error ? `: ${reason.stack}` : ''}`);
    await postgres.stop();
    process.exit(1);
  });
}
try {
  for (const name of positionals.length > 0 ? positionals : Object.keys(drills))
    await report(name, drills[name]!);
} finally {
  await postgres.stop();
}
if (process.exitCode === 1 && existsSync(log_path) && statSync(log_path).size > 0) {
  say(`The servers' logs: ${log_path}`);
} else rmSync(log_path, { force: true });

async function report(name: string, { title, times: usual, run }: Drill) {
  const seed = values.seed ?? String(Math.floor(Math.random() * 1_000_000));
  const times = Number(values.times ?? usual);
  say(`${name} × ${times}: ${title} (--seed ${seed})`);
  const started_ms = performance.now();
  try {
    const { did, acknowledged, differences } = await run(
      { seed, times, admin_url: postgres.admin_url, log_path },
      postgres,
    );
    say(`  did           ${did}`);
    say(`  acknowledged  ${acknowledged}`);
    say(
      `  compared      ${differences.length === 0 ? 'no difference' : `${differences.length} differences`}`,
    );
    for (const difference of differences.slice(0, 100)) say(`    ✗ ${difference}`);
    if (differences.length > 0) process.exitCode = 1;
  } catch (error) {
    say(`    ✗ the drill broke off: ${(error as Error).stack}`);
    process.exitCode = 1;
  }
  say(`  took          ${((performance.now() - started_ms) / 1_000).toFixed(1)} s\n`);
}

function say(line: string) {
  process.stdout.write(`${line}\n`);
}
