/**
 * `npm run bench:ids -- --messages 1000000 --batches 20`: what it costs that ids are random or begin with their time, and
 * what making one costs. Prints two tables in Markdown.
 */
import { parseArgs } from 'node:util';
import type pg from 'pg';
import { createPool } from '../server/platform/database.ts';
import { createLogger } from '../server/platform/logger.ts';
import { startPostgres15 } from '../server/testing/installed-postgres.ts';
import { fillDatabase, type Ids } from './growth/fill-database.ts';
import { timeIdForms } from './growth/id-forms.ts';
import { measureHotQueries, median } from './growth/measure-growth.ts';
import { printTable } from './growth/print-table.ts';
import { startBenchServer } from './growth/start-bench-server.ts';
import { openTurnWriter, writeFiles } from './growth/write-turns.ts';

const { values: args } = parseArgs({
  options: { messages: { type: 'string', default: '1000000' }, batches: { type: 'string', default: '20' } },
});

const layouts: Record<string, Ids> = {
  'all random': { web: 'random', messages: 'random' },
  'chats and turns by time': { web: 'time', messages: 'random' },
  'messages by time too': { web: 'time', messages: 'time' },
};

/** The memory that PostgreSQL takes by itself; checkpoints only where we ask for them. */
const server = await startBenchServer({
  shared_buffers: '128MB',
  checkpoint_timeout: '1d',
  max_wal_size: '64GB',
  synchronous_commit: 'off',
});
const postgres15 = await startPostgres15();
try {
  const tries = [];
  for (const [name, ids] of Object.entries(layouts)) {
    console.error(`${name}: writing ${args.messages} messages`);
    const url = await server.createDatabase();
    await fillDatabase(url, { messages: Number(args.messages), ids });
    const pool = createPool(url, 1, createLogger('silent'));
    const sizes = await measureIndexes(pool);
    tries.push({ ids, pool, sizes, writer: await openTurnWriter(pool, ids, Number(args.batches)) });
  }
  // In turns, so that what else the machine does meets all of them.
  for (let batch = 0; batch < Number(args.batches); batch++) {
    for (const { writer } of tries) await writer.writeBatch();
  }
  const columns: Record<string, string>[] = [];
  for (const { ids, pool, sizes, writer } of tries) {
    const files = await writeFiles(pool, { files: 20, ids });
    const pages = Object.fromEntries(
      (await measureHotQueries(pool, 60)).map(({ name, pages }) => [`${name}: pages`, String(median(pages))]),
    );
    columns.push({ ...writer.describe(), ...files, ...sizes, ...pages });
    await pool.end();
  }
  printTable(
    ['', ...Object.keys(layouts)],
    Object.keys(columns[0]!).map((row) => [row, ...columns.map((column) => column[row]!)]),
  );
  const forms = {
    17: await timeIdForms(server.admin_url),
    15: postgres15 && (await timeIdForms(postgres15.url)),
  };
  printTable(
    ['µs to make an id', 'PostgreSQL 17', 'PostgreSQL 15'],
    Object.entries(forms[17]).map(([form, us]) => [form, us, forms[15]?.[form] ?? '']),
  );
} finally {
  postgres15?.stop();
  await server.stop();
}

/** Megabytes of the indexes that message ids and turn ids stand in, and of all. */
async function measureIndexes(pool: pg.Pool): Promise<Record<string, string>> {
  const { rows } = await pool.query<{ name: string; size: string }>(`
    select indexrelid::regclass::text as name, round(pg_relation_size(indexrelid) / 1e6, 1)::text as size
    from pg_index join pg_class on pg_class.oid = indexrelid
    where indrelid in ('public.chat_messages'::regclass, 'public.turns'::regclass) and indpred is null
    union all
    select 'all indexes', round(sum(pg_relation_size(indexrelid)) / 1e6, 1)::text
    from pg_index where indrelid::regclass::text !~ '^(pg_|auth)'
  `);
  return Object.fromEntries(rows.map(({ name, size }) => [`${name}, MB`, size]));
}
