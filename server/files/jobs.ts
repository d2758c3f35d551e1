import type { Database } from '../platform/database.ts';
import type { Job } from '../platform/jobs.ts';
import { deletePendingFile, listForgottenFiles } from './queries.ts';

const batch_size = 100;

/** Takes back, each hour, the uploads whose message was never sent. */
export function fileJobs(database: Database): Job[] {
  return [
    {
      name: 'delete_forgotten_files',
      schedule: '17 * * * *',
      async run() {
        for (;;) {
          const forgotten = await listForgottenFiles(database, batch_size);
          for (const file of forgotten) await deletePendingFile(database, file.user_id, file.id);
          if (forgotten.length < batch_size) return;
        }
      },
    },
  ];
}
