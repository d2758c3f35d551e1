import type { Database } from '../platform/database.ts';
import type { Job } from '../platform/jobs.ts';
import type { Logger } from '../platform/logger.ts';
import { type ClosedAccount, claimClosing, deleteClosing } from './closing-queries.ts';

/** Does one thing elsewhere because an account was closed. Throws when it must be tried again; twice does no harm. */
type Closer = (account: ClosedAccount) => Promise<void>;

/** What each feature does, by a name that stays. One without a closer waits until there is one. */
export type Closers = Record<string, Closer>;

export const closers_job = 'run_closers';

/** Does each minute what is due because accounts were closed; a closing wakes it at once. */
export function closersJob(database: Database, closers: Closers, logger: Logger): Job {
  return { name: closers_job, schedule: '* * * * *', run: () => runClosers(database, closers, logger) };
}

/** Does what is due until nothing is. Any number of servers may do so at once: each thing is taken by one. */
export async function runClosers(database: Database, closers: Closers, logger: Logger): Promise<void> {
  for (;;) {
    const due = await claimClosing(database, Object.keys(closers));
    if (!due) return;
    const { closer, ...account } = due;
    try {
      await closers[closer]!(account);
      await deleteClosing(database, account.id, closer);
    } catch (error) {
      logger.warn({ error, closer, user_id: account.id }, 'something about a closed account was put off');
    }
  }
}
