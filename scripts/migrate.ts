/**
 * `npm run migrate`: brings the configured database to what this version needs, as a start does, and says what it
 * applied. In the embedded mode it starts the database for that and stops it again. Exit code 1 when it was refused.
 */
import { applySchema } from '../server/prepare-database.ts';
import { runCommand } from './run-command.ts';

await runCommand(async ({ root, config, logger, undo }) => {
  const applied = await applySchema(config, root, logger, undo);
  if (applied.length === 0) return ['nothing to do: the schema is in place'];
  return applied.map((name) => `applied ${name}`);
});
