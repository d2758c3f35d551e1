import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

type Untold = { id: string; plan: string | null; email: string };
type UntoldFailure = Untold & { invoice_id: string };
type UntoldEnd = Untold & { present_plan: string };

/**
 * The next subscription after `after_id`, by id, of an open account with a payment that is tried again, of which the member has
 * not been told. It counts as told from now on, so that two servers do not tell the same.
 */
export async function claimUntoldFailure(
  database: Database,
  after_id: string,
): Promise<UntoldFailure | undefined> {
  const { rows } = await sql<UntoldFailure>`
    update public.subscriptions
    set told_invoice_id = failed_invoice_id
    from (
      select subscriptions.id, email
      from public.subscriptions join public.profiles on profiles.id = user_id
      where failed_invoice_id is not null and told_invoice_id is distinct from failed_invoice_id
        and not is_deleted and email is not null and subscriptions.id > ${after_id}
      order by subscriptions.id
      limit 1
      for update of subscriptions skip locked
    ) as untold
    where subscriptions.id = untold.id
    returning subscriptions.id, plan, email, failed_invoice_id as invoice_id
  `.execute(database);
  return rows[0];
}

/** Takes back that the member has been told. */
export async function unclaimFailure(database: Database, { id, invoice_id }: UntoldFailure): Promise<void> {
  await database
    .updateTable('subscriptions')
    .set({ told_invoice_id: null })
    .where('id', '=', id)
    .where('told_invoice_id', '=', invoice_id)
    .execute();
}

/**
 * The same for a subscription that ended in the last week because it was not paid, `unpaid` or `canceled` as Stripe is set,
 * unless the member has another one by now. `present_plan`: what the account is left with.
 */
export async function claimUntoldEnd(database: Database, after_id: string): Promise<UntoldEnd | undefined> {
  const { rows } = await sql<UntoldEnd>`
    update public.subscriptions
    set end_told_at = now()
    from (
      select subscriptions.id, email, subscription_plan
      from public.subscriptions join public.profiles on profiles.id = user_id
      where (status = 'unpaid' or (status = 'canceled' and end_reason = 'payment_failed'))
        and end_told_at is null and coalesce(ended_at, now()) > now() - interval '7 days'
        and not is_deleted and email is not null and subscriptions.id > ${after_id}
        and not exists (
          select from public.subscriptions as live
          where live.user_id = profiles.id and live.status in ('active', 'trialing', 'past_due')
        )
      order by subscriptions.id
      limit 1
      for update of subscriptions skip locked
    ) as untold
    where subscriptions.id = untold.id
    returning subscriptions.id, plan, email, subscription_plan as present_plan
  `.execute(database);
  return rows[0];
}

/** Takes back that the member has been told. */
export async function unclaimEnd(database: Database, { id }: UntoldEnd): Promise<void> {
  await database.updateTable('subscriptions').set({ end_told_at: null }).where('id', '=', id).execute();
}
