import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { FileKind } from './file-types.ts';

export type NewFile = {
  file_id: string;
  original_id: string;
  file_name: string;
  file_type: string;
  size_bytes: number;
  storage_key: string;
  kind: FileKind;
  page_count: number | null;
  word_count: number;
  /** PostgreSQL's name of the language whose word forms are found; `simple`: of none. */
  language: string;
  /** Pixels of an image, as it is shown; null for a document. */
  width: number | null;
  height: number | null;
  /** [{ordinal, page, content}] as JSON in UTF-8: it goes to the database as it is. */
  passages_json: Uint8Array;
};

export type FileRow = {
  id: string;
  file_name: string;
  file_size: number;
  file_type: string;
  created_at: string;
};

/**
 * Who uploads, by the Auth id: whether the account may, and how many files its plan has left (null: unlimited).
 * Undefined while there is no open profile.
 */
export function findUploader(database: Database, auth_id: string) {
  return database
    .selectFrom('profiles')
    .select([
      'id',
      'is_active',
      sql<number | null>`public.allowance(subscription_quota, public.usage_now(profiles), 'files')`.as(
        'files_left',
      ),
    ])
    .where('auth_id', '=', auth_id)
    .where('is_deleted', '=', false)
    .executeTakeFirst();
}

/**
 * Says that bytes are about to be stored under a key: unless `insertFile` follows within an hour, as when the process is
 * killed before it, they are erased.
 */
export async function noteStoring(database: Database, storage_key: string): Promise<void> {
  await sql`
    insert into public.erasures (kind, external_id, user_id, next_attempt_at)
    values ('stored_file', ${storage_key}, split_part(${storage_key}, '/', 1)::uuid, now() + interval '1 hour')
  `.execute(database);
}

/**
 * Counts an upload and writes its rows, in one statement; a job deletes them unless a message takes the file within
 * a day. Returns undefined, and writes nothing, when the plan has no file left.
 */
export async function insertFile(
  database: Database,
  user_id: string,
  file: NewFile,
): Promise<FileRow | undefined> {
  const { rows } = await sql<FileRow>`
    with added as (
      select id, file_name, file_size, file_type, created_at
      from public.add_file(
      ${user_id}, ${file.file_id}, ${file.original_id}, ${file.file_name}, ${file.file_type}, ${file.size_bytes},
      ${file.storage_key}, ${file.page_count}, ${file.word_count}, 
      convert_from(${file.passages_json}::bytea, 'UTF8')::jsonb, now() + interval '1 day',
      ${file.kind}, ${file.language}, ${file.width}, ${file.height}
      )
    ), kept as (
      delete from public.erasures
      where kind = 'stored_file' and external_id = ${file.storage_key} and exists (select from added)
    )
    select * from added
  `.execute(database);
  return rows[0];
}

/** Takes back an upload that was not sent yet, and gives back its count. Returns whether there was one. */
export async function deletePendingFile(
  database: Database,
  user_id: string,
  file_id: string,
): Promise<boolean> {
  const { rows } = await sql<{ deleted: boolean }>`
    select public.delete_pending_file(${user_id}, ${file_id}) as deleted
  `.execute(database);
  return rows[0]!.deleted;
}

/** Where a member's file lies, by the member's Auth id. */
export function findStoredFile(database: Database, auth_id: string, file_id: string) {
  return database
    .selectFrom('chat_files')
    .innerJoin('profiles', 'profiles.id', 'chat_files.user_id')
    .innerJoin('file_originals', 'file_originals.id', 'chat_files.original_id')
    .select([
      'chat_files.file_name',
      'file_originals.file_type',
      'file_originals.size_bytes',
      'file_originals.storage_key',
    ])
    .where('chat_files.id', '=', file_id)
    .where('profiles.auth_id', '=', auth_id)
    .where('profiles.is_deleted', '=', false)
    .executeTakeFirst();
}

/** Uploads that no message took in time, oldest first. */
export function listForgottenFiles(database: Database, limit: number) {
  return database
    .selectFrom('chat_files')
    .select(['id', 'user_id'])
    .where('pending_until', '<', sql<string>`now()`)
    .orderBy('pending_until')
    .limit(limit)
    .execute();
}

export async function countOriginals(database: Database, user_id: string): Promise<number> {
  const { count } = await database
    .selectFrom('file_originals')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('user_id', '=', user_id)
    .executeTakeFirstOrThrow();
  return count;
}

export type OriginalRow = {
  id: string;
  /** Of its first use. */
  file_name: string;
  file_type: string;
  storage_key: string;
  created_at: string;
};

/** A page of a member's originals by their ids, from the one after `after` on. */
export async function listOriginals(
  database: Database,
  user_id: string,
  { after, limit }: { after: string | undefined; limit: number },
): Promise<OriginalRow[]> {
  const { rows } = await sql<OriginalRow>`
    select originals.id, used.file_name, originals.file_type, originals.storage_key, originals.created_at
    from public.file_originals as originals
    cross join lateral (
      select file_name from public.chat_files
      where original_id = originals.id
      order by created_at, id
      limit 1
    ) as used
    where originals.user_id = ${user_id} and (${after ?? null}::uuid is null or originals.id > ${after ?? null}::uuid)
    order by originals.id
    limit ${limit}
  `.execute(database);
  return rows;
}
