import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { StartError } from './config.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';

const isRoot = process.getuid?.() === 0;
const isLinux = process.platform === 'linux';
const canUnshare = isRoot && spawnSync('unshare', ['-U', 'true']).status === 0;

/** Where everything of this file lies: mode 0700, as `mkdtemp` makes it. */
let base: string;
/** A data folder whose database was made and stopped; tests copy it, because making one takes seconds. */
let made: string;
const running: EmbeddedPostgres[] = [];
const children: ChildProcess[] = [];
const path_before = process.env.PATH;

async function start(folder: string) {
  const postgres = await startEmbeddedPostgres(folder);
  running.push(postgres);
  return postgres;
}

function makeFolder(...names: string[]) {
  const folder = join(base, ...names);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

function copyOfMade(name: string) {
  const folder = join(base, name);
  expect(spawnSync('cp', ['-a', made, folder]).status).toBe(0);
  return folder;
}

async function query(url: string, statement: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

const postmasterPid = (folder: string) =>
  Number(readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'touchline-postgres-'));
  made = makeFolder('made');
  const postgres = await startEmbeddedPostgres(made);
  await query(postgres.url, `create table notes as select 'kept' as content`);
  await postgres.stop();
});
afterEach(async () => {
  process.env.PATH = path_before;
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const postgres of running.splice(0)) await postgres.stop();
});
afterAll(() => {
  rmSync(base, { recursive: true, force: true });
});

test('the first start makes a PostgreSQL 17 in UTF-8 that only this machine and only the password reach', async () => {
  const folder = makeFolder('first');
  const { url, adopted } = await start(folder);
  expect(adopted).toBe(false);
  const [settings] = await query(
    url,
    `select current_setting('server_version_num')::int / 10000 as version,
       current_setting('server_encoding') as encoding, current_setting('listen_addresses') as addresses,
       current_setting('unix_socket_directories') as sockets, current_setting('timezone') as zone`,
  );
  expect(settings).toEqual({
    version: 17,
    encoding: 'UTF8',
    addresses: '127.0.0.1',
    sockets: '',
    zone: 'UTC',
  });
  const stranger = new URL(url);
  stranger.password = 'guess';
  await expect(query(stranger.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  expect(statSync(join(folder, 'postgres-password')).mode & 0o077).toBe(0);
  expect(existsSync(join(folder, 'initial-password'))).toBe(false);
});

test('stopping takes seconds even while somebody is in a transaction, and the next start has what was committed', async () => {
  const folder = copyOfMade('stopped');
  const first = await start(folder);
  const client = new pg.Client({ connectionString: first.url });
  client.on('error', () => {});
  await client.connect();
  await client.query(`insert into notes values ('committed')`);
  await client.query('begin');
  await client.query(`insert into notes values ('open')`);
  const pid = postmasterPid(folder);
  const started_ms = performance.now();
  await first.stop();
  // Half a minute is when it is given up.
  expect(performance.now() - started_ms).toBeLessThan(25_000);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');

  const second = await start(folder);
  expect(second.adopted).toBe(false);
  expect(await query(second.url, 'select content from notes order by 1')).toEqual([
    { content: 'committed' },
    { content: 'kept' },
  ]);
});

test('a PostgreSQL that dies while its owner lives is started again at the same address, with what was committed', async () => {
  const folder = copyOfMade('restarted');
  const { url } = await start(folder);
  await query(url, `insert into notes values ('committed')`);
  const died = postmasterPid(folder);
  process.kill(died, 'SIGKILL');
  await vi.waitFor(
    async () => expect(await query(url, 'select content from notes order by 1')).toHaveLength(2),
    {
      timeout: 15_000,
      interval: 100,
    },
  );
  expect(postmasterPid(folder)).not.toBe(died);
});

test('stopping twice, and stopping what has died, does no harm', async () => {
  const folder = copyOfMade('died');
  const postgres = await start(folder);
  process.kill(postmasterPid(folder), 'SIGKILL');
  await postgres.stop();
  await postgres.stop();
});

/** Starts a process that starts the PostgreSQL, and kills it hard; returns the address that it had. */
async function startAndKillOwner(folder: string) {
  const module = JSON.stringify(join(import.meta.dirname, 'embedded-postgres.ts'));
  const script = `
    import { startEmbeddedPostgres } from ${module};
    console.log((await startEmbeddedPostgres(${JSON.stringify(folder)})).url);
    setInterval(() => {}, 1000);
  `;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(owner);
  const [url] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string];
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  return url;
}

test('after kill -9 of its owner the running PostgreSQL is taken over, and can be stopped', async () => {
  const folder = copyOfMade('orphan');
  const url = await startAndKillOwner(folder);
  const pid = postmasterPid(folder);
  const postgres = await start(folder);
  expect(postgres).toMatchObject({ adopted: true, url });
  expect(postmasterPid(folder)).toBe(pid);
  expect(await query(postgres.url, 'select content from notes')).toEqual([{ content: 'kept' }]);
  await postgres.stop();
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('after kill -9 of its owner and of PostgreSQL itself it starts again with what was committed', async () => {
  const folder = copyOfMade('crashed');
  const url = await startAndKillOwner(folder);
  await query(url, `insert into notes values ('committed')`);
  process.kill(postmasterPid(folder), 'SIGKILL');
  const postgres = await start(folder);
  expect(postgres.adopted).toBe(false);
  expect(await query(postgres.url, 'select count(*)::int from notes')).toEqual([{ count: 2 }]);
});

// Elsewhere nothing tells what a process is: PostgreSQL's own refusal stands.
test.skipIf(!isLinux).each(['ready', 'starting', 'stopping'])(
  'a process id that another program has since the machine went down (%s) does not keep PostgreSQL from starting',
  async (status) => {
    const folder = copyOfMade(`reused-${status}`);
    const stranger = spawn('sleep', ['60']);
    children.push(stranger);
    const data = join(folder, 'postgres');
    const lines = [
      stranger.pid,
      data,
      1_700_000_000,
      5432,
      '',
      '127.0.0.1',
      '  1234567         0',
      status,
      '',
    ];
    writeFileSync(join(data, 'postmaster.pid'), lines.join('\n'), { mode: 0o600 });
    const started_ms = performance.now();
    const postgres = await start(folder);
    // Half a minute is how long one that is still ending is waited for.
    expect(performance.now() - started_ms).toBeLessThan(25_000);
    expect(await query(postgres.url, 'select content from notes')).toEqual([{ content: 'kept' }]);
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
  },
);

test('what a crash in the middle of the first start left behind is made anew', async () => {
  const folder = makeFolder('half');
  mkdirSync(join(folder, 'postgres.new', 'base'), { recursive: true });
  writeFileSync(join(folder, 'postgres.new', 'PG_VERSION'), '17\n');
  writeFileSync(join(folder, 'initial-password'), 'half', { mode: 0o600 });
  writeFileSync(join(folder, 'postgres-password.new'), 'half', { mode: 0o600 });
  const { url } = await start(folder);
  expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  expect(existsSync(join(folder, 'postgres.new'))).toBe(false);
  expect(existsSync(join(folder, 'initial-password'))).toBe(false);
});

// Windows' own limit on paths is 260 characters.
test.skipIf(process.platform === 'win32')(
  'a folder with spaces and umlauts, and far longer than a socket address may be, will do',
  async () => {
    const folder = makeFolder(
      'Büro Zürich & Söhne',
      `it's "ours"`,
      'long '.repeat(40).trim(),
      'ö'.repeat(100),
    );
    expect(folder.length).toBeGreaterThan(300);
    for (let round = 0; round < 2; round++) {
      const postgres = await start(folder);
      expect(await query(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }]);
      await postgres.stop();
    }
  },
);

test('a database that does not start is told in one sentence with the place of its log', async () => {
  const folder = copyOfMade('broken');
  writeFileSync(join(folder, 'postgres', 'PG_VERSION'), '9.6\n');
  const refused = expect(startEmbeddedPostgres(folder)).rejects;
  await refused.toBeInstanceOf(StartError);
  await refused.toThrow(
    `The embedded PostgreSQL did not start: see ${join(folder, 'postgres.log')}, or set DATABASE_URL to a PostgreSQL of your own.`,
  );
});

test("PostgreSQL's log holds its starts and stops, and none of a member's words when a statement fails", async () => {
  const folder = copyOfMade('log');
  const { url, stop } = await start(folder);
  await expect(query(url, `select 'my secret words'::int`)).rejects.toThrow('my secret words');
  await query(url, `do $$ begin raise warning 'my secret words'; end $$`);
  await query(url, 'create unique index on notes (content)');
  await expect(query(url, `insert into notes values ('kept')`)).rejects.toMatchObject({ code: '23505' });
  await stop();
  const log = readFileSync(join(folder, 'postgres.log'), 'utf8');
  expect(log).toContain('database system is shut down');
  expect(log).not.toMatch(/my secret words|kept/);
});

// Only root is refused by PostgreSQL; anybody else runs it as themselves, as all tests above show.
describe.skipIf(!isRoot)('as root', () => {
  /** Lets `unshare` fail, as where user namespaces are forbidden. */
  function forbidNamespaces() {
    const folder = makeFolder('fake-bin');
    writeFileSync(join(folder, 'unshare'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    process.env.PATH = `${folder}${delimiter}${path_before}`;
  }

  function ownerOf(folder: string) {
    return statSync(`/proc/${postmasterPid(folder)}`).uid;
  }

  /** Where the database goes when the other account cannot reach the data folder. */
  const movedFolder = (folder: string) =>
    join('/var/lib/touchline', createHash('sha256').update(folder).digest('hex').slice(0, 12));

  // Without namespaces this machine cannot show it; the tests below show the other way.
  test.skipIf(!canUnshare)('below a folder of mode 0700 it runs in a user namespace', async () => {
    const folder = copyOfMade('namespace');
    const { url } = await start(folder);
    expect(await query(url, 'select content from notes')).toEqual([{ content: 'kept' }]);
    expect(ownerOf(folder)).toBe(0);
    expect(existsSync(movedFolder(folder))).toBe(false);
  });

  test('without namespaces it runs as another account where that can reach the folder, and stays with it', async () => {
    const outer = mkdtempSync(join(tmpdir(), 'touchline-reachable-'));
    chmodSync(outer, 0o755);
    const folder = join(outer, 'data');
    mkdirSync(folder, { mode: 0o700 });
    try {
      forbidNamespaces();
      const first = await start(folder);
      expect(ownerOf(folder)).not.toBe(0);
      await query(first.url, `create table notes as select 'kept' as content`);
      await first.stop();
      const second = await start(folder);
      expect(await query(second.url, 'select content from notes')).toEqual([{ content: 'kept' }]);
      await second.stop();
      // Where namespaces are allowed again, the files still belong to the other account.
      process.env.PATH = path_before;
      const third = await start(folder);
      expect(await query(third.url, 'select content from notes')).toEqual([{ content: 'kept' }]);
      await third.stop();
      // Strangers may pass through the data folder, but see neither its files nor the secrets in it.
      expect(statSync(folder).mode & 0o777).toBe(0o711);
      expect(statSync(join(folder, 'postgres-password')).mode & 0o077).toBe(0);
      expect(statSync(join(folder, 'postgres')).mode & 0o077).toBe(0);
    } finally {
      rmSync(outer, { recursive: true, force: true });
    }
  });

  test('without namespaces and below a folder of mode 0700 the database goes where another account reaches it, whatever the umask', async () => {
    const folder = makeFolder('moved');
    const moved = movedFolder(folder);
    const umask = process.umask(0o077);
    try {
      forbidNamespaces();
      const first = await start(folder);
      expect(statSync(join(moved, 'postgres')).uid).not.toBe(0);
      await query(first.url, `create table notes as select 'kept' as content`);
      await first.stop();
      const second = await start(folder);
      expect(await query(second.url, 'select content from notes')).toEqual([{ content: 'kept' }]);
      await second.stop();
      // Where namespaces are allowed again, the database is still found.
      process.env.PATH = path_before;
      const third = await start(folder);
      expect(await query(third.url, 'select content from notes')).toEqual([{ content: 'kept' }]);
      await third.stop();
      expect(existsSync(join(folder, 'postgres'))).toBe(false);
    } finally {
      process.umask(umask);
      rmSync(moved, { recursive: true, force: true });
      // It stays where another Touchline on this machine needs it.
      if (readdirSync(dirname(moved)).length === 0) rmdirSync(dirname(moved));
    }
  });

  test.skipIf(!canUnshare)(
    'a database that was made in a namespace and can no longer be reached is told in a sentence, and kept',
    async () => {
      const folder = copyOfMade('stranded');
      forbidNamespaces();
      await expect(startEmbeddedPostgres(folder)).rejects.toThrow(
        `PostgreSQL refuses to run as root and cannot reach ${folder} as another account`,
      );
      process.env.PATH = path_before;
      const { url } = await start(folder);
      expect(await query(url, 'select content from notes')).toEqual([{ content: 'kept' }]);
    },
  );
});
