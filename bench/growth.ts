/**
 * `npm run bench:growth -- --messages 1000000`: pages that the hot queries read with that many messages, and with a
 * hundredth (10,000 at the least). Prints Markdown; the exit code is 1 where one reads more than one page more a look-up.
 * `--samples 200`: so many members are asked for. `--explain`: the plans of the larger size too, also of what runs inside
 * functions. `--indexes`: which ones no query looks into.
 */
import { parseArgs } from 'node:util';
import { createPool } from '../server/platform/database.ts';
import { createLogger } from '../server/platform/logger.ts';
import { explainNested } from './growth/explain-nested.ts';
import { fillDatabase } from './growth/fill-database.ts';
import { listUnusedIndexes } from './growth/list-unused-indexes.ts';
import { listGrown, type Measured, measureHotQueries, median } from './growth/measure-growth.ts';
import { printTable } from './growth/print-table.ts';
import { startBenchServer } from './growth/start-bench-server.ts';

const { values: args } = parseArgs({
  options: {
    messages: { type: 'string', default: '1000000' },
    samples: { type: 'string', default: '200' },
    explain: { type: 'boolean', default: false },
    indexes: { type: 'boolean', default: false },
  },
});
const messages = Number(args.messages);
/** With fewer, tables are a few pages, which are read whole: nothing to compare with. */
const fewest = 10_000;
if (!Number.isInteger(messages) || messages < 2 * fewest || messages > 10_000_000) {
  console.error('--messages must be a whole number from 20000 to 10000000.');
  process.exit(2);
}
const sizes = [Math.max(fewest, Math.round(messages / 100)), messages];

const server = await startBenchServer({
  shared_buffers: '2GB',
  max_wal_size: '8GB',
  checkpoint_timeout: '1h',
  synchronous_commit: 'off',
});
try {
  const results: Measured[][] = [];
  for (const size of sizes) {
    const started = performance.now();
    const url = await server.createDatabase();
    await fillDatabase(url, { messages: size });
    const pool = createPool(url, 1, createLogger('silent'));
    console.error(`${size} messages written in ${Math.round((performance.now() - started) / 1000)} s`);
    results.push(await measureHotQueries(pool, Number(args.samples)));
    if (args.explain && size === messages) await explainNested(pool, console.log);
    if (args.indexes && size === messages) {
      printTable(['index that no query looks into', 'for', 'MB'], await listUnusedIndexes(pool));
    }
    await pool.end();
  }
  const [small, large] = results as [Measured[], Measured[]];
  printTable(
    [
      'pages, median (most)',
      ...sizes.map((size) => `${size.toLocaleString('en')} messages`),
      'more',
      'look-ups',
      'time ×',
    ],
    large.map((query, index) => {
      const before = small[index]!;
      return [
        query.name,
        describePages(before),
        describePages(query),
        String(median(query.pages) - median(before.pages)),
        String(query.look_ups),
        (query.time_ms / before.time_ms).toFixed(2),
      ];
    }),
  );
  const grown = listGrown(small, large);
  console.log(grown.length ? `FAIL\n${grown.join('\n')}` : 'PASS: at most one page more a look-up.');
  if (grown.length) process.exitCode = 1;
} finally {
  await server.stop();
}

function describePages({ pages }: Measured) {
  return `${median(pages)} (${Math.max(...pages)})`;
}
