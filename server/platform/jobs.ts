import type { PgBoss } from 'pg-boss';
import type { Logger } from './logger.ts';

/** Background work. It carries no content, and running it twice does no harm. */
export type Job = {
  /** Snake case, unique. */
  name: string;
  /** When it runs by itself: a cron expression in UTC. */
  schedule?: string;
  run: () => Promise<void>;
};

export type Jobs = {
  /** Asks for a job soon. Lost when the queue is not up; its schedule comes anyway. */
  wake: (name: string) => void;
  stop: () => Promise<void>;
};

/** Loading and starting the queue takes a fifth of a second, which belongs to the first requests. */
const start_after_ms = 1_000;

/**
 * Starts the job queue on the same database (schema `pgboss`), in any number of processes: each due job is run by
 * one of them. Returns at once; the queue starts a second later, or when a job is asked for.
 */
export function startJobs(database_url: string, jobs: Job[], logger: Logger): Jobs {
  async function start() {
    const { PgBoss } = await import('pg-boss');
    const boss = new PgBoss({
      connectionString: database_url,
      max: 3,
      application_name: 'touchline jobs',
      useListenNotify: true,
    });
    boss.on('error', (error) => logger.warn({ error }, 'the job queue had an error'));
    await boss.start();
    await addJobs(boss);
    return boss;
  }

  async function addJobs(boss: PgBoss) {
    for (const job of jobs) {
      // One waiting at a time is enough: each run does all that is due.
      await boss.createQueue(job.name, { policy: 'short', retryLimit: 3, retryBackoff: true, notify: true });
      await boss.work(job.name, { pollingIntervalSeconds: 10 }, async () => {
        try {
          await job.run();
        } catch (error) {
          logger.error({ error, job: job.name }, 'a job failed and will be tried again');
          throw error;
        }
      });
      if (job.schedule) await boss.schedule(job.name, job.schedule);
    }
  }
  let started: Promise<PgBoss> | undefined;
  let stopped = false;
  const timer = setTimeout(startOnce, start_after_ms);
  timer.unref();

  function startOnce() {
    if (stopped || started) return;
    clearTimeout(timer);
    started = start();
    started.catch((error) => logger.error({ error }, 'the job queue did not start'));
  }

  return {
    wake(name) {
      startOnce();
      started
        ?.then((boss) => boss.send(name))
        .catch((error) => logger.warn({ error, job: name }, 'a job was not queued'));
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      const boss = await started?.catch(() => undefined);
      await boss?.stop({ graceful: true, timeout: 10_000 }).catch((error) => {
        logger.warn({ error }, 'the job queue did not stop cleanly');
      });
    },
  };
}
