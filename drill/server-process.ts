import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { no_settings } from '../server/testing/no-settings.ts';

const root = join(import.meta.dirname, '..');

/** `node server/main.ts` as a process of its own, which can be killed and started again on its port. */
export type ServerProcess = {
  port: number;
  readonly pid: number;
  readonly isReady: boolean;
  start: () => void;
  /** Resolves when it serves; rejects when it has ended instead. */
  ready: () => Promise<void>;
  /** Sends a signal and resolves, when it has ended, with its exit code, or the signal that ended it. */
  end: (signal: NodeJS.Signals) => Promise<number | NodeJS.Signals>;
  /** Resolves when it has ended, for whatever reason. */
  ended: () => Promise<number | NodeJS.Signals>;
};

const children = new Set<ChildProcess>();
// However this process ends, its servers end with it.
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Its log is added to the file `log_path`. `onDeath` is told when it ends without having been asked to. */
export function createServerProcess(
  port: number,
  settings: Record<string, string>,
  log_path: string,
  onDeath: (how: string) => void,
): ServerProcess {
  let child: ChildProcess;
  let isReady = false;
  let asked = false;
  let ready: Promise<void>;
  let ended: Promise<number | NodeJS.Signals>;

  return {
    port,
    get pid() {
      return child.pid!;
    },
    get isReady() {
      return isReady;
    },
    start() {
      const log = openSync(log_path, 'a');
      const started = spawn(process.execPath, [join('server', 'main.ts')], {
        cwd: root,
        env: { PATH: process.env.PATH, ...compileCache(), ...no_settings, ...settings, PORT: String(port) },
        stdio: ['ignore', 'pipe', log],
      });
      closeSync(log);
      child = started;
      children.add(started);
      isReady = false;
      asked = false;
      ready = new Promise((resolve, reject) => {
        started.stdout!.once('data', () => {
          isReady = true;
          resolve();
        });
        started.once('exit', () => reject(new Error('a server has ended before it was ready')));
      });
      ready.catch(() => {});
      ended = once(started, 'exit').then(([code, signal]) => {
        isReady = false;
        children.delete(started);
        if (!asked) onDeath(`a server has ended by itself with ${code ?? signal}`);
        return code ?? signal;
      });
    },
    ready: () => ready,
    end(signal) {
      asked = true;
      child.kill(signal);
      return ended;
    },
    ended: () => ended,
  };
}

function compileCache(): Record<string, string> {
  const { NODE_COMPILE_CACHE } = process.env;
  return NODE_COMPILE_CACHE ? { NODE_COMPILE_CACHE } : {};
}

/**
 * A port of the loopback address that nobody uses, and that no outgoing connection is given while its server is away:
 * systems take those from 32768 on, or later.
 */
export async function findLastingPort(): Promise<number> {
  for (let port = 20_000 + (process.pid % 500) * 20; port < 32_768; port++) {
    if (taken.has(port)) continue;
    taken.add(port);
    const server = createServer();
    server.listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
  throw new Error('no port is free');
}

const taken = new Set<number>();

/** Open sockets of a process; undefined where the system does not tell (it is Linux's /proc that does). */
export function countSockets(pid: number): number | undefined {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).filter((name) => {
      try {
        return readlinkSync(join(folder, name)).startsWith('socket:');
      } catch {
        return false;
      }
    }).length;
  } catch {
    return undefined;
  }
}

/** Connections that are open at a port of the loopback address; undefined outside of Linux. */
export function countConnections(port: number): number | undefined {
  try {
    const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    const lines = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
    return lines.filter((line) => {
      // proc(5): number, local and remote address, state (0A listens), and further on the inode, 0 once nobody holds it.
      const [, local_address, , state, , , , , , inode] = line.trim().split(/\s+/);
      return local_address === local && state !== '0A' && inode !== '0';
    }).length;
  } catch {
    return undefined;
  }
}

/** Resident memory of a process in MiB; undefined outside of Linux. */
export function residentMemory(pid: number): number | undefined {
  try {
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Math.round(Number(kib) / 1024);
  } catch {
    return undefined;
  }
}
