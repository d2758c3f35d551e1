import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../platform/free-port.ts';
import { preparePostgresAccount } from '../platform/postgres-account.ts';

const folder_of_15 = '/usr/lib/postgresql/15/bin';
const control = join(folder_of_15, 'pg_ctl');

/**
 * Starts the PostgreSQL 15 that Debian installs, the oldest that is supported, in a folder of its own. Undefined where
 * it is not installed.
 */
export async function startPostgres15(): Promise<{ url: string; stop: () => void } | undefined> {
  if (!existsSync(join(folder_of_15, 'initdb'))) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'touchline-test-15-'));
  const account = await preparePostgresAccount(folder, {
    postgres: join(folder_of_15, 'postgres'),
    initdb: join(folder_of_15, 'initdb'),
  });
  const data = join(account.folder, 'data');
  const port = await findFreePort();
  run(account.binaries.initdb, [
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C.UTF-8',
  ]);
  const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200 -c fsync=off`;
  run(control, ['-D', data, '-o', settings, '-l', join(data, 'log'), '-w', 'start']);
  return {
    url: `postgresql://postgres@127.0.0.1:${port}/postgres`,
    stop() {
      run(control, ['-D', data, '-m', 'immediate', 'stop']);
      rmSync(folder, { recursive: true, force: true });
    },
  };

  function run(program: string, args: string[]) {
    const { status, stderr } = spawnSync(...account.command(program, args), {
      ...account.credentials,
      encoding: 'utf8',
      // pg_ctl leaves its server behind with whatever it inherits: a pipe would never close.
      stdio: ['ignore', 'ignore', program === control ? 'ignore' : 'pipe'],
    });
    if (status !== 0) throw new Error(`${program} failed: ${stderr}`);
  }
}
