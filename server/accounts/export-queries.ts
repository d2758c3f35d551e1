import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

type ExportStatus = 'queued' | 'running' | 'ready' | 'failed';

type ExportRow = {
  id: string;
  status: ExportStatus;
  parts_done: number;
  parts_total: number;
  size_bytes: number | null;
  created_at: string;
  expires_at: string;
};

const columns = [
  'id',
  'status',
  'parts_done',
  'parts_total',
  'size_bytes',
  'created_at',
  'expires_at',
] as const;

/** A member's exports, the newest first. */
export function listExports(database: Database, user_id: string): Promise<ExportRow[]> {
  return database
    .selectFrom('account_exports')
    .select(columns)
    .where('user_id', '=', user_id)
    .where('expires_at', '>', sql<string>`now()`)
    .orderBy('created_at', 'desc')
    .$castTo<ExportRow>()
    .execute();
}

/**
 * Asks for an export. Undefined where the account has asked `most` times in 24 hours, or was closed; one that is not
 * finished yet is returned in its place.
 */
export async function insertExport(
  database: Database,
  user_id: string,
  most: number,
): Promise<ExportRow | undefined> {
  const { rows } = await sql<ExportRow>`
    with member as (
      select id from public.profiles where id = ${user_id} and not is_deleted for no key update
    ),
    made as (
      insert into public.account_exports (user_id)
      select id from member
      where (
        select count(*) from public.account_exports
        where user_id = ${user_id} and created_at > now() - interval '24 hours'
      ) < ${most}
      on conflict (user_id) where status in ('queued', 'running') do nothing
      returning id, status, parts_done, parts_total, size_bytes, created_at, expires_at
    )
    select * from made
    union all
    select id, status, parts_done, parts_total, size_bytes, created_at, expires_at
    from public.account_exports
    where user_id = ${user_id} and status in ('queued', 'running')
    limit 1
  `.execute(database);
  return rows[0];
}

/** In how many milliseconds a member may ask again who has asked `most` times in 24 hours. */
export async function findExportWait(database: Database, user_id: string, most: number): Promise<number> {
  const { rows } = await sql<{ wait_ms: number }>`
    select greatest(extract(epoch from created_at + interval '24 hours' - now()) * 1000, 0)::bigint as wait_ms
    from public.account_exports
    where user_id = ${user_id}
    order by created_at desc
    offset ${most - 1} limit 1
  `.execute(database);
  return rows[0]?.wait_ms ?? 0;
}

/** A member's export that can be fetched. */
export function findReadyExport(database: Database, auth_id: string, id: string) {
  return database
    .selectFrom('account_exports')
    .innerJoin('profiles', 'profiles.id', 'account_exports.user_id')
    .select(['storage_key', 'size_bytes', 'account_exports.created_at'])
    .where('account_exports.id', '=', id)
    .where('status', '=', 'ready')
    .where('expires_at', '>', sql<string>`now()`)
    .where('profiles.auth_id', '=', auth_id)
    .where('profiles.is_deleted', '=', false)
    .$castTo<{ storage_key: string; size_bytes: number; created_at: string }>()
    .executeTakeFirst();
}

export type ClaimedExport = { id: string; user_id: string; attempts: number; storage_key: string };

/** How long a server may be silent before another one makes its export anew. */
const silence = sql`interval '2 minutes'`;

/** Takes the next export that is to be made, or that its server has left. */
export async function claimExport(database: Database): Promise<ClaimedExport | undefined> {
  const { rows } = await sql<ClaimedExport>`
    update public.account_exports
    set status = 'running',
      attempts = attempts + 1,
      parts_done = 0,
      storage_key = user_id || '/export-' || id || '-' || (attempts + 1) || '.zip',
      next_attempt_at = now() + ${silence}
    where id = (
      select id from public.account_exports
      where status in ('queued', 'running') and next_attempt_at <= now()
      order by next_attempt_at
      limit 1
      for update skip locked
    )
    returning id, user_id, attempts, storage_key
  `.execute(database);
  return rows[0];
}

/** The row of an export as long as it is this attempt that makes it. */
function running(claimed: ClaimedExport) {
  return sql`id = ${claimed.id} and attempts = ${claimed.attempts} and status = 'running'`;
}

/** Says how far an export is and that its server is alive. False: it was dropped, or somebody else makes it. */
export async function keepExport(
  database: Database,
  claimed: ClaimedExport,
  { parts_done, parts_total }: { parts_done: number; parts_total: number },
): Promise<boolean> {
  const { rows } = await sql`
    update public.account_exports
    set parts_done = ${parts_done}, parts_total = ${parts_total}, next_attempt_at = now() + ${silence}
    where ${running(claimed)}
    returning id
  `.execute(database);
  return rows.length > 0;
}

/** Says that an export can be fetched, for 7 days from now. False as in `keepExport`. */
export async function finishExport(
  database: Database,
  claimed: ClaimedExport,
  { parts, size_bytes }: { parts: number; size_bytes: number },
): Promise<boolean> {
  const { rows } = await sql`
    update public.account_exports
    set status = 'ready', parts_done = ${parts}, parts_total = ${parts}, size_bytes = ${size_bytes},
      mail_due_at = now(), expires_at = now() + interval '168 hours'
    where ${running(claimed)}
    returning id
  `.execute(database);
  return rows.length > 0;
}

/** After an attempt that failed: once more in a minute, or `failed` after the last. */
export async function putOffExport(
  database: Database,
  claimed: ClaimedExport,
  most_attempts: number,
): Promise<void> {
  const is_last = claimed.attempts >= most_attempts;
  await sql`
    update public.account_exports
    set status = ${is_last ? 'failed' : 'queued'}, storage_key = null, next_attempt_at = now() + interval '1 minute'
    where ${running(claimed)}
  `.execute(database);
}

type DueExportMail = { id: string; email: string; size_bytes: number; expires_at: string };

/** Takes the next export whose mail is to be sent. Nobody else takes it for ten minutes. */
export async function claimExportMail(database: Database): Promise<DueExportMail | undefined> {
  const { rows } = await sql<DueExportMail>`
    update public.account_exports as exports
    set mail_due_at = now() + interval '10 minutes'
    from public.profiles
    where profiles.id = exports.user_id and exports.id = (
      select due.id from public.account_exports as due
      join public.profiles as members on members.id = due.user_id
      where due.mail_due_at <= now() and due.expires_at > now()
        and members.email is not null and not members.is_deleted
      order by due.mail_due_at
      limit 1
      for update of due skip locked
    )
    returning exports.id, profiles.email, exports.size_bytes, exports.expires_at
  `.execute(database);
  return rows[0];
}

export async function forgetExportMail(database: Database, id: string): Promise<void> {
  await database.updateTable('account_exports').set({ mail_due_at: null }).where('id', '=', id).execute();
}

/** Gives up what was left by its server this often: it may be what its servers died of. */
export async function giveUpExports(database: Database, most_left: number): Promise<void> {
  await sql`
    update public.account_exports
    set status = 'failed', storage_key = null
    where status = 'running' and attempts >= ${most_left} and next_attempt_at <= now()
  `.execute(database);
}

/** Deletes the exports whose time is over; a trigger notes the files. Returns how many. */
export async function deleteExpiredExports(database: Database): Promise<number> {
  const { numDeletedRows } = await database
    .deleteFrom('account_exports')
    .where('expires_at', '<=', sql<string>`now()`)
    .executeTakeFirst();
  return Number(numDeletedRows);
}
