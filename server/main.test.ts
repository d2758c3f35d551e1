import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { readConfig, StartError } from './platform/config.ts';
import { findFreePort } from './platform/free-port.ts';
import { startServer } from './start-server.ts';
import { no_settings } from './testing/no-settings.ts';

const root = join(import.meta.dirname, '..');
const readyLine = /^Touchline is ready at http:\/\/localhost:(\d+)\n$/;

/** Where everything of this file lies. */
let base: string;
/** A data folder that a Touchline made and left; tests copy it, because making one takes seconds. */
let made: string;
const children: ChildProcess[] = [];

/** `node server/main.ts` as a process of its own. `ipc`: with a channel, as `npm start` runs it. */
function startMain(settings: Record<string, string>, { ipc = false } = {}) {
  const child = spawn(process.execPath, [join('server', 'main.ts')], {
    cwd: root,
    env: { PATH: process.env.PATH, ...no_settings, PORT: '0', ...settings },
    stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
  });
  children.push(child);
  const output = { stdout: '', stderr: '' };
  child.stdout!.on('data', (chunk) => (output.stdout += chunk));
  child.stderr!.on('data', (chunk) => (output.stderr += chunk));
  // Node tells no 'close' once a channel was disconnected.
  const closed = once(child, ipc ? 'exit' : 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  return {
    child,
    output,
    /** Its exit code, or the signal that ended it. */
    async exit() {
      const [code, signal] = await closed;
      return code ?? signal;
    },
    /** The address that it prints when it is ready. */
    async ready() {
      await Promise.race([once(child.stdout!, 'data'), closed]);
      const port = readyLine.exec(output.stdout)?.[1];
      if (!port) throw new Error(`it did not start: ${output.stderr}`);
      return `http://127.0.0.1:${port}`;
    },
  };
}

function copyOfMade(name: string) {
  const folder = join(base, name);
  expect(spawnSync('cp', ['-a', made, folder]).status).toBe(0);
  return folder;
}

function postmasterPid(folder: string) {
  return Number(readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
}

/** Every PostgreSQL that runs in a folder, by Linux's /proc. */
function listPostgres(folder: string) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return command.includes(join(folder, 'postgres')) && !command.includes('main.ts');
      } catch {
        return false;
      }
    });
}

/** Waits until somebody listens, which is long before a Touchline is ready. */
async function portOpens(port: number) {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await delay(5);
  }
}

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'touchline-main-'));
  made = join(base, 'made');
  const main = startMain({ DATA_DIR: made });
  await main.ready();
  main.child.kill('SIGTERM');
  await main.exit();
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const name of readdirSync(base)) {
    try {
      process.kill(postmasterPid(join(base, name)), 'SIGQUIT');
    } catch {
      // None runs there.
    }
  }
});
afterAll(() => {
  rmSync(base, { recursive: true, force: true });
});

/** What a process that must not start says; it never prints a stack trace, and nothing on its standard output. */
async function refusal(settings: Record<string, string>) {
  const main = startMain(settings);
  expect(await main.exit()).toBe(1);
  expect(main.output.stdout).toBe('');
  expect(main.output.stderr).toMatch(/^[^\n]+\.\n$/);
  expect(main.output.stderr).not.toMatch(/\bat .*:\d+:\d+|Error:/);
  return main.output.stderr.trimEnd();
}

test('it prints one line with its address, and answers there', async () => {
  const started_ms = performance.now();
  const main = startMain({ DATA_DIR: copyOfMade('one-line') });
  const url = await main.ready();
  process.stdout.write(`second start: ready after ${Math.round(performance.now() - started_ms)} ms\n`);
  expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'ok' });
  expect(await (await fetch(`${url}/api/config`)).json()).toMatchObject({
    mode: 'embedded',
    model: 'practice',
  });
  await delay(200);
  expect(main.output).toEqual({ stdout: expect.stringMatching(readyLine), stderr: '' });
});

test('it listens for this machine only unless HOST says otherwise', async () => {
  const main = startMain({ DATA_DIR: copyOfMade('loopback') });
  const port = Number(new URL(await main.ready()).port);
  const others = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address);
  // On Linux all of 127.0.0.0/8 is this machine: who listens everywhere answers here, too.
  if (process.platform === 'linux') others.push('127.0.0.2');
  for (const host of others) {
    const socket = connect({ host, port, timeout: 2_000 });
    const reached = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'timeout').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    expect({ host, reached }).toEqual({ host, reached: false });
  }
});

test('a hundred requests that come before it is ready all get their answers', async () => {
  const port = await findFreePort();
  const main = startMain({ DATA_DIR: join(base, 'early'), PORT: String(port) });
  await portOpens(port);
  expect(main.output.stdout).toBe('');
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      fetch(`http://127.0.0.1:${port}/${n % 2 ? 'healthz' : 'api/config'}`),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(200));
});

test('SIGTERM stops everything, PostgreSQL too, within seconds and with exit code 0', async () => {
  const folder = copyOfMade('sigterm');
  const main = startMain({ DATA_DIR: folder });
  const url = await main.ready();
  // A browser keeps its connection open.
  const idle = connect(Number(new URL(url).port), '127.0.0.1');
  await once(idle, 'connect');
  idle.on('error', () => {});
  const pid = postmasterPid(folder);
  const started_ms = performance.now();
  main.child.kill('SIGTERM');
  expect(await main.exit()).toBe(0);
  // Replies would have half a minute: nothing is waited for that there is not.
  expect(performance.now() - started_ms).toBeLessThan(25_000);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  expect(main.output.stderr).toBe('');
  idle.destroy();
});

// Without /proc nothing tells which processes belong to the folder.
test.skipIf(process.platform !== 'linux').each([0, 150, 300, 600, 1_000])(
  'SIGTERM %i ms after it took the port leaves no PostgreSQL behind',
  async (pause_ms) => {
    const folder = join(base, `early-stop-${pause_ms}`);
    const port = await findFreePort();
    const main = startMain({ DATA_DIR: folder, PORT: String(port) });
    await portOpens(port);
    await delay(pause_ms);
    main.child.kill('SIGTERM');
    expect(await main.exit()).toBe(0);
    expect(listPostgres(folder)).toEqual([]);
    expect(main.output).toEqual({ stdout: expect.stringMatching(/^$|^Touchline is ready/), stderr: '' });
  },
);

test('when the process that started it is gone it stops by itself', async () => {
  const folder = copyOfMade('disconnected');
  const main = startMain({ DATA_DIR: folder }, { ipc: true });
  await main.ready();
  const pid = postmasterPid(folder);
  main.child.disconnect();
  expect(await main.exit()).toBe(0);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('after kill -9 it starts again with its running PostgreSQL, and knows its members', async () => {
  const folder = copyOfMade('killed');
  const first = startMain({ DATA_DIR: folder });
  const member = { email: `member-${randomUUID()}@example.org`, password: 'a long password' };
  const signed_up = await callAuth(await first.ready(), 'signup', member);
  expect(signed_up.status).toBe(200);
  const pid = postmasterPid(folder);
  first.child.kill('SIGKILL');
  expect(await first.exit()).toBe('SIGKILL');

  const second = startMain({ DATA_DIR: folder });
  const url = await second.ready();
  expect(postmasterPid(folder)).toBe(pid);
  const { access_token } = (await signed_up.json()) as { access_token: string };
  const me = await fetch(`${url}/api/me`, { headers: { authorization: `Bearer ${access_token}` } });
  expect(await me.json()).toMatchObject({ email: member.email });
  expect((await callAuth(url, 'token?grant_type=password', member)).status).toBe(200);
  second.child.kill('SIGTERM');
  expect(await second.exit()).toBe(0);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

async function callAuth(url: string, path: string, body: object) {
  const { auth_key } = (await (await fetch(`${url}/api/config`)).json()) as { auth_key: string };
  return fetch(`${url}/auth/v1/${path}`, {
    method: 'POST',
    headers: { apikey: auth_key, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

test('a port in use is told with its number', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  expect(await refusal({ DATA_DIR: join(base, 'port'), PORT: String(port) })).toBe(
    `The port ${port} is in use: stop what uses it, or set PORT to another number.`,
  );
  server.close();
});

test.each([
  ['192.0.2.1', 'This machine has no address 192.0.2.1: set HOST to one that it has, such as 127.0.0.1.'],
  ['no.such.host.invalid', /^The (address|server) .*no\.such\.host\.invalid/],
])('a HOST that is not of this machine (%s) is told', async (host, sentence) => {
  const mail = { SMTP_HOST: 'smtp.example.org', MAIL_FROM: 'hello@example.org' };
  expect(await refusal({ DATA_DIR: join(base, 'host'), HOST: host, ...mail })).toMatch(sentence);
});

test.each<Record<string, string>>([
  { HOST: '0.0.0.0' },
  { HOST: '::' },
  { HOST: '192.0.2.1' },
  { PUBLIC_URL: 'https://coach.example.org' },
])('where others can reach it, it does not start without a mail server: %o', async (settings) => {
  const folder = join(base, 'without-mail');
  expect(await refusal({ DATA_DIR: folder, ...settings })).toBe(
    'Others can reach this server, so it needs a way to send mail: set SMTP_HOST and MAIL_FROM, or let HOST and PUBLIC_URL be addresses of this machine alone.',
  );
  expect(existsSync(folder)).toBe(false);
});

test.each(['0.0.0.0', '::'])('listening on every address (%s), it wants to know its own', async (host) => {
  const mail = { SMTP_HOST: 'smtp.example.org', MAIL_FROM: 'hello@example.org' };
  expect(await refusal({ DATA_DIR: join(base, 'everywhere'), HOST: host, ...mail })).toBe(
    'The links in mails need the address that people use: set PUBLIC_URL to it, such as https://coach.example.org.',
  );
});

test('where others can reach it, it starts with a mail server, which it does not ask for anything', async () => {
  const asked = createServer().listen(0, '127.0.0.1');
  await once(asked, 'listening');
  let connections = 0;
  asked.on('connection', () => connections++);
  const main = startMain({
    DATA_DIR: copyOfMade('with-mail'),
    PUBLIC_URL: 'https://coach.example.org',
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String((asked.address() as { port: number }).port),
    MAIL_FROM: 'hello@example.org',
  });
  const url = await main.ready();
  expect(await (await fetch(`${url}/api/config`)).json()).toMatchObject({ outbox: false });
  expect(connections).toBe(0);
  asked.close();
});

test('a secret key where every browser would get it is refused, and not quoted', async () => {
  const key = 'sb_secret_4vQ0Zz8rJd2nY6pTt1xKcw';
  const sentence = await refusal({
    DATA_DIR: join(base, 'secret-key'),
    DATABASE_URL: inject('admin_url'),
    SUPABASE_URL: 'https://project.supabase.co',
    SUPABASE_PUBLISHABLE_KEY: key,
  });
  expect(sentence).toMatch(/^SUPABASE_PUBLISHABLE_KEY holds a secret key/);
  expect(sentence).not.toContain('4vQ0');
});

test('a data folder in use is told with the process id of its owner, who is not disturbed', async () => {
  const folder = copyOfMade('in-use');
  const owner = startMain({ DATA_DIR: folder });
  const url = await owner.ready();
  expect(await refusal({ DATA_DIR: folder })).toBe(
    `The data folder ${folder} is in use by the Touchline process ${owner.child.pid}: stop that one, or set DATA_DIR to another folder.`,
  );
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
});

test('a data folder that cannot be made is told, with the database of one mode as of the other', async () => {
  const file = join(base, 'file');
  writeFileSync(file, '');
  const folder = join(file, 'data');
  const sentence = `The data folder ${folder} cannot be used (ENOTDIR): set DATA_DIR to a folder that this account may write.`;
  expect(await refusal({ DATA_DIR: folder })).toBe(sentence);
  expect(await refusal({ DATA_DIR: folder, DATABASE_URL: inject('admin_url') })).toBe(sentence);
});

test('a broken setting is told by its name', async () => {
  expect(await refusal({ DATA_DIR: join(base, 'setting'), MAX_FILE_MB: 'plenty' })).toBe(
    'The setting MAX_FILE_MB is not usable: must be a whole number from 1 to 500.',
  );
});

test('a database that cannot be reached is told without its password', async () => {
  const data = { DATA_DIR: join(base, 'database') };
  const nowhere = `postgresql://coach:hunter2@127.0.0.1:${await findFreePort()}/touchline`;
  expect(await refusal({ ...data, DATABASE_URL: nowhere })).toBe(
    'Nothing listens at the address in DATABASE_URL: start PostgreSQL there, or correct the address.',
  );
  const wrong = new URL(inject('admin_url'));
  wrong.password = 'hunter2';
  expect(await refusal({ ...data, DATABASE_URL: wrong.href })).toBe(
    'PostgreSQL refuses the name or the password in DATABASE_URL: correct it.',
  );
  wrong.href = inject('admin_url');
  wrong.pathname = '/no_such_database';
  expect(await refusal({ ...data, DATABASE_URL: wrong.href })).toContain(
    'There is no database of the name in DATABASE_URL',
  );
});

test('a broken coach file is told by its name, and nothing that had been started stays', async () => {
  const folder = copyOfMade('coach');
  const broken = join(base, 'broken-root');
  mkdirSync(broken);
  for (const name of ['coaches', 'schema', 'plans.yaml'])
    cpSync(join(root, name), join(broken, name), { recursive: true });
  writeFileSync(join(broken, 'coaches', 'carousel.md'), '---\nslug: carousel\n---\n');
  const port = await findFreePort();
  const config = readConfig({ PORT: String(port), DATA_DIR: folder, LOG_LEVEL: 'silent' });
  const refused = expect(startServer(config, broken)).rejects;
  await refused.toBeInstanceOf(StartError);
  await refused.toThrow(/^carousel\.md, /);
  // So does one that names a plan which plans.yaml does not have.
  const whole = readFileSync(join(root, 'coaches', 'carousel.md'), 'utf8');
  const gold = whole.replace('plans: [free,', 'plans: [gold,');
  expect(gold).not.toBe(whole);
  writeFileSync(join(broken, 'coaches', 'carousel.md'), gold);
  await expect(startServer(config, broken)).rejects.toThrow(
    /^carousel\.md, line \d+: there is no plan "gold" in plans\.yaml, which has free, /,
  );
  if (process.platform === 'linux') expect(listPostgres(folder)).toEqual([]);
  // The port and the folder are free again.
  const server = await startServer(config, root);
  await server.stop(0);
});
