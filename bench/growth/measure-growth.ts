import type pg from 'pg';
import type { Database } from '../../server/platform/database.ts';
import { newId } from '../../web/src/platform/new-id.ts';
import { countPages, databaseOn, type Touched } from './count-pages.ts';
import { type HotQuery, hotQueries } from './hot-queries.ts';
import { listSamples, type Sample, warm_up } from './list-samples.ts';

export type Measured = {
  name: string;
  /** Of each sample, the fewest first. */
  pages: number[];
  /** The median, and of the sample with most pages. */
  look_ups: number;
  most_look_ups: number;
  /** How often a table was read from end to end, in the median. */
  scans: number;
  scanned_tables: string[];
  time_ms: number;
  /** Of the sample with the median number of pages. */
  typical: Touched;
};

/** Runs each hot query for `samples` members' chats in a filled database; what they write is rolled back. */
export async function measureHotQueries(pool: pg.Pool, samples: number): Promise<Measured[]> {
  const client = await pool.connect();
  try {
    const measured: Measured[] = [];
    for (const query of hotQueries) {
      const chats = await listSamples(client, query.of, warm_up + samples);
      const touched: Touched[] = [];
      for (const sample of chats) touched.push(await count(client, query, sample));
      const times: number[] = [];
      for (const sample of chats) times.push(await time(client, query, sample));
      const warm = touched.slice(warm_up).sort((one, other) => one.pages - other.pages);
      measured.push({
        name: query.name,
        pages: warm.map(({ pages }) => pages),
        look_ups: median(warm.map(({ look_ups }) => look_ups)),
        most_look_ups: warm.at(-1)!.look_ups,
        scans: median(warm.map(({ relations }) => sum(Object.values(relations).map(({ scans }) => scans)))),
        scanned_tables: [...new Set(warm.flatMap(({ scanned_tables }) => scanned_tables))],
        time_ms: median(times.slice(warm_up)),
        typical: warm[Math.floor(warm.length / 2)]!,
      });
      // What was rolled back is still lying there.
      if (query.proof)
        await client.query(
          'vacuum public.profiles, public.chat_sessions, public.chat_messages, public.turns',
        );
    }
    return measured;
  } finally {
    client.release();
  }
}

export function median(values: number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!;
}

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);

/** Tables that grow with the messages: no hot query may read one of them from end to end. */
const growing = /chat_messages|chat_sessions|turns|chat_files/;

/**
 * What a hot query may not do in the larger database: read more pages than in the smaller one, but for one more a look-up
 * (an index that is a hundred times as large has one more level) and one more for each table that the smaller one read from
 * end to end, because it lay on a page (now its index is read, too), or read a whole table. A sentence each.
 */
export function listGrown(small: Measured[], large: Measured[]): string[] {
  return large.flatMap((query, index) => {
    const before = small[index]!;
    const problems: string[] = [];
    const compare = (what: string, more: number, allowed: number) => {
      if (more > allowed)
        problems.push(`${query.name}: ${what} ${more} pages more, where ${allowed} are allowed`);
    };
    compare('in the median', median(query.pages) - median(before.pages), query.look_ups + before.scans);
    // Not the worst of all: it is the call that met a page being split, or the chat with the longest messages.
    compare(
      'nine times in ten',
      ninth(query.pages) - ninth(before.pages),
      query.most_look_ups + before.scans,
    );
    for (const table of query.scanned_tables) {
      if (growing.test(table)) problems.push(`${query.name}: reads all of ${table}`);
    }
    return problems;
  });
}

/** Runs one call, once counted or once timed, and takes back what it wrote. */
async function tryOut<Result>(
  client: pg.PoolClient,
  query: HotQuery,
  sample: Sample,
  run: (turn_id: string, database: Database) => Promise<Result>,
): Promise<Result> {
  const turn_id = newId();
  const database = databaseOn((text, values) => client.query(text, values));
  // In a transaction of its own, as in the product: what a transaction wrote itself it checks once more.
  await query.prepare?.(database, sample, turn_id);
  await client.query('begin');
  try {
    const result = await run(turn_id, database);
    if (query.proof && (await client.query(query.proof, [turn_id])).rowCount !== 1) {
      throw new Error(`${query.name} was refused: there is nothing to measure`);
    }
    return result;
  } finally {
    await client.query('rollback');
    // What was prepared is brought to its end.
    if (query.prepare) await query.run(database, sample, turn_id);
  }
}

const count = (client: pg.PoolClient, query: HotQuery, sample: Sample) =>
  tryOut(client, query, sample, (turn_id) =>
    countPages(client, (database) => query.run(database, sample, turn_id)),
  );

/** Milliseconds of one call with its answer, without the commit. */
const time = (client: pg.PoolClient, query: HotQuery, sample: Sample) =>
  tryOut(client, query, sample, async (turn_id, database) => {
    const started = performance.now();
    await query.run(database, sample, turn_id);
    return performance.now() - started;
  });

/** What nine in ten are no more than; of sorted numbers. */
function ninth(sorted: number[]) {
  return sorted[Math.floor((sorted.length - 1) * 0.9)]!;
}
