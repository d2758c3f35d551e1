import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from './config.ts';

/**
 * Makes this process the owner of a data folder until it releases it. The lock is a file that names the process;
 * one left by a process that was killed is taken over. Throws a `StartError` while its owner is alive.
 */
export function lockDataFolder(folder: string): { release: () => void } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = join(folder, 'touchline.lock');
  const mine = JSON.stringify({ pid: process.pid, started: startOf(process.pid) });
  const draft = `${lock}.${process.pid}`;
  writeFileSync(draft, mine, { mode: 0o600 });
  try {
    // A hard link appears whole or not at all, and never replaces another process's lock.
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        linkSync(draft, lock);
        return { release: () => releaseIfOurs(lock, mine) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const found = read(lock);
      const owner = found === undefined ? undefined : ownerOf(found);
      if (owner && isAlive(owner)) {
        throw new StartError(
          `The data folder ${folder} is in use by the Touchline process ${owner.pid}: stop that one, or set DATA_DIR to another folder.`,
        );
      }
      if (found !== undefined) moveAside(lock, found);
    }
    throw new StartError(`The data folder ${folder} is being taken by another Touchline process: try again.`);
  } finally {
    rmSync(draft, { force: true });
  }
}

type Owner = { pid: number; started: string | null };

function ownerOf(content: string): Owner | undefined {
  try {
    return JSON.parse(content) as Owner;
  } catch {
    return undefined;
  }
}

function read(path: string) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Removes a dead owner's lock; puts it back when another process replaced it in between. */
function moveAside(lock: string, dead: string) {
  const aside = `${lock}.dead.${process.pid}`;
  try {
    renameSync(lock, aside);
    if (read(aside) !== dead) linkSync(aside, lock);
  } catch {
    // Another process was faster; the next attempt sees its lock.
  } finally {
    rmSync(aside, { force: true });
  }
}

function releaseIfOurs(lock: string, mine: string) {
  if (read(lock) === mine) rmSync(lock, { force: true });
}

function isAlive(owner: Owner) {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  // Process ids are used again: after a reboot the same number is another program.
  return owner.started === null || owner.started === startOf(owner.pid);
}

/** When a process started, in clock ticks since the boot together with the boot's id; null where Linux's /proc is missing. */
function startOf(pid: number) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch {
    return null;
  }
}
