import { sql } from 'kysely';
import type { Exporter } from '../accounts/export.ts';
import type { Database } from '../platform/database.ts';

/** A member's plan and what was used of it. */
export function billingExporter(database: Database): Exporter {
  return {
    describe: ['usage.json        your plan, what it includes, and what you have used of it'],
    count: async () => 1,
    async *entries(user_id) {
      const usage = await database
        .selectFrom('profiles')
        .select([
          'subscription_plan',
          'subscription_quota',
          sql`public.usage_now(profiles)`.as('subscription_usage'),
          'quota_last_reset',
          'stripe_customer_id',
          'stripe_subscription_id',
        ])
        .where('id', '=', user_id)
        .executeTakeFirstOrThrow();
      yield { path: 'usage.json', content: `${JSON.stringify(usage, null, 2)}\n` };
    },
  };
}
