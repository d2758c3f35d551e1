import type { Database } from '../platform/database.ts';
import type { Job } from '../platform/jobs.ts';
import type { Logger } from '../platform/logger.ts';
import type { OpenAIUpstream } from '../platform/models/openai-client.ts';
import { noteOrphansUpstream } from './erase-orphans.ts';
import {
  expireVectorStores,
  listActiveVectorStores,
  listUnfinishedPlaces,
  loseVectorStore,
} from './vector-store-queries.ts';
import type { VectorStores } from './vector-stores.ts';

const batch_size = 50;
const stores_at_once = 2;
const look_at_once = 5;

type KnowledgeJobs = {
  database: Database;
  upstream: OpenAIUpstream;
  vector_stores: VectorStores;
  mark: () => Promise<string>;
  logger: Logger;
};

/**
 * The background work on OpenAI's stores: goes on with those whose making failed or was left by a server that died, finds
 * those that have expired or are lost, and what no row names any more.
 */
export function knowledgeJobs({ database, upstream, vector_stores, mark, logger }: KnowledgeJobs): Job[] {
  return [
    {
      name: 'make_vector_stores',
      schedule: '* * * * *',
      async run() {
        if (!upstream.has_vector_stores) return;
        const places = await listUnfinishedPlaces(database, batch_size);
        await eachOf(places, stores_at_once, async (place) => {
          await vector_stores.makeReady(place);
        });
      },
    },
    {
      name: 'find_expired_vector_stores',
      schedule: '23 3 * * *',
      async run() {
        const expired = await expireVectorStores(database);
        const lost = upstream.has_vector_stores ? await findLostStores() : 0;
        if (expired + lost > 0) logger.info({ expired, lost }, 'stores at OpenAI have expired or are lost');
      },
    },
    {
      name: 'find_orphans_upstream',
      schedule: '43 3 * * *',
      async run() {
        if (!upstream.has_vector_stores) return;
        const orphans = await noteOrphansUpstream(database, upstream, await mark());
        if (orphans > 0) logger.info({ orphans }, 'stores and files at OpenAI that no row names are erased');
      },
    },
  ];

  /** Those that OpenAI should still have are made anew at once; whose time was up wait until somebody needs them. */
  async function findLostStores() {
    let lost = 0;
    let after: string | null = null;
    for (;;) {
      const stores = await listActiveVectorStores(database, after, batch_size);
      await eachOf(stores, look_at_once, async (store) => {
        const complaint = await vector_stores.inspect({ ...store, expected: 0 });
        if (!complaint) return;
        lost++;
        await loseVectorStore(database, store);
      });
      if (stores.length < batch_size) return lost;
      after = stores.at(-1)!.id;
    }
  }
}

/** Does the work for each item, so many at once. Throws the first failure when all are through. */
async function eachOf<Item>(items: Item[], at_once: number, work: (item: Item) => Promise<void>) {
  const waiting = [...items];
  const results = await Promise.allSettled(
    Array.from({ length: at_once }, async () => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
    }),
  );
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
