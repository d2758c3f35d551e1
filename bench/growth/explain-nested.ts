import type pg from 'pg';
import { newId } from '../../web/src/platform/new-id.ts';
import { databaseOn } from './count-pages.ts';
import { hotQueries } from './hot-queries.ts';
import { listSamples, warm_up } from './list-samples.ts';

/** Shows how PostgreSQL runs each hot query, and every statement inside its functions and triggers, with its pages. */
export async function explainNested(pool: pg.Pool, show: (text: string) => void): Promise<void> {
  const client = await pool.connect();
  const database = databaseOn((text, values) => client.query(text, values));
  const plans: string[] = [];
  client.on('notice', ({ message }) => {
    if (message?.includes('plan:')) plans.push(message);
  });
  try {
    await client.query(`
      load 'auto_explain';
      set auto_explain.log_min_duration = 0;
      set auto_explain.log_nested_statements = on;
      set auto_explain.log_analyze = on;
      set auto_explain.log_buffers = on;
      set auto_explain.log_timing = off;
      set auto_explain.log_parameter_max_length = 0;
    `);
    for (const query of hotQueries) {
      for (const sample of await listSamples(client, query.of, warm_up + 1)) {
        const turn_id = newId();
        await client.query('begin');
        await query.prepare?.(database, sample, turn_id);
        plans.length = 0;
        await client.query('set local client_min_messages = log');
        await query.run(database, sample, turn_id);
        await client.query('rollback');
      }
      // Of the last sample; what reads nothing is left out.
      show([`\n== ${query.name}`, ...plans.filter((plan) => plan.includes('Buffers'))].join('\n'));
    }
  } finally {
    client.removeAllListeners('notice');
    client.release(true);
  }
}
