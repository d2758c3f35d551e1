import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { Document } from './queries.ts';

/** What has a store of its own: a chat, or a member's library (`session_id` null). */
export type Place = { user_id: string; session_id: string | null };

/** A place's store as a turn finds it. `revision`: counts how often it was made or added to. */
export type StoredVectorStore = {
  store_id: string;
  status: string;
  expires_at: string | null;
  revision: number;
  /** How often in a row it could not be made or added to. */
  attempts: number;
};

/** What OpenAI said of a store when it was used: it is gone or expired, or lacks files. */
export type Complaint = { store_id: string; revision: number; what: 'gone' | 'incomplete' };

/** How many of a place's files are ready while its store is made. */
export type Progress = { ready: number; total: number };

export type Claim =
  | { outcome: 'missing' | 'empty' }
  | { outcome: 'ready'; store_id: string; revision: number; documents: Document[] }
  | { outcome: 'put_off'; store_id: string | null; revision: number; documents: Document[] }
  | { outcome: 'busy'; files_ready: number; files_total: number }
  | {
      outcome: 'claimed';
      id: string;
      /** Null: it is to be made. */
      store_id: string | null;
      documents: Document[];
      /** What the store holds has to be looked up. */
      is_checked: boolean;
    };

/** Says what a place's store needs, and takes it on for 15 s: see `claim_vector_store` in schema/16_knowledge.sql. */
export async function claimVectorStore(
  database: Database,
  { user_id, session_id }: Place,
  {
    name,
    token,
    complaint,
    at_once,
  }: { name: string; token: string; complaint: Complaint | undefined; at_once: boolean },
): Promise<Claim> {
  const { rows } = await sql<{ claim: Claim }>`
    select public.claim_vector_store(
      ${user_id}, ${session_id}, ${name}, ${token}, ${complaint ? JSON.stringify(complaint) : null}::jsonb, ${at_once}
    ) as claim
  `.execute(database);
  return rows[0]!.claim;
}

/** A claim that is held: the row's id, and who holds it. */
export type Held = { id: string; token: string };

/**
 * Records the store that was made, or with null that it is gone and another has to be made. False when the claim is lost;
 * the new store is noted for erasure then.
 */
export async function recordVectorStore(
  database: Database,
  { id, token }: Held,
  store_id: string | null,
): Promise<boolean> {
  const { rows } = await sql<{ kept: boolean }>`
    select public.record_vector_store(${id}, ${token}, ${store_id}) as kept
  `.execute(database);
  return rows[0]!.kept;
}

/** What has become of documents, by the ids of their originals. `refused`: OpenAI's code for why it cannot index each. */
export type Advance = { indexed?: string[]; lost?: string[]; refused?: Record<string, string> };

/** Keeps a claim for another 15 s, and records how far it has come. False when it is lost. */
export async function advanceVectorStore(
  database: Database,
  { id, token }: Held,
  { indexed = [], lost = [], refused = {} }: Advance,
): Promise<boolean> {
  const { rows } = await sql<{ kept: boolean }>`
    select public.advance_vector_store(
      ${id}, ${token}, ${indexed}::uuid[], ${lost}::uuid[], ${JSON.stringify(refused)}
    ) as kept
  `.execute(database);
  return rows[0]!.kept;
}

/** Ends a claim. `done`: OpenAI keeps the store until then; `failed`: it is tried again later; `given_up`: at once. */
export async function finishVectorStore(
  database: Database,
  { id, token }: Held,
  end: { done: Date } | 'failed' | 'given_up',
): Promise<void> {
  const expires_at = typeof end === 'object' ? end.done.toISOString() : null;
  await sql`
    select public.finish_vector_store(${id}, ${token}, ${expires_at}, ${end === 'failed'})
  `.execute(database);
}

/** Deletes the row of a store that was never made: the upstream has no vector stores. */
export async function discardVectorStore(database: Database, { id, token }: Held): Promise<void> {
  await database
    .deleteFrom('vector_stores')
    .where('id', '=', id)
    .where('rebuild_token', '=', token)
    .where('store_id', 'like', 'new\\_%')
    .execute();
}

/** Notes that a file is about to be uploaded to OpenAI, so that it is found should nobody hear how that ended. */
export async function insertUpload(
  database: Database,
  upload: { name_hash: string; size_bytes: number },
): Promise<string> {
  const { id } = await database
    .insertInto('openai_uploads')
    .values(upload)
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Forgets an upload of which nothing is left at OpenAI. */
export async function deleteUpload(database: Database, id: string): Promise<void> {
  await database.deleteFrom('openai_uploads').where('id', '=', id).execute();
}

/**
 * Records under which id OpenAI holds a document; the id before it is noted for erasure by a trigger. False when the claim
 * is lost or the document was deleted; then the new one is noted.
 */
export async function recordOpenAIFile(
  database: Database,
  { id, token }: Held,
  {
    original_id,
    openai_file_id,
    upload_id,
  }: { original_id: string; openai_file_id: string; upload_id: string },
): Promise<boolean> {
  const { rows } = await sql<{ kept: boolean }>`
    select public.record_openai_file(${id}, ${token}, ${original_id}, ${openai_file_id}, ${upload_id}) as kept
  `.execute(database);
  return rows[0]!.kept;
}

/**
 * Places whose store is to be made now: an attempt failed a while ago, or its server has died; and libraries of which
 * nobody has taken on what came into them a minute ago.
 */
export async function listUnfinishedPlaces(database: Database, limit: number): Promise<Place[]> {
  const { rows } = await sql<Place>`
    (
      select user_id, session_id
      from public.vector_stores
      where (retry_at is not null or rebuild_lease_until is not null) and greatest(retry_at, rebuild_lease_until) <= now()
      order by greatest(retry_at, rebuild_lease_until)
      limit ${limit}
    )
    union all
    (
      select distinct files.user_id, null::uuid
      from public.chat_files as files
      join public.file_originals as originals on originals.id = files.original_id and originals.kind = 'document'
      where files.session_id is null and files.original_id is not null and files.pending_until is null
        and files.vector_store_id is null and files.index_error is null
        and files.created_at between now() - interval '1 day' and now() - interval '1 minute'
        and not exists (
          select from public.vector_stores as stores
          where stores.user_id = files.user_id and stores.is_library
            and (stores.rebuild_token is not null or stores.retry_at is not null)
        )
      limit ${limit}
    )
  `.execute(database);
  return rows;
}

/** Marks as expired the stores that OpenAI has kept for as long as it was asked to. Returns how many. */
export async function expireVectorStores(database: Database): Promise<number> {
  const { numUpdatedRows } = await database
    .updateTable('vector_stores')
    .set({ status: 'expired' })
    .where('status', '=', 'active')
    .where('rebuild_token', 'is', null)
    .where('expires_at', '<=', sql<string>`now()`)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

export type ActiveVectorStore = { id: string; store_id: string; revision: number };

/** Active stores by their row's id, after `after` (null: from the first one on). */
export async function listActiveVectorStores(
  database: Database,
  after: string | null,
  limit: number,
): Promise<ActiveVectorStore[]> {
  return await database
    .selectFrom('vector_stores')
    .select(['id', 'store_id', 'revision'])
    .where('status', '=', 'active')
    .where('rebuild_token', 'is', null)
    .$if(after !== null, (query) => query.where('id', '>', after!))
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** Marks a store as expired that OpenAI has lost, to be made anew soon. Not one that was made anew meanwhile. */
export async function loseVectorStore(
  database: Database,
  { id, store_id, revision }: ActiveVectorStore,
): Promise<void> {
  await database
    .updateTable('vector_stores')
    .set({ status: 'expired', retry_at: sql<string>`now()` })
    .where('id', '=', id)
    .where('store_id', '=', store_id)
    .where('revision', '=', revision)
    .where('rebuild_token', 'is', null)
    .execute();
}

/** Whether a row names a file at OpenAI. */
export async function isOpenAIFileUsed(database: Database, openai_file_id: string): Promise<boolean> {
  const row = await database
    .selectFrom('chat_files')
    .select('id')
    .where('openai_file_id', '=', openai_file_id)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Whether a row says that a store at OpenAI has a file. */
export async function isInVectorStore(
  database: Database,
  store_id: string,
  openai_file_id: string,
): Promise<boolean> {
  const row = await database
    .selectFrom('chat_files')
    .select('id')
    .where('vector_store_id', '=', store_id)
    .where('openai_file_id', '=', openai_file_id)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Whether a row names a store at OpenAI. */
export async function isVectorStoreUsed(database: Database, store_id: string): Promise<boolean> {
  const row = await database
    .selectFrom('vector_stores')
    .select('id')
    .where('store_id', '=', store_id)
    .executeTakeFirst();
  return row !== undefined;
}

/** This installation's id, as it marks what it makes at OpenAI. */
export async function getInstallationId(database: Database): Promise<string> {
  const { id } = await database.selectFrom('installation').select('id').executeTakeFirstOrThrow();
  return id;
}

/** Notes for erasure those of the stores or files at OpenAI that no row names. Returns how many that are. */
export async function noteOrphans(
  database: Database,
  kind: 'openai_vector_store' | 'openai_file',
  ids: string[],
): Promise<number> {
  const { rows } = await sql`
    select public.note_erasure(${kind}, held, null)
    from unnest(${ids}::text[]) as held
    where not exists (select from public.vector_stores where store_id = held)
      and not exists (select from public.chat_files where openai_file_id = held)
  `.execute(database);
  return rows.length;
}

export type Upload = { id: string; name_hash: string; size_bytes: number; started_at: string };

/** Uploads to OpenAI that began at least an hour ago and whose outcome nobody has heard, oldest first. */
export async function listLostUploads(database: Database, limit: number): Promise<Upload[]> {
  return await database
    .selectFrom('openai_uploads')
    .select(['id', 'name_hash', 'size_bytes', 'started_at'])
    .where('started_at', '<', sql<string>`now() - interval '1 hour'`)
    .orderBy('started_at')
    .limit(limit)
    .execute();
}
