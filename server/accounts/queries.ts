import { sql } from 'kysely';
import type { SignedIn } from '../platform/auth.ts';
import type { Database } from '../platform/database.ts';

/** Counters of a quota or of usage; one that is absent means 0, null is unlimited. */
export type Counters = { messages?: number | null; files?: number | null; tokens?: number | null };

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
      'is_active',
      'is_deleted',
      'email_confirmed',
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
    with person as (select id, lower(email) as email from auth.users where id = ${person.auth_id}),
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
      next_attempt_at: sql`now() + least(interval '1 minute' * power(2, attempts), interval '1 day')`,
    })
    .where('id', '=', id)
    .execute();
}

/** Deletes a closed profile and everything that hangs on it; triggers note what is to be erased upstream. */
export async function deleteClosedProfile(database: Database, id: string) {
  await database.deleteFrom('profiles').where('id', '=', id).where('auth_id', 'is', null).execute();
}
