import { join } from 'node:path';
import { type Config, StartError } from './platform/config.ts';
import { describeConnectionFailure } from './platform/connection-failure.ts';
import { createPool } from './platform/database.ts';
import { findEmbeddedPostgres, startEmbeddedPostgres } from './platform/embedded-postgres.ts';
import { type LocalAuth, startLocalAuth } from './platform/local-auth.ts';
import type { Logger } from './platform/logger.ts';
import { findPendingFiles, migrate, readSchemaFiles } from './platform/migrate.ts';
import { lockDataFolder } from './platform/process-lock.ts';
import {
  createSupabaseRoles,
  grantAuthUsage,
  hasSupabaseObjects,
  readLocalAuthSecrets,
} from './platform/supabase.ts';
import { withTimeLimit } from './platform/time-limit.ts';

/** How to stop what was started, in the order in which it was. */
export type Undo = (() => unknown)[];

/** A part that waits for somebody who does not answer any more is left behind: the process ends all the same. */
const undo_timeout_ms = 30_000;

/** Stops what was started, the last first. */
export async function runUndo(undo: Undo, logger: Logger): Promise<void> {
  for (const step of undo.splice(0).reverse()) {
    await withTimeLimit(Promise.resolve(step()), undo_timeout_ms).catch((error) =>
      logger.warn({ error }, 'a part did not stop cleanly'),
    );
  }
}

/** Returns the database's address; in the embedded mode takes the folder's lock and starts it first. */
export async function prepareDatabaseServer(config: Config, undo: Undo, logger: Logger): Promise<string> {
  if (config.database_url) return config.database_url;
  const lock = lockDataFolder(config.data_folder);
  undo.push(() => lock.release());
  const postgres = await startEmbeddedPostgres(config.data_folder, logger);
  undo.push(() => postgres.stop());
  return postgres.url;
}

/**
 * Returns the address of the database as it stands: the embedded one as it runs, else started, which `undo` ends.
 * Undefined where that was never made.
 */
export async function openDatabaseServer(
  config: Config,
  undo: Undo,
  logger: Logger,
): Promise<string | undefined> {
  if (config.database_url) return config.database_url;
  const embedded = await findEmbeddedPostgres(config.data_folder);
  if (!embedded.made) return undefined;
  return embedded.url ?? prepareDatabaseServer(config, undo, logger);
}

/**
 * Brings the database to what this version needs, and starts the Auth in our process where it is ours. Returns that
 * Auth, and the names of the schema files that were applied.
 */
export async function prepareDatabase(
  config: Config,
  root: string,
  database_url: string,
  site_url: string,
  logger: Logger,
  undo: Undo,
) {
  const pool = createPool(database_url, 2, logger);
  try {
    const secrets = config.supabase ? undefined : readLocalAuthSecrets(config);
    const { sign_in_providers } = config;
    const local_auth = secrets && {
      ...startLocalAuth({ ...secrets, database_url, site_url, sign_in_providers }),
      secrets,
    };
    if (local_auth) undo.push(() => local_auth.stop());
    const isReady = await hasSupabaseObjects(pool).catch((cause) => {
      throw new StartError(describeConnectionFailure(cause), { cause });
    });
    if (!isReady && local_auth) {
      await createSupabaseRoles(pool);
      await waitForAuth(local_auth);
      await grantAuthUsage(pool);
    }
    const files = readSchemaFiles(join(root, 'schema'));
    let applied: string[] = [];
    if ((await findPendingFiles(pool, files)).length > 0) {
      applied = await migrate(pool, files);
      logger.info({ files: applied.length }, 'the schema was applied');
    }
    return { local_auth, applied };
  } finally {
    await pool.end();
  }
}

/**
 * `npm run migrate`: what a start does to the database, without serving. Returns the names of the schema files that
 * were applied. The caller runs `undo`, whatever happens.
 */
export async function applySchema(
  config: Config,
  root: string,
  logger: Logger,
  undo: Undo,
): Promise<string[]> {
  const database_url = await prepareDatabaseServer(config, undo, logger);
  const site_url = `http://localhost:${config.port}`;
  const { local_auth, applied } = await prepareDatabase(config, root, database_url, site_url, logger, undo);
  // It brings its own tables up to date when it starts, and may not be stopped in the middle of that.
  if (local_auth) await waitForAuth(local_auth);
  return applied;
}

async function waitForAuth(local_auth: LocalAuth) {
  await local_auth.ready.catch((cause) => {
    throw new StartError(
      `The schema "auth" could not be made in the database (${cause.code ?? cause.name}): the account of DATABASE_URL needs the right to create schemas.`,
      { cause },
    );
  });
}
