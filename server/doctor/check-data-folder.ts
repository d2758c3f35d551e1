import { accessSync, constants, readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../platform/config.ts';
import { type Finding, findingsAbout } from './finding.ts';

const { good, note, wrong } = findingsAbout('data folder');
const scarce_bytes = 1_000_000_000;
const low_bytes = 5_000_000_000;

/** Whether the data folder, and with it the secrets and the members' files, can be written, is private and has room. */
export function checkDataFolder({ data_folder: folder, mode }: Config, root: string): Finding[] {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (!found) {
    return [note(`${folder} is not there yet: the first start makes it.`), ...checkSettingsFile(root)];
  }
  if (!found.isDirectory()) {
    return [wrong(`${folder} is not a folder: set DATA_DIR to one that this account may write.`)];
  }
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return [
      wrong(
        `${folder} cannot be written by this account: run this as the account that runs Touchline, or give it the folder (chown).`,
      ),
    ];
  }
  return [
    // Started by root, PostgreSQL may run as another account, which passes through: mode 0711.
    isPrivate(found.mode, 0o066)
      ? good(`${folder} can be written, and nobody else reads it.`)
      : wrong(`Other accounts of this machine may read ${folder}: chmod 700 '${folder}'.`),
    checkRoom(folder),
    ...(mode === 'supabase' ? [] : checkSecretFile(join(folder, 'auth-secrets.json'))),
    ...(mode === 'embedded' ? checkSecretFile(join(folder, 'postgres-password')) : []),
    ...checkSettingsFile(root),
  ];
}

/** `others`: the bits that must not be set. Windows has none. */
function isPrivate(mode: number, others: number) {
  return process.platform === 'win32' || (mode & others) === 0;
}

function checkRoom(folder: string) {
  const { bavail, bsize } = statfsSync(folder);
  const free_bytes = bavail * bsize;
  const free = `${(free_bytes / 1_000_000_000).toFixed(1)} GB of disk`;
  if (free_bytes < scarce_bytes) {
    return wrong(`Only ${free} are free: make room, or the database stops when it is full.`);
  }
  if (free_bytes < low_bytes) return note(`Only ${free} are free: make room soon.`);
  return good(`${free} are free.`);
}

function checkSecretFile(path: string) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return [];
  if (!isPrivate(found.mode, 0o077)) {
    return [wrong(`Other accounts of this machine may read the secret in ${path}: chmod 600 '${path}'.`)];
  }
  try {
    const content = readFileSync(path, 'utf8');
    if (path.endsWith('.json')) JSON.parse(content);
    if (content.trim() !== '') return [good(`${path} is whole, and nobody else reads it.`)];
  } catch {
    // Said below.
  }
  return [wrong(`${path} is damaged: restore it from your backup.`)];
}

function checkSettingsFile(root: string) {
  const path = join(root, '.env');
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found || isPrivate(found.mode, 0o077)) return [];
  return [note(`Other accounts of this machine may read the settings in ${path}: chmod 600 '${path}'.`)];
}
