import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { StartError } from './config.ts';

/** PostgreSQL refuses to run as root: as whom, from where and with which folder it runs instead. */
export type PostgresAccount = {
  /** Where the database's folder lies: the data folder, or one that the account can reach. */
  folder: string;
  binaries: { postgres: string; initdb: string };
  credentials: { uid?: number; gid?: number };
  command: (program: string, args: string[]) => [string, string[]];
  /** Gives a path to the account. */
  own: (path: string) => void;
};

/**
 * Finds a way to run PostgreSQL. Anybody but root runs it as themselves. As root: in a user namespace, where the
 * process is an ordinary account inside and root's files stay within its reach; where namespaces are forbidden, as
 * the system's account `postgres` or `nobody`, with binaries and data in a folder that it can reach.
 */
export async function preparePostgresAccount(
  folder: string,
  binaries: { postgres: string; initdb: string },
): Promise<PostgresAccount> {
  const asOurselves: PostgresAccount = {
    folder,
    binaries,
    credentials: {},
    command: (program, args) => [program, args],
    own: () => {},
  };
  if (process.getuid?.() !== 0) return asOurselves;

  const other = findOtherAccount();
  const moved = reachableFolder(folder);
  const inNamespace = ['-U', `--map-user=${other.uid}`, `--map-group=${other.gid}`];
  // A database that an earlier start had to put elsewhere, or to give to the other account, stays so.
  const isOurs = (statSync(join(folder, 'postgres'), { throwIfNoEntry: false })?.uid ?? 0) === 0;
  if (
    isOurs &&
    !existsSync(join(moved, 'postgres')) &&
    spawnSync('unshare', [...inNamespace, 'true']).status === 0
  ) {
    return {
      ...asOurselves,
      command: (program, args) => ['unshare', [...inNamespace, program, ...args]],
    };
  }
  return asOtherAccount(folder, moved, binaries, other);
}

type Account = { uid: number; gid: number };

function findOtherAccount(): Account {
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const account = accounts.find((fields) => fields[0] === name);
    if (account) return { uid: Number(account[2]), gid: Number(account[3]) };
  }
  throw new StartError(
    'PostgreSQL refuses to run as root, and this system has no account "postgres" or "nobody": start Touchline as another user, or set DATABASE_URL.',
  );
}

function reachableFolder(folder: string) {
  return join('/var/lib/touchline', hashOf(folder));
}

function hashOf(content: string | Buffer) {
  return createHash('sha256').update(content).digest('hex').slice(0, 12);
}

function asOtherAccount(
  folder: string,
  moved: string,
  binaries: PostgresAccount['binaries'],
  other: Account,
): PostgresAccount {
  const own = (path: string) => chownSync(path, other.uid, other.gid);
  const account: PostgresAccount = {
    folder,
    binaries,
    credentials: other,
    command: (program, args) => [program, args],
    own,
  };
  const stayed = existsSync(join(folder, 'postgres', 'PG_VERSION'));
  if (
    isReachable(folder) &&
    isReachable(dirname(binaries.postgres)) &&
    !existsSync(join(moved, 'postgres'))
  ) {
    // The account must enter the data folder; everything in it keeps its own mode.
    spawnSync('chmod', ['711', folder]);
    if (stayed) spawnSync('chown', ['-R', `${other.uid}:${other.gid}`, join(folder, 'postgres')]);
    return account;
  }
  if (stayed) {
    throw new StartError(
      `PostgreSQL refuses to run as root and cannot reach ${folder} as another account: start Touchline as another user, or set DATA_DIR to a folder outside of private ones.`,
    );
  }
  const home = dirname(dirname(binaries.postgres));
  // Named by what they are, so that an update of the package is copied too.
  const copy = join(moved, `binaries-${hashOf(readFileSync(binaries.postgres))}`);
  mkdirSync(moved, { recursive: true });
  // Whatever the umask is: the account must pass through both.
  for (const path of [dirname(moved), moved]) chmodSync(path, 0o755);
  own(moved);
  if (!existsSync(copy)) {
    rmSync(`${copy}.new`, { recursive: true, force: true });
    cpSync(home, `${copy}.new`, { recursive: true, verbatimSymlinks: true });
    spawnSync('chmod', ['-R', 'go+rX', `${copy}.new`]);
    renameSync(`${copy}.new`, copy);
  }
  const at = (program: string) => join(copy, 'bin', basename(program));
  return {
    ...account,
    folder: moved,
    binaries: { postgres: at(binaries.postgres), initdb: at(binaries.initdb) },
  };
}

/** Whether everybody may pass through a folder and all above it. The data folder itself is ours to open. */
function isReachable(folder: string) {
  for (let path = dirname(folder); ; path = dirname(path)) {
    try {
      accessSync(path, constants.X_OK);
      if ((statSync(path).mode & 0o001) === 0) return false;
    } catch {
      return false;
    }
    if (path === dirname(path)) return true;
  }
}
