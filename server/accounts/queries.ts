import { sql } from 'kysely';
import type { SignedIn } from '../platform/auth.ts';
import type { Database } from '../platform/database.ts';

/** Counters of a quota or of usage; one that is absent means 0, null is unlimited. `storage_mb`: of a quota; absent: unlimited. */
export type Counters = {
  messages?: number | null;
  files?: number | null;
  tokens?: number | null;
  storage_mb?: number | null;
};

/** What a member's files weigh together, and what the plan gives room for; null: unlimited. */
type StorageUse = { used_bytes: number; limit_bytes: number | null };

export type Role = 'member' | 'operator';

/** The role in a query on `profiles`; whoever has no row is a member. */
const role = sql<Role>`coalesce((select role from public.user_roles where user_id = profiles.id), 'member')`;

export type Profile = NonNullable<Awaited<ReturnType<typeof findProfile>>>;

/** The profile of a signed-in person, or undefined while there is none. */
export function findProfile(database: Database, auth_id: string) {
  return database
    .selectFrom('profiles')
    .select([
      'id',
      'email',
      'user_name',
      'organization_name',
      'avatar_url',
      'subscription_plan',
      'subscription_quota',
      sql<Counters>`public.usage_now(profiles)`.as('subscription_usage'),
      sql<StorageUse>`public.storage_of(profiles.id)`.as('storage'),
      'message_credits as credits',
      sql<string>`
        greatest(quota_last_reset, public.period_start(coalesce(quota_anchor, profiles.created_at), now()))
      `.as('period_started_at'),
      sql<string>`public.period_end(coalesce(quota_anchor, profiles.created_at), now())`.as('renews_at'),
      'is_active',
      'is_deleted',
      'deleted_at',
      'erase_after',
      'email_confirmed',
      'email_verification_sent_at',
      'language',
      'time_zone',
      role.as('role'),
      'created_at',
    ])
    .where('auth_id', '=', auth_id)
    .executeTakeFirst();
}

/**
 * Makes the profile that the sign-up's trigger could not make. Returns false when Auth knows no such user (any
 * more). An address that another profile holds is left out.
 */
export async function insertMissingProfile(database: Database, person: SignedIn): Promise<boolean> {
  const { rows } = await sql<{ exists: boolean }>`
    with person as (
      select id, lower(email) as email from auth.users
      where id = ${person.auth_id}
        -- The account is erased, and its user at Auth is about to be.
        and not exists (select from public.erasures where kind = 'auth_user' and external_id = users.id::text)
    ),
    made as (
      insert into public.profiles (auth_id, email)
      select id, case when exists (select from public.profiles where profiles.email = person.email) then null else email end
      from person
      on conflict (auth_id) do nothing
    )
    select exists (select from person) as exists
  `.execute(database);
  return rows[0]!.exists;
}

/** The account with an address, in any case; closed ones too. */
export function findAccountByEmail(database: Database, email: string) {
  return database
    .selectFrom('profiles')
    .select(['id', 'email', 'email_confirmed', 'is_deleted', role.as('role')])
    .where('email', '=', email.trim().toLowerCase())
    .executeTakeFirst();
}

export async function findRole(database: Database, user_id: string): Promise<Role> {
  const { rows } = await sql<{ role: Role }>`
    select role from public.user_roles join public.profiles on profiles.id = user_id
    where user_id = ${user_id} and not is_deleted
  `.execute(database);
  return rows[0]?.role ?? 'member';
}

/** The profile of an operator by the Auth user's id; undefined for everybody else. */
export function findOperator(database: Database, auth_id: string) {
  return database
    .selectFrom('user_roles')
    .innerJoin('profiles', 'profiles.id', 'user_roles.user_id')
    .select('user_roles.user_id')
    .where('profiles.auth_id', '=', auth_id)
    .where('role', '=', 'operator')
    .where('is_deleted', '=', false)
    .executeTakeFirst();
}

/** The operators, the longest-serving first. */
export function listOperators(database: Database) {
  return database
    .selectFrom('user_roles')
    .innerJoin('profiles', 'profiles.id', 'user_roles.user_id')
    .select(['user_roles.user_id', 'email', 'user_name', 'email_confirmed', 'granted_at', 'granted_by'])
    .where('role', '=', 'operator')
    .where('is_deleted', '=', false)
    .orderBy('granted_at')
    .orderBy('user_roles.user_id')
    .execute();
}

/**
 * Makes somebody an operator. Returns false where that changes nothing: there is no such open account, or it is an
 * operator's already. `granted_by`: the operator who does it, null for a command.
 */
export async function grantRole(
  database: Database,
  user_id: string,
  granted_by: string | null,
): Promise<boolean> {
  const { rows } = await sql`
    insert into public.user_roles (user_id, role, granted_by)
    select id, 'operator', ${granted_by}::uuid from public.profiles
    where id = ${user_id} and not is_deleted
    for share
    on conflict (user_id) do update
    set role = excluded.role, granted_at = now(), granted_by = excluded.granted_by
    where user_roles.role <> excluded.role
    returning user_id
  `.execute(database);
  return rows.length > 0;
}

/**
 * Makes an operator a member again. The row stays, so that `OPERATOR_EMAIL` does not bring the role back. Returns false
 * where that changes nothing. `revoked_by`: the operator who does it, null for a command.
 */
export async function revokeRole(
  database: Database,
  user_id: string,
  revoked_by: string | null,
): Promise<boolean> {
  const { numUpdatedRows } = await database
    .updateTable('user_roles')
    .set({ role: 'member', granted_at: sql`now()`, granted_by: revoked_by })
    .where('user_id', '=', user_id)
    .where('role', '=', 'operator')
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** `grant_first_operator` of 12_roles.sql: returns whether this call made the account the first operator. */
export async function grantFirstOperator(
  database: Database,
  email: string,
  even_unconfirmed: boolean,
): Promise<boolean> {
  const { rows } = await sql<{ user_id: string | null }>`
    select public.grant_first_operator(${email}, ${even_unconfirmed}) as user_id
  `.execute(database);
  return rows[0]!.user_id !== null;
}

/** Erasures that are due, oldest first, of the kinds that can be erased here and now. */
export function listDueErasures(database: Database, kinds: string[], limit: number) {
  return database
    .selectFrom('erasures')
    .select(['id', 'kind', 'external_id'])
    .where('kind', 'in', kinds)
    .where('next_attempt_at', '<=', sql<string>`now()`)
    .orderBy('next_attempt_at')
    .limit(limit)
    .execute();
}

export async function deleteErasure(database: Database, id: number) {
  await database.deleteFrom('erasures').where('id', '=', id).execute();
}

/** Puts an erasure off: 1, 2, 4 … minutes, a day at the most. */
export async function postponeErasure(database: Database, id: number) {
  await database
    .updateTable('erasures')
    .set({
      attempts: sql`attempts + 1`,
      next_attempt_at: sql`now() + least(interval '1 minute' * power(2, least(attempts, 20)), interval '1 day')`,
    })
    .where('id', '=', id)
    .execute();
}

/** Deletes a closed profile and everything that hangs on it; triggers note what is to be erased elsewhere. */
export async function deleteClosedProfile(database: Database, id: string) {
  await database.deleteFrom('profiles').where('id', '=', id).where('auth_id', 'is', null).execute();
}
