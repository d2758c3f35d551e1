import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from './config.ts';

/**
 * Makes this process the owner of a data folder until it releases it. Throws a `StartError` while another owner is
 * alive, and where the folder cannot be written.
 *
 * Each owner has a file of its own, `touchline.<number>.lock`, that names the process; the highest number counts. A
 * dead owner's file is never removed before a higher one stands, so of any number of processes that find it one makes
 * the next: renaming or deleting it first would let two of them through.
 */
export function lockDataFolder(folder: string): { release: () => void } {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return lock(folder);
  } catch (cause) {
    if (cause instanceof StartError) throw cause;
    throw new StartError(
      `The data folder ${folder} cannot be used (${(cause as NodeJS.ErrnoException).code}): set DATA_DIR to a folder that this account may write.`,
      { cause },
    );
  }
}

function lock(folder: string) {
  const at = (number: number) => join(folder, `touchline.${number}.lock`);
  const mine = JSON.stringify({ pid: process.pid, started: startOf(process.pid) });
  const draft = join(folder, `touchline.${process.pid}.draft`);
  writeFileSync(draft, mine, { mode: 0o600 });
  try {
    for (;;) {
      const last = listNumbers(folder).at(-1) ?? 0;
      const owner = last === 0 ? undefined : readOwner(at(last));
      if (owner && isAlive(owner)) {
        throw new StartError(
          `The data folder ${folder} is in use by the Touchline process ${owner.pid}: stop that one, or set DATA_DIR to another folder.`,
        );
      }
      const next = last + 1;
      try {
        // A hard link appears whole or not at all, and never replaces another process's file.
        linkSync(draft, at(next));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
        throw error;
      }
      const numbers = listNumbers(folder);
      if (numbers.at(-1) !== next) {
        // The number had been used and cleared away since we looked: its successor counts.
        rmSync(at(next), { force: true });
        continue;
      }
      for (const number of numbers) if (number < next) rmSync(at(number), { force: true });
      return { release: () => release(at(next), mine) };
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

type Owner = { pid: number; started: string | null };

/** The numbers of the folder's locks, rising. */
function listNumbers(folder: string) {
  return readdirSync(folder)
    .map((name) => Number(/^touchline\.(\d+)\.lock$/.exec(name)?.[1]))
    .filter((number) => number > 0)
    .sort((one, other) => one - other);
}

/** Undefined for a lock that was released, and for one that a crash of the machine left empty or damaged. */
function readOwner(path: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(path, 'utf8')) as Owner;
    return Number.isInteger(owner?.pid) && owner.pid > 0 ? owner : undefined;
  } catch {
    return undefined;
  }
}

/** Leaves the file empty in its place, so that the numbers only rise. */
function release(path: string, mine: string) {
  try {
    if (readFileSync(path, 'utf8') === mine) truncateSync(path);
  } catch {
    // Somebody removed the folder: there is nothing to give back.
  }
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
