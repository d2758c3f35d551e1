import { join } from 'node:path';
import { StartError } from '../server/platform/config.ts';
import { describeConnectionFailure } from '../server/platform/connection-failure.ts';
import { createDatabase, createPool, type Database } from '../server/platform/database.ts';
import { findPendingFiles, readSchemaFiles } from '../server/platform/migrate.ts';
import { openDatabaseServer } from '../server/prepare-database.ts';
import type { Command } from './run-command.ts';

/**
 * The database for a command, with everything that this version needs; embedded, as it runs or started for the command.
 * Throws a `StartError`; `where_none` ends the sentence where there is no database yet.
 */
export async function openPresentDatabase(
  { root, config, logger, undo }: Command,
  where_none = 'start Touchline with npm start, and try again.',
): Promise<Database> {
  const url = await openDatabaseServer(config, undo, logger);
  if (!url) throw new StartError(`There is no database yet: ${where_none}`);
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
