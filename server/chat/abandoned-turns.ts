import type { Database } from '../platform/database.ts';
import type { Logger } from '../platform/logger.ts';
import { failAbandonedTurns } from './queries.ts';
import type { RunningTurns } from './running-turns.ts';

const silent_ms = 30_000;
const look_ms = 15_000;

/**
 * Looks every 15 s for turns whose server has been silent for 30 s, in every process: a turn that its server left
 * is failed and given back within a minute. The process's own turns are not left, whatever became of their
 * checkpoints. Returns how to stop looking.
 */
export function watchAbandonedTurns(
  database: Database,
  running_turns: RunningTurns,
  logger: Logger,
): () => void {
  const timer = setInterval(() => {
    giveBack(database, logger, silent_ms, running_turns.ids()).catch((error) => {
      logger.warn({ error }, 'looking for abandoned turns failed and comes again');
    });
  }, look_ms);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * Fails and gives back every turn that is running in the database. To be called before a process that is its
 * database's only one takes requests: whatever is running then was left by the one before.
 */
export function giveBackAllTurns(database: Database, logger: Logger): Promise<void> {
  return giveBack(database, logger, 0, []);
}

async function giveBack(database: Database, logger: Logger, silence_ms: number, except: string[]) {
  const count = await failAbandonedTurns(database, silence_ms, except);
  if (count > 0) logger.warn({ turns: count }, 'turns that their server left were given back');
}
