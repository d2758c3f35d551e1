import { readFileSync, readlinkSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What PostgreSQL says of itself in postmaster.pid (src/include/miscadmin.h): pid, data, start, port, socket, address, shared memory, status. */
export function readPostmaster(data: string) {
  try {
    const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
    const pid = Number(lines[0]);
    if (!Number.isInteger(pid) || pid <= 0) return undefined;
    return { pid, port: Number(lines[3]), status: lines[7]?.trim() };
  } catch {
    return undefined;
  }
}

/**
 * After the machine went down hard the process id in postmaster.pid may be another program's, and PostgreSQL would
 * refuse to start. It takes a file that names its parent for stale (CreateLockFile in miscinit.c), and still looks
 * whether anybody uses the memory that the file names: so our id goes in, and the file stays.
 */
export function disownUsedPid(data: string) {
  const found = readPostmaster(data);
  if (!found || !isAlive(found.pid) || isPostgresOf(found.pid, data)) return;
  const path = join(data, 'postmaster.pid');
  const [, ...rest] = readFileSync(path, 'utf8').split('\n');
  writeFileSync(path, [process.pid, ...rest].join('\n'));
}

/** Whether a process is the PostgreSQL of this folder: it works in it. Outside of Linux, whether it is alive. */
export function isPostgresOf(pid: number, data: string) {
  if (process.platform !== 'linux') return isAlive(pid);
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(data);
  } catch {
    return false;
  }
}

/** Whether a process of this id lives, whosoever it is. */
export function isAlive(pid: number) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
