import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

/** The open account of an Auth user with the address that it signs in by, and whether `new_email` is somebody else's. */
export async function findEmailChanger(database: Database, auth_id: string, new_email: string) {
  const { rows } = await sql<{
    user_id: string;
    email: string | null;
    is_deleted: boolean;
    email_confirmed: boolean;
    is_taken: boolean;
  }>`
    select profiles.id as user_id, nullif(lower(users.email), '') as email, is_deleted, email_confirmed,
      exists (select from public.profiles where email = ${new_email} and auth_id is distinct from users.id)
        or exists (select from auth.users as others where others.email = ${new_email} and others.id <> users.id)
        as is_taken
    from auth.users join public.profiles on auth_id = users.id
    where users.id = ${auth_id}
  `.execute(database);
  return rows[0];
}

type EmailChange = {
  user_id: string;
  new_email: string;
  current_token: string;
  new_token: string;
  /** An account without an address has nothing to confirm there. */
  has_current: boolean;
};

/** Writes down a change that waits; one that the account asked for before dies, and so does what nobody confirmed in time. */
export async function replaceEmailChange(database: Database, change: EmailChange): Promise<void> {
  await sql`
    with outdated as (
      delete from public.email_changes
      where created_at < now() - interval '24 hours' and user_id <> ${change.user_id}
    )
    insert into public.email_changes (user_id, new_email, current_token, new_token, current_confirmed_at)
    values (
      ${change.user_id}, ${change.new_email}, ${change.current_token}, ${change.new_token},
      case when not ${change.has_current}::boolean then now() end
    )
    on conflict (user_id) do update set
      new_email = excluded.new_email, current_token = excluded.current_token, new_token = excluded.new_token,
      current_confirmed_at = excluded.current_confirmed_at, new_confirmed_at = null, created_at = now()
  `.execute(database);
}

export async function deleteEmailChange(database: Database, user_id: string): Promise<void> {
  await database.deleteFrom('email_changes').where('user_id', '=', user_id).execute();
}

/** The change that an Auth user has asked for and that still waits, in the words of Supabase Auth. */
export async function findWaitingEmailChange(database: Database, auth_id: string) {
  const { rows } = await sql<{ new_email: string; email_change_sent_at: string }>`
    select new_email, email_changes.created_at as email_change_sent_at
    from public.email_changes join public.profiles on id = user_id
    where auth_id = ${auth_id} and email is distinct from new_email
      and email_changes.created_at > now() - interval '24 hours'
  `.execute(database);
  return rows[0];
}

type ChangeAsItStands = {
  auth_id: string;
  user_id: string;
  new_email: string;
  is_current: boolean;
  other_is_confirmed: boolean;
  is_done: boolean;
};

/**
 * The change that a token belongs to, with its account, locked until the transaction ends: Auth's user, the profile and
 * the change, in the order in which a deletion locks them. Undefined where there is none, it is older than 24 hours, or
 * the account is closed.
 */
export async function findEmailChangeForUpdate(
  database: Database,
  token: string,
): Promise<ChangeAsItStands | undefined> {
  const { rows: owners } = await sql<{ auth_id: string; user_id: string }>`
    select auth_id, user_id from public.email_changes join public.profiles on id = user_id
    where current_token = ${token} or new_token = ${token}
  `.execute(database);
  const owner = owners[0];
  if (!owner?.auth_id) return undefined;
  await sql`select from auth.users where id = ${owner.auth_id} for update`.execute(database);
  await sql`select from public.profiles where id = ${owner.user_id} for update`.execute(database);
  // Read again: what was asked for anew in between has other tokens.
  const { rows } = await sql<ChangeAsItStands>`
    select auth_id, user_id, new_email, current_token = ${token} as is_current,
      case when current_token = ${token} then new_confirmed_at else current_confirmed_at end is not null
        as other_is_confirmed,
      current_confirmed_at is not null and new_confirmed_at is not null and email = new_email as is_done
    from public.email_changes join public.profiles on id = user_id
    where user_id = ${owner.user_id} and auth_id = ${owner.auth_id} and not is_deleted
      and (current_token = ${token} or new_token = ${token})
      and email_changes.created_at > now() - interval '24 hours'
    for update of email_changes
  `.execute(database);
  return rows[0];
}

/** Notes that a mailbox has confirmed a change. */
export async function confirmMailbox(
  database: Database,
  { user_id, is_current }: { user_id: string; is_current: boolean },
) {
  await sql`
    update public.email_changes set
      current_confirmed_at = case when ${is_current}::boolean then coalesce(current_confirmed_at, now()) else current_confirmed_at end,
      new_confirmed_at = case when ${is_current}::boolean then new_confirmed_at else coalesce(new_confirmed_at, now()) end
    where user_id = ${user_id}
  `.execute(database);
}

/**
 * Gives an account its new address, at Auth and, through the trigger there, in its profile. Links that were mailed to
 * the old one die. Returns false where the address is somebody else's by now: the caller rolls back.
 */
export async function applyEmailChange(
  database: Database,
  { auth_id, user_id, new_email }: { auth_id: string; user_id: string; new_email: string },
): Promise<boolean> {
  await sql`
    update auth.users set
      email = ${new_email},
      email_confirmed_at = coalesce(email_confirmed_at, now()),
      raw_user_meta_data = case
        when ${unwrapped('raw_user_meta_data')} ? 'email'
          then ${unwrapped('raw_user_meta_data')} || jsonb_build_object('email', ${new_email}::text)
        else raw_user_meta_data
      end,
      confirmation_token = null, recovery_token = null, email_change = null, email_change_token_new = null,
      email_change_token_current = null, updated_at = now()
    where id = ${auth_id}
  `.execute(database);
  await sql`
    update auth.identities set
      identity_data = ${unwrapped('identity_data')}
        || jsonb_build_object('email', ${new_email}::text, 'email_verified', true),
      updated_at = now()
    where user_id = ${auth_id} and provider = 'email'
  `.execute(database);
  // The trigger lets an address go that another profile holds: then this finds the old one.
  const { rows } = await sql`
    update public.profiles set email_confirmed = true
    where id = ${user_id} and email = ${new_email}
    returning id
  `.execute(database);
  return rows.length > 0;
}

/** The object in a column of Auth's: the Auth in our process writes it as a text within the JSON. */
function unwrapped(column: 'raw_user_meta_data' | 'identity_data') {
  const value = sql.ref(column);
  return sql`case jsonb_typeof(${value}) when 'string' then (${value} #>> '{}')::jsonb else ${value} end`;
}
