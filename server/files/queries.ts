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

/** Where an upload goes: into the draft of a message, which must be sent within a day, or into the library. */
export type FilePlace = 'draft' | 'library';

/** What a member's files weigh together, and what the plan gives room for; null: unlimited. */
export type StorageUse = { used_bytes: number; limit_bytes: number | null };

/**
 * Who uploads, by the Auth id: whether the account may, how many files its plan has left (null: unlimited), and how much room.
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
      sql<StorageUse>`public.storage_of(id)`.as('storage'),
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

export type Added = { outcome: 'added'; created_at: string } | { outcome: 'files' | 'storage' };

/**
 * Counts an upload and writes its rows, in one statement. In a draft a job deletes them unless a message takes the file
 * within a day. Writes nothing when the plan has no file left (`files`) or not enough room (`storage`).
 */
export async function insertFile(
  database: Database,
  user_id: string,
  place: FilePlace,
  file: NewFile,
): Promise<Added> {
  const pending_until = place === 'draft' ? sql`now() + interval '1 day'` : sql`null`;
  const { rows } = await sql<Added>`
    with added as (
      select result ->> 'outcome' as outcome, (result ->> 'created_at')::timestamptz as created_at
      from public.add_file(
        ${user_id}, ${file.file_id}, ${file.original_id}, ${file.file_name}, ${file.file_type}, ${file.size_bytes},
        ${file.storage_key}, ${file.page_count}, ${file.word_count},
        convert_from(${file.passages_json}::bytea, 'UTF8')::jsonb, ${pending_until},
        ${file.kind}, ${file.language}, ${file.width}, ${file.height}
      ) as result
    ), kept as (
      delete from public.erasures
      where kind = 'stored_file' and external_id = ${file.storage_key}
        and exists (select from added where outcome = 'added')
    )
    select * from added
  `.execute(database);
  return rows[0]!;
}

/** Deletes a file everywhere: see `delete_file` in schema/09_file_originals.sql. Returns whether there was one. */
export async function deleteFile(database: Database, user_id: string, original_id: string): Promise<boolean> {
  const { rows } = await sql<{ deleted: boolean }>`
    select public.delete_file(${user_id}, ${original_id}) as deleted
  `.execute(database);
  return rows[0]!.deleted;
}

/** Gives a file another name wherever it is used. Returns whether there was one. */
export async function renameFile(
  database: Database,
  user_id: string,
  original_id: string,
  file_name: string,
): Promise<boolean> {
  const { rows } = await sql<{ renamed: boolean }>`
    select public.rename_file(${user_id}, ${original_id}, ${file_name}) as renamed
  `.execute(database);
  return rows[0]!.renamed;
}

/** Keeps a chat's file in the library too, or takes it out again: `only_here` where no chat has it. */
export async function keepFile(
  database: Database,
  user_id: string,
  original_id: string,
  is_kept: boolean,
): Promise<'done' | 'missing' | 'only_here'> {
  const { rows } = await sql<{ outcome: 'done' | 'missing' | 'only_here' }>`
    select public.keep_file(${user_id}, ${original_id}, ${is_kept}) as outcome
  `.execute(database);
  return rows[0]!.outcome;
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

/** A member's file as it lies in the storage. */
export type StoredFile = {
  original_id: string;
  file_name: string;
  file_type: string;
  kind: FileKind;
  size_bytes: number;
  storage_key: string;
};

/** Where a use of a member's file lies, by the member's Auth id. */
export function findStoredFile(
  database: Database,
  auth_id: string,
  file_id: string,
): Promise<StoredFile | undefined> {
  return selectStoredFile(database, auth_id).where('chat_files.id', '=', file_id).executeTakeFirst();
}

/** The same by the original's id. Not one of a message that was not sent yet. */
export function findStoredOriginal(
  database: Database,
  auth_id: string,
  original_id: string,
): Promise<StoredFile | undefined> {
  return selectStoredFile(database, auth_id)
    .where('chat_files.original_id', '=', original_id)
    .where('chat_files.pending_until', 'is', null)
    .limit(1)
    .executeTakeFirst();
}

function selectStoredFile(database: Database, auth_id: string) {
  return database
    .selectFrom('chat_files')
    .innerJoin('profiles', 'profiles.id', 'chat_files.user_id')
    .innerJoin('file_originals', 'file_originals.id', 'chat_files.original_id')
    .select([
      'file_originals.id as original_id',
      'chat_files.file_name',
      'file_originals.file_type',
      sql<FileKind>`file_originals.kind`.as('kind'),
      'file_originals.size_bytes',
      'file_originals.storage_key',
    ])
    .where('profiles.auth_id', '=', auth_id)
    .where('profiles.is_deleted', '=', false);
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
