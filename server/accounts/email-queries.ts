import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

/**
 * Takes an address for confirmed where its owner has proven it elsewhere: `proven_email` is an address that the present
 * sign-in went through (null: none), `by_provider` whether a sign-in provider may have verified it. Returns whether it did.
 */
export async function confirmProvenEmail(
  database: Database,
  user_id: string,
  { proven_email, by_provider }: { proven_email: string | null; by_provider: boolean },
): Promise<boolean> {
  // A one-time password may have come by SMS, and says nothing of the mailbox then.
  const { rows } = await sql`
    update public.profiles set email_confirmed = true
    where id = ${user_id} and not email_confirmed and not is_deleted and (
      email = ${proven_email}::text
        and not exists (select from auth.users where users.id = auth_id and phone <> '')
      or ${by_provider}::boolean and exists (
        select from auth.identities
        where identities.user_id = auth_id and provider <> 'email'
          and lower(identity_data ->> 'email') = profiles.email and identity_data ->> 'email_verified' = 'true'
      )
    )
    returning id
  `.execute(database);
  return rows.length > 0;
}

type VerificationMail = { user_id: string; email: string; token_hash: string };

/** Takes on the first mail to an address. Returns false where another request has, or there is nothing to confirm. */
export async function claimFirstVerification(
  database: Database,
  { user_id, email, token_hash }: VerificationMail,
): Promise<boolean> {
  const { numUpdatedRows } = await database
    .updateTable('profiles')
    .set({ email_verification_token: token_hash, email_verification_sent_at: sql`now()` })
    .where('id', '=', user_id)
    .where('email', '=', email)
    .where('email_confirmed', '=', false)
    .where('is_deleted', '=', false)
    .where('email_verification_sent_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Gives the first mail back, which was not sent; a later one stays. */
export async function releaseFirstVerification(
  database: Database,
  { user_id, token_hash }: VerificationMail,
): Promise<void> {
  await database
    .updateTable('profiles')
    .set({ email_verification_token: null, email_verification_sent_at: null })
    .where('id', '=', user_id)
    .where('email_verification_token', '=', token_hash)
    .where('email_confirmed', '=', false)
    .execute();
}

/** Lets the token of a mail that was sent take the place of the one before; not where the address has changed meanwhile. */
export async function replaceVerification(
  database: Database,
  { user_id, email, token_hash }: VerificationMail,
): Promise<void> {
  await database
    .updateTable('profiles')
    .set({ email_verification_token: token_hash, email_verification_sent_at: sql`now()` })
    .where('id', '=', user_id)
    .where('email', '=', email)
    .where('email_confirmed', '=', false)
    .where('is_deleted', '=', false)
    .execute();
}

/**
 * Confirms the address whose last mail carried a token. The token stays, so that its second use can be told from one that
 * was never good. Undefined: it was not, or is older than 24 hours.
 */
export async function confirmEmailByToken(
  database: Database,
  token_hash: string,
): Promise<'confirmed' | 'already_confirmed' | undefined> {
  const { numUpdatedRows } = await database
    .updateTable('profiles')
    .set({ email_confirmed: true })
    .where('email_verification_token', '=', token_hash)
    .where('email_verification_sent_at', '>', sql<string>`now() - interval '24 hours'`)
    .where('email_confirmed', '=', false)
    .where('is_deleted', '=', false)
    .executeTakeFirst();
  if (numUpdatedRows > 0n) return 'confirmed';
  const used = await database
    .selectFrom('profiles')
    .select('id')
    .where('email_verification_token', '=', token_hash)
    .where('email_confirmed', '=', true)
    .executeTakeFirst();
  return used && 'already_confirmed';
}
