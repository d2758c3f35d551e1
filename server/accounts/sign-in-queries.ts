import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

/** Whose sessions were ended since `since`, an ISO 8601 time. `signed_out_at`: ISO 8601. */
export async function listSignOuts(database: Database, since: string) {
  return database
    .selectFrom('sign_outs')
    .select(['auth_id', 'signed_out_at'])
    .where('signed_out_at', '>=', since)
    .execute();
}

/** Notes that a person's tokens made until now are good only while their session lives. */
export async function noteSignOut(database: Database, auth_id: string): Promise<void> {
  await sql`
    insert into public.sign_outs (auth_id, signed_out_at) values (${auth_id}, clock_timestamp())
    on conflict (auth_id) do update set signed_out_at = clock_timestamp()
  `.execute(database);
}

/** Ends a person's sessions but one, with their refresh tokens, and notes it. To be called in a transaction. */
export async function deleteSessions(
  database: Database,
  auth_id: string,
  except_session_id: string | undefined,
): Promise<void> {
  await sql`
    delete from auth.sessions
    where user_id = ${auth_id} and id is distinct from ${except_session_id ?? null}::uuid
  `.execute(database);
  await noteSignOut(database, auth_id);
}

export async function isSessionAlive(database: Database, auth_id: string, session_id: string) {
  const { rows } = await sql<{ is_alive: boolean }>`
    select exists (select from auth.sessions where id = ${session_id} and user_id = ${auth_id}) as is_alive
  `.execute(database);
  return rows[0]!.is_alive;
}

/** Notes that a session came from a recovery mail. */
export async function insertRecoverySession(
  database: Database,
  session_id: string,
  created_at?: string,
): Promise<void> {
  await database
    .insertInto('recovery_sessions')
    .values({ session_id, ...(created_at ? { created_at } : {}) })
    .onConflict((conflict) => conflict.column('session_id').doNothing())
    .execute();
}

/** Takes the right to set a password that a recovery mail gave a session less than half an hour ago: once. */
export function takeRecoverySession(database: Database, session_id: string) {
  return database
    .deleteFrom('recovery_sessions')
    .where('session_id', '=', session_id)
    .where('created_at', '>', sql<string>`now() - interval '30 minutes'`)
    .returning('created_at')
    .executeTakeFirst();
}

/** Whom a sign-in at a provider has led to, by the code that the browser is about to get. */
export async function findUserOfAuthCode(database: Database, auth_code: string) {
  const { rows } = await sql<{ user_id: string }>`
    select user_id from auth.flow_state where auth_code = ${auth_code} and user_id is not null
  `.execute(database);
  return rows[0]?.user_id;
}

/** The Auth user of a change of address, by the hash of one of its tokens. */
export async function findUserOfEmailChange(database: Database, token_hash: string) {
  const { rows } = await sql<{ id: string; email: string | null }>`
    select users.id, users.email
    from public.email_changes
      join public.profiles on profiles.id = user_id
      join auth.users on users.id = auth_id
    where current_token = ${token_hash} or new_token = ${token_hash}
  `.execute(database);
  return rows[0];
}

type UserAsItStands = { email: string | null; has_password: boolean };
type ProfileAsItStands = { id: string; email_confirmed: boolean };

/** An Auth user and its profile, locked in the order in which everybody locks them. To be called in a transaction. */
export async function findUserForUpdate(database: Database, auth_id: string) {
  const users = await sql<UserAsItStands>`
    select lower(email) as email, coalesce(encrypted_password, '') <> '' as has_password
    from auth.users where id = ${auth_id} for update
  `.execute(database);
  const profiles = await sql<ProfileAsItStands>`
    select id, email_confirmed from public.profiles where auth_id = ${auth_id} for update
  `.execute(database);
  const user = users.rows[0];
  return user && { ...user, profile: profiles.rows[0] };
}

/** Takes an account its password and what was asked for with it. */
export async function deletePassword(database: Database, auth_id: string, user_id: string | undefined) {
  await sql`
    update auth.users set encrypted_password = null, recovery_token = null, updated_at = now()
    where id = ${auth_id}
  `.execute(database);
  if (user_id) await database.deleteFrom('email_changes').where('user_id', '=', user_id).execute();
}

/** Notes that the address of a profile is its owner's: by a link that was mailed to it. */
export async function confirmByMail(database: Database, auth_id: string): Promise<void> {
  await sql`
    update public.profiles set email_confirmed = true
    from auth.users
    where auth_id = users.id and users.id = ${auth_id} and profiles.email = lower(users.email) and not email_confirmed
  `.execute(database);
}

/** The same by a provider that has verified the same address. */
export async function confirmByProvider(database: Database, auth_id: string): Promise<void> {
  await sql`
    update public.profiles set email_confirmed = true
    where auth_id = ${auth_id} and not email_confirmed and exists (
      select from auth.identities
      where user_id = ${auth_id} and provider <> 'email' and lower(identity_data ->> 'email') = profiles.email
        and identity_data ->> 'email_verified' = 'true'
    )
  `.execute(database);
}

/** Deletes what no limit, token or session needs any more. `token_lifetime_s`: the longest. */
export async function deleteOldSignInRows(database: Database, token_lifetime_s: number): Promise<void> {
  await sql`
    delete from public.rate_limits where expire < extract(epoch from now() - interval '1 hour') * 1000
  `.execute(database);
  await sql`
    delete from public.sign_outs where signed_out_at < now() - make_interval(secs => ${token_lifetime_s + 3600})
  `.execute(database);
  await sql`
    delete from public.recovery_sessions where created_at < now() - interval '1 hour'
  `.execute(database);
}
