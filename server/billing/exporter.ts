import { Readable } from 'node:stream';
import { sql } from 'kysely';
import type { Exporter } from '../accounts/export.ts';
import type { Database } from '../platform/database.ts';

const page_size = 500;

/** A member's plan, what was bought and given, what was used of it, and the ledger with every change. */
export function billingExporter(database: Database): Exporter {
  /** A page at a time is read, while the ZIP takes it in: a busy member has a hundred thousand entries. */
  async function* ledger(user_id: string) {
    let separator = '[\n';
    let after = { created_at: '-infinity', id: '0' };
    for (;;) {
      const page = await database
        .selectFrom('usage_entries')
        .selectAll()
        // To the microsecond, as the next page is asked for.
        .select(sql<string>`created_at::text`.as('created_at_text'))
        .where('user_id', '=', user_id)
        .where(sql<boolean>`(created_at, id) > (${after.created_at}::timestamptz, ${after.id}::bigint)`)
        .orderBy('created_at')
        .orderBy('id')
        .limit(page_size)
        .execute();
      for (const { user_id: _, created_at_text: __, ...entry } of page) {
        yield Buffer.from(`${separator}${JSON.stringify(entry)}`);
        separator = ',\n';
      }
      if (page.length < page_size) break;
      const last = page.at(-1)!;
      after = { created_at: last.created_at_text, id: String(last.id) };
    }
    yield Buffer.from(separator === '[\n' ? '[]\n' : '\n]\n');
  }

  return {
    describe: [
      'usage.json        your plan, what it includes, what you have bought and been given, and what you have used',
      'usage-entries.json  every change of what you have used or have left, with its reason',
    ],
    count: async () => 2,
    async *entries(user_id) {
      const usage = await database
        .selectFrom('profiles')
        .select([
          'subscription_plan',
          'subscription_quota',
          sql`public.usage_now(profiles)`.as('subscription_usage'),
          'message_credits',
          'quota_last_reset',
          'quota_anchor',
          'plan_ends_at',
          'stripe_customer_id',
          'stripe_subscription_id',
        ])
        .where('id', '=', user_id)
        .executeTakeFirstOrThrow();
      const subscriptions = await database
        .selectFrom('subscriptions')
        .selectAll()
        .where('user_id', '=', user_id)
        .execute();
      const purchases = await database
        .selectFrom('purchases')
        .selectAll()
        .where('user_id', '=', user_id)
        .orderBy('created_at')
        .execute();
      const grants = await database
        .selectFrom('plan_grants')
        .select(['plan', 'until', 'note', 'revoked_at', 'created_at'])
        .where('user_id', '=', user_id)
        .orderBy('created_at')
        .execute();
      const all = { ...usage, subscriptions, purchases, grants };
      yield { path: 'usage.json', content: `${JSON.stringify(all, null, 2)}\n` };
      yield { path: 'usage-entries.json', content: async () => Readable.from(ledger(user_id)) };
    },
  };
}
