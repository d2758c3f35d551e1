import { join } from 'node:path';
import { type Config, loadConfig, StartError } from '../server/platform/config.ts';
import { createLogger, type Logger } from '../server/platform/logger.ts';
import { runUndo, type Undo } from '../server/prepare-database.ts';

/** What a command works with. What it starts, it notes in `undo`. */
export type Command = { root: string; config: Config; logger: Logger; undo: Undo };

/**
 * The frame of a command that npm runs: reads the settings, prints the lines that `work` returns, and undoes what it
 * started, whatever happens, a signal included. A `StartError` is one sentence on stderr and exit code 1, unless `refused` makes
 * lines of it. Anything else is thrown. `work` sets another exit code itself.
 */
export async function runCommand(
  work: (command: Command) => Promise<string[]>,
  refused?: (error: StartError) => string[],
): Promise<void> {
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
    print(await work({ root, config, logger, undo }));
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    if (refused) print(refused(error));
    else process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } finally {
    await runUndo(undo, logger);
  }
}

function print(lines: string[]) {
  for (const line of lines) process.stdout.write(`${line}\n`);
}
