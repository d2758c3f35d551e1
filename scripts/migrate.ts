/**
 * `npm run migrate`: brings the configured database to what this version needs, as a start does, and says what it
 * applied. In the embedded mode it starts the database for that and stops it again. Exit code 1 when it was refused.
 */
import { join } from 'node:path';
import { loadConfig, StartError } from '../server/platform/config.ts';
import { createLogger } from '../server/platform/logger.ts';
import { applySchema, runUndo, type Undo } from '../server/prepare-database.ts';

const root = join(import.meta.dirname, '..');
const undo: Undo = [];
let logger = createLogger('warn');
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await runUndo(undo, logger);
    process.exit(1);
  });
}
try {
  const config = loadConfig(root);
  logger = createLogger(config.log_level);
  const applied = await applySchema(config, root, logger, undo);
  for (const name of applied) process.stdout.write(`applied ${name}\n`);
  if (applied.length === 0) process.stdout.write('nothing to do: the schema is in place\n');
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  await runUndo(undo, logger);
}
