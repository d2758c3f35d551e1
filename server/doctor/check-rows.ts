import type pg from 'pg';
import type { Config } from '../platform/config.ts';
import { type Finding, findingsAbout } from './finding.ts';

type Counts = {
  dead_threads: number;
  expired_stores: number;
  waiting: number;
  upstream: number;
  at_stripe: number;
  failed: number;
};

const chats = findingsAbout('chats');
const stores = findingsAbout('vector stores');
const erasures = findingsAbout('erasures');

/** What waits in the tables: chats of an API that is gone, expired vector stores, things still to be erased. */
export async function checkRows(pool: pg.Pool, config: Config): Promise<Finding[]> {
  let counts: Counts;
  try {
    counts = await countRows(pool);
  } catch (error) {
    const { code } = error as { code?: string };
    // The tables are not there yet, which the schema's line says.
    if (code === '42P01' || code === '42703') return [];
    return [chats.note(`What waits could not be counted (${code ?? 'no answer within 5 seconds'}).`)];
  }
  const { dead_threads, expired_stores, waiting } = counts;
  return [
    dead_threads === 0
      ? chats.good("None hangs on a thread of OpenAI's old Assistants API.")
      : chats.note(
          `${count(dead_threads, 'one still names', 'still name')} a thread of OpenAI's old Assistants API: each goes on from our own messages at its next turn. Nothing to do.`,
        ),
    expired_stores === 0
      ? stores.good('None has expired.')
      : stores.note(
          `${count(expired_stores, 'one has', 'have')} expired: each is made anew from our own text at its chat's next turn with files. Nothing to do.`,
        ),
    waiting === 0 ? erasures.good('None waits.') : describeErasures(counts, config),
  ];
}

function describeErasures({ waiting, upstream, at_stripe, failed }: Counts, { openai }: Config) {
  const start = `${count(waiting, 'one waits', 'wait')}`;
  if (upstream > 0 && !openai) {
    return erasures.wrong(
      `${start}, ${upstream} of them at OpenAI, where nothing can be erased without OPENAI_API_KEY: set the key under which they were made.`,
    );
  }
  if (at_stripe > 0) {
    return erasures.note(
      `${start}, ${at_stripe} of them at Stripe, where this version erases nothing: delete these customers in Stripe's dashboard, then run: delete from public.erasures where kind = 'stripe_customer';`,
    );
  }
  if (failed === 0)
    return erasures.note(`${start}: the server erases each within a minute or two while it runs.`);
  return erasures.note(
    `${start}, ${failed} of them after a failed attempt: the server tries on. LOG_LEVEL=warn tells why.`,
  );
}

/** `one waits` or `12 wait`. */
function count(number: number, one: string, many: string) {
  return number === 1 ? one.replace(/^one/, 'One') : `${number} ${many}`;
}

async function countRows(pool: pg.Pool): Promise<Counts> {
  const { rows } = await pool.query<Counts>(String.raw`
    select
      (select count(*)::int from public.chat_sessions where thread_id like 'thread\_%') as dead_threads,
      (select count(*)::int from public.vector_stores where status <> 'active' or expires_at < now())
        as expired_stores,
      count(*)::int as waiting,
      count(*) filter (where kind like 'openai\_%')::int as upstream,
      count(*) filter (where kind = 'stripe_customer')::int as at_stripe,
      count(*) filter (where attempts > 0)::int as failed
    from public.erasures
  `);
  return rows[0]!;
}
