import { sql } from 'kysely';
import type { SignedIn } from '../platform/auth.ts';
import type { Database } from '../platform/database.ts';
import type { PlanCatalog } from './plans.ts';
import type { SubscriptionState } from './read-subscription.ts';

/** Tells the database the plans, at each start: see `set_plans` in schema/17_billing.sql. */
export async function setPlans(database: Database, { plans }: PlanCatalog): Promise<void> {
  const given = plans.map(({ slug, includes }) => ({ slug, quota: includes }));
  await sql`select public.set_plans(${JSON.stringify(given)}::jsonb)`.execute(database);
}

/** Whom billing deals with. */
export type BillingProfile = {
  id: string;
  email: string | null;
  stripe_customer_id: string | null;
  stripe_subscription_id: string | null;
};

/** The open profile of a signed-in person; undefined while there is none. */
export function findBillingProfile(
  database: Database,
  { auth_id }: SignedIn,
): Promise<BillingProfile | undefined> {
  return database
    .selectFrom('profiles')
    .select(['id', 'email', 'stripe_customer_id', 'stripe_subscription_id'])
    .where('auth_id', '=', auth_id)
    .where('is_deleted', '=', false)
    .executeTakeFirst();
}

/**
 * Writes a member's customer, in the place of `former_id` only (null: of none). Returns the one that stands then, which
 * another request may have written.
 */
export async function setCustomerId(
  database: Database,
  user_id: string,
  former_id: string | null,
  customer_id: string,
): Promise<string> {
  await database
    .updateTable('profiles')
    .set({ stripe_customer_id: customer_id })
    .where('id', '=', user_id)
    .where(sql<boolean>`stripe_customer_id is not distinct from ${former_id}`)
    .execute();
  const { stripe_customer_id } = await database
    .selectFrom('profiles')
    .select('stripe_customer_id')
    .where('id', '=', user_id)
    .executeTakeFirstOrThrow();
  return stripe_customer_id!;
}

/** Taken before something is fetched at Stripe; a state with a smaller number never replaces one with a larger. */
export async function nextFetchNumber(database: Database): Promise<number> {
  const { rows } = await sql<{ number: number }>`select nextval('public.stripe_fetches') as number`.execute(
    database,
  );
  return rows[0]!.number;
}

/** `apply_subscription`: returns whether the state was taken over. */
export async function applySubscriptionState(
  database: Database,
  customer_id: string,
  state: SubscriptionState & { fetch_number: number },
): Promise<boolean> {
  const { rows } = await sql<{ applied: boolean }>`
    select public.apply_subscription(${customer_id}, ${JSON.stringify(state)}::jsonb) as applied
  `.execute(database);
  return rows[0]!.applied;
}

/** Ends a subscription that Stripe knows nothing of any more. */
export async function markSubscriptionGone(
  database: Database,
  id: string,
  fetch_number: number,
): Promise<void> {
  await sql`
    with gone as (
      update public.subscriptions set status = 'canceled', ended_at = coalesce(ended_at, now()),
        failed_invoice_id = null, fetch_number = ${fetch_number}, updated_at = now()
      where id = ${id} and fetch_number < ${fetch_number} and status <> 'canceled'
      returning user_id
    )
    select user_id from gone
  `.execute(database);
  await sql`select public.apply_plan(user_id) from public.subscriptions where id = ${id}`.execute(database);
}

type NewPurchase = {
  user_id: string;
  customer_id: string;
  checkout_session_id: string;
  payment_intent_id: string | null;
  top_up: string;
  messages: number;
  amount_minor: number;
  currency: string;
};

/** `add_purchase`: returns whether this call added the messages. */
export async function addPurchase(database: Database, purchase: NewPurchase): Promise<boolean> {
  const { rows } = await sql<{ added: boolean }>`
    select public.add_purchase(
      ${purchase.user_id}, ${purchase.customer_id}, ${purchase.checkout_session_id}, ${purchase.payment_intent_id},
      ${purchase.top_up}, ${purchase.messages}, ${purchase.amount_minor}, ${purchase.currency}
    ) as added
  `.execute(database);
  return rows[0]!.added;
}

/** `take_back_purchase`: returns how many messages were taken back. */
export async function takeBackPurchase(
  database: Database,
  payment_intent_id: string,
  refunded_minor: number,
  amount_minor: number,
): Promise<number> {
  const { rows } = await sql<{ taken: number }>`
    select public.take_back_purchase(${payment_intent_id}, ${refunded_minor}, ${amount_minor}) as taken
  `.execute(database);
  return rows[0]!.taken;
}

export type LocalSubscription = SubscriptionState & { user_id: string };

/** Every subscription that is kept here. */
export async function listSubscriptions(database: Database): Promise<LocalSubscription[]> {
  return (await database
    .selectFrom('subscriptions')
    .selectAll()
    .orderBy('id')
    .execute()) as unknown as LocalSubscription[];
}

type UsageDifference = { user_id: string; counter: string; metered: number; in_ledger: number };

/** Where a meter and the ledger disagree; none where all is right. */
export async function listUsageDifferences(database: Database): Promise<UsageDifference[]> {
  const { rows } = await sql<UsageDifference>`select * from public.usage_differences()`.execute(database);
  return rows;
}

/** Ends grants whose time has come. Returns how many members it looked at. */
export async function endPlanGrants(database: Database): Promise<number> {
  const { rows } = await sql<{ count: number }>`select public.end_plan_grants() as count`.execute(database);
  return rows[0]!.count;
}
