import type { Database } from '../platform/database.ts';
import type { Job } from '../platform/jobs.ts';
import type { Logger } from '../platform/logger.ts';
import { type Erasers, runErasures } from './run-erasures.ts';

export const erasures_job = 'run_erasures';

/** Erases each minute what was deleted; a deletion wakes it at once. */
export function accountJobs(database: Database, erasers: Erasers, logger: Logger): Job[] {
  return [{ name: erasures_job, schedule: '* * * * *', run: () => runErasures(database, erasers, logger) }];
}
