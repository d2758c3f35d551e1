import type { Database } from '../platform/database.ts';
import type { Logger } from '../platform/logger.ts';
import { failAbandonedTurns } from './queries.ts';

const silent_ms = 30_000;
const look_ms = 15_000;

/**
 * Looks every 15 s for turns whose server has been silent for 30 s, in every process: a turn that its server left
 * is failed and given back within a minute. Returns how to stop looking.
 */
export function watchAbandonedTurns(database: Database, logger: Logger): () => void {
  const timer = setInterval(() => {
    giveBackAbandonedTurns(database, logger, silent_ms).catch((error) => {
      logger.warn({ error }, 'looking for abandoned turns failed and comes again');
    });
  }, look_ms);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * Fails and gives back the turns that have been silent for `silence_ms`. With 0, at the start of a process that is its
 * database's only one and before it takes requests: whatever is running was left by the one before.
 */
export async function giveBackAbandonedTurns(
  database: Database,
  logger: Logger,
  silence_ms: number,
): Promise<void> {
  const count = await failAbandonedTurns(database, silence_ms);
  if (count > 0) logger.warn({ turns: count }, 'turns that their server left were given back');
}
