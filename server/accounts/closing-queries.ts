import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

type ClosingOutcome =
  | { outcome: 'closed'; deleted_at: string; erase_after: string }
  | { outcome: 'no_profile' }
  | { outcome: 'not_confirmed' };

/** One round trip: see `close_account` in schema/15_closing.sql. `closers`: what is to be done elsewhere, by name. */
export async function closeAccount(
  database: Database,
  auth_id: string,
  confirmation: string,
  closers: string[],
): Promise<ClosingOutcome> {
  // The times as columns, to arrive in the form of all others.
  const { rows } = await sql<ClosingOutcome>`
    select result ->> 'outcome' as outcome, (result ->> 'deleted_at')::timestamptz as deleted_at,
      (result ->> 'erase_after')::timestamptz as erase_after
    from public.close_account(${auth_id}, ${confirmation}, ${closers}::text[]) as result
  `.execute(database);
  return rows[0]!;
}

/**
 * Opens a closed account again while it may be restored, and forgets what was still to be done because it was closed.
 * Undefined where there is none such.
 */
export async function restoreAccount(
  database: Database,
  auth_id: string,
): Promise<{ email: string | null } | undefined> {
  const { rows } = await sql<{ email: string | null }>`
    with restored as (
      update public.profiles set is_deleted = false, deleted_at = null
      where auth_id = ${auth_id} and is_deleted and erase_after > now()
      returning id, email
    ),
    forgotten as (
      delete from public.account_closings where user_id in (select id from restored)
    )
    select email from restored
  `.execute(database);
  return rows[0];
}

/** A closed account, as those see it who do something elsewhere because it was closed. */
export type ClosedAccount = {
  id: string;
  email: string | null;
  stripe_customer_id: string | null;
  stripe_subscription_id: string | null;
  deleted_at: string;
  erase_after: string | null;
};

/**
 * Takes the next thing that is due because an account was closed. Nobody else takes it for the next minutes: 2, 4, 8 …,
 * a day at the most. `closers`: what can be done here.
 */
export async function claimClosing(
  database: Database,
  closers: string[],
): Promise<(ClosedAccount & { closer: string }) | undefined> {
  const { rows } = await sql<ClosedAccount & { closer: string }>`
    update public.account_closings as closings
    set attempts = attempts + 1,
      next_attempt_at = now() + least(interval '2 minutes' * power(2, least(attempts, 20)), interval '1 day')
    from public.profiles
    where profiles.id = closings.user_id
      and (closings.user_id, closings.closer) = (
        select due.user_id, due.closer
        from public.account_closings as due
        join public.profiles as closed on closed.id = due.user_id and closed.is_deleted
        where due.closer = any(${closers}::text[]) and due.next_attempt_at <= now()
        order by due.next_attempt_at
        limit 1
        for update of due skip locked
      )
    returning closings.closer, profiles.id, profiles.email, profiles.stripe_customer_id,
      profiles.stripe_subscription_id, profiles.deleted_at, profiles.erase_after
  `.execute(database);
  return rows[0];
}

export async function deleteClosing(database: Database, user_id: string, closer: string): Promise<void> {
  await database
    .deleteFrom('account_closings')
    .where('user_id', '=', user_id)
    .where('closer', '=', closer)
    .execute();
}

/** The closed accounts whose time is over, oldest first. */
export async function listAccountsToErase(database: Database): Promise<string[]> {
  const rows = await database
    .selectFrom('profiles')
    .select('id')
    .where('erase_after', '<=', sql<string>`now()`)
    .orderBy('erase_after')
    .execute();
  return rows.map(({ id }) => id);
}

/** One round trip: see `erase_account` in schema/15_closing.sql. Returns whether there was something to erase. */
export async function eraseAccount(database: Database, profile_id: string): Promise<boolean> {
  const { rows } = await sql<{ erased: boolean }>`
    select public.erase_account(${profile_id}) as erased
  `.execute(database);
  return rows[0]!.erased;
}

/** Deletes a user of Auth, and what hangs on it. */
export async function deleteAuthUser(database: Database, auth_id: string): Promise<void> {
  await sql`select public.delete_auth_user(${auth_id})`.execute(database);
}

/** Notes of the accounts of which nothing is left to be erased that they are erased. */
export async function markErasedAccounts(database: Database): Promise<void> {
  await sql`
    update public.account_erasures as accounts
    set erased_at = now()
    where erased_at is null
      and not exists (select from public.erasures where erasures.user_id = accounts.profile_id)
  `.execute(database);
}

/** What there was of an erased account. Kinds of `erasures` count what lay with others; one that is absent means 0. */
export type ErasureCounts = {
  chats: number;
  messages: number;
  files: number;
  file_bytes: number;
  exports: number;
  avatars: number;
  sign_ins: number;
  openai_conversation?: number;
  openai_file?: number;
  openai_vector_store?: number;
  stripe_customer?: number;
};

type DueReceipt = {
  profile_id: string;
  email: string;
  counts: ErasureCounts;
  closed_at: string;
  erased_at: string;
};

/** Takes the next account that is erased and whose receipt is to be sent. Nobody else takes it for ten minutes. */
export async function claimReceipt(database: Database): Promise<DueReceipt | undefined> {
  const { rows } = await sql<DueReceipt>`
    update public.account_erasures
    set receipt_due_at = now() + interval '10 minutes'
    where profile_id = (
      select profile_id from public.account_erasures
      where email is not null and erased_at is not null and receipt_due_at <= now()
      order by receipt_due_at
      limit 1
      for update skip locked
    )
    returning profile_id, email, counts, closed_at, erased_at
  `.execute(database);
  return rows[0];
}

export async function forgetAddress(database: Database, profile_id: string): Promise<void> {
  await database
    .updateTable('account_erasures')
    .set({ email: null })
    .where('profile_id', '=', profile_id)
    .execute();
}

/** Forgets the addresses to which no receipt could be sent for 30 days. */
export async function forgetOldAddresses(database: Database): Promise<void> {
  await sql`
    update public.account_erasures set email = null
    where email is not null and erased_at < now() - interval '720 hours'
  `.execute(database);
}
