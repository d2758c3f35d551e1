import { join } from 'node:path';
import { type Config, StartError } from '../server/platform/config.ts';
import { describeConnectionFailure } from '../server/platform/connection-failure.ts';
import { createDatabase, createPool, type Database } from '../server/platform/database.ts';
import type { Logger } from '../server/platform/logger.ts';
import { findPendingFiles, readSchemaFiles } from '../server/platform/migrate.ts';
import { openDatabaseServer, type Undo } from '../server/prepare-database.ts';

/**
 * The database for a command, with everything that this version needs; embedded, as it runs or started for the command. The
 * caller runs `undo`. Throws a `StartError`.
 */
export async function openPresentDatabase(
  config: Config,
  root: string,
  undo: Undo,
  logger: Logger,
): Promise<Database> {
  const url = await openDatabaseServer(config, undo, logger);
  if (!url) throw new StartError('There is no database yet: start Touchline with npm start, and try again.');
  const pool = createPool(url, 2, logger);
  undo.push(() => pool.end());
  const pending = await findPendingFiles(pool, readSchemaFiles(join(root, 'schema'))).catch((cause) => {
    throw cause instanceof StartError ? cause : new StartError(describeConnectionFailure(cause), { cause });
  });
  if (pending.length > 0) {
    const names = pending.map((file) => file.name).join(', ');
    throw new StartError(
      `The database does not have the present form of ${names}: npm run migrate, then try again.`,
    );
  }
  return createDatabase(pool);
}
