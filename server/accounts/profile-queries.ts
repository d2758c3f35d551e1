import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

/** What a member may change of the own profile. Absent: stays; null: none. */
type ProfileChanges = {
  user_name?: string | null;
  organization_name?: string | null;
  language?: string | null;
  time_zone?: string | null;
};

export async function updateProfile(database: Database, user_id: string, changes: ProfileChanges) {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  if (given.length === 0) return;
  await database
    .updateTable('profiles')
    .set(Object.fromEntries(given))
    .where('id', '=', user_id)
    .where('is_deleted', '=', false)
    .execute();
}

/** Sets the address of a member's picture. Returns the one before; undefined where the account is closed by now. */
export async function replaceAvatarUrl(database: Database, user_id: string, avatar_url: string | null) {
  const { rows } = await sql<{ former: string | null }>`
    with former as (
      select id, avatar_url from public.profiles where id = ${user_id} and not is_deleted for update
    )
    update public.profiles set avatar_url = ${avatar_url}
    from former where profiles.id = former.id
    returning former.avatar_url as former
  `.execute(database);
  return rows[0];
}

/** By what an account can be entered: whether it has a password, and the providers that it is linked to. */
export async function findSignInMethods(database: Database, auth_id: string) {
  const { rows } = await sql<{ password: boolean; providers: string[] }>`
    select coalesce(encrypted_password, '') <> '' as password, array(
      select distinct provider::text from auth.identities
      where identities.user_id = users.id and provider not in ('email', 'phone') order by 1
    ) as providers
    from auth.users where id = ${auth_id}
  `.execute(database);
  return rows[0];
}
