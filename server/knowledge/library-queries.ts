import { sql } from 'kysely';
import type { FileKind } from '../files/file-types.ts';
import type { StorageUse } from '../files/queries.ts';
import type { Database } from '../platform/database.ts';

/** How a file stands with the coaches; the later, the worse. */
export const libraryStates = ['ready', 'indexing', 'rebuilding', 'failed'] as const;

/** One of a member's files, wherever it is used. `id`: its original's. */
export type LibraryRow = {
  id: string;
  /** Its use in the library, which outlives the chats, else its latest: what a message can bring along. */
  file_id: string;
  file_name: string;
  file_size: number;
  file_type: string;
  kind: FileKind;
  created_at: string;
  pages: number | null;
  words: number;
  width: number | null;
  height: number | null;
  in_library: boolean;
  chats: { id: string; title: string | null }[];
  chat_count: number;
  state: (typeof libraryStates)[number];
  /** Where it failed: OpenAI cannot index it. Else its store could not be made for a while. */
  is_refused: boolean;
};

/** From this failure on a file that waits for its store has failed, though a job goes on trying. */
const hopeless_attempts = 3;
const most_chats = 20;

/**
 * What is shown of the originals that `page` selects. The state is the worst of a document's uses:
 *
 * - failed: OpenAI cannot index it, or the store that it is to go into could not be made three times in a row.
 * - rebuilding, indexing: it is not in its store, and somebody is at that or a job will be. A store that was ready before
 *   is being rebuilt.
 * - ready: all else. So is what nobody works at: a chat's store is made, and one that has expired is made anew, by the message
 *   that needs it, which waits for it. Where nothing is indexed elsewhere (`has_stores` is false) a file is ready at once.
 */
function describe(page: ReturnType<typeof sql>, has_stores: boolean) {
  return sql`
    select page.id, latest.id as file_id, latest.file_name, page.size_bytes as file_size, page.file_type, page.kind,
      page.created_at, page.page_count as pages, page.word_count as words, page.width, page.height,
      uses.in_library, uses.is_refused, (${[...libraryStates]}::text[])[uses.state] as state, held.chats, held.chat_count
    from (${page}) as page
    cross join lateral (
      select id, file_name from public.chat_files
      where original_id = page.id
      order by session_id is null desc, created_at desc, id desc
      limit 1
    ) as latest
    cross join lateral (
      select bool_or(files.session_id is null) as in_library, bool_or(files.index_error is not null) as is_refused,
        max(case
          when not ${has_stores}::boolean or page.kind <> 'document' then 1
          when files.index_error is not null then 4
          when stores.status = 'active' and files.vector_store_id = stores.store_id then 1
          when stores.retry_at is not null and stores.attempts >= ${hopeless_attempts} then 4
          when stores.rebuild_token is not null or stores.retry_at is not null
            then case when stores.status <> 'active' and stores.revision > 0 then 3 else 2 end
          -- A job looks after what has come into a library.
          when files.session_id is null and files.vector_store_id is null and files.created_at > now() - interval '1 day' then 2
          else 1
        end) as state
      from public.chat_files as files
      left join lateral (
        select * from public.vector_stores where session_id = files.session_id
        union all
        select * from public.vector_stores where files.session_id is null and user_id = files.user_id and is_library
        limit 1
      ) as stores on ${has_stores}::boolean
      where files.original_id = page.id
    ) as uses
    cross join lateral (
      select count(*) as chat_count,
        coalesce(
          jsonb_agg(jsonb_build_object('id', id, 'title', title) order by place) filter (where place <= ${most_chats}), '[]'
        ) as chats
      from (
        select id, title, row_number() over (order by updated_at desc, id desc) as place
        from public.chat_sessions
        where id in (select session_id from public.chat_files where original_id = page.id)
      ) as chats
    ) as held
  `;
}

/** The id of the open profile behind a sign-in: a value of its own, so that a page is read from the index in its order. */
function ownerOf(auth_id: string) {
  return sql`(select id from public.profiles where auth_id = ${auth_id} and not is_deleted)`;
}

/** Originals with their names; those of messages that were not sent yet are left out. */
const named_originals = sql`
  public.file_originals
  join lateral (
    select file_name from public.chat_files
    where original_id = file_originals.id and pending_until is null
    order by created_at desc, id desc
    limit 1
  ) as named on true
`;

/** One of a member's originals. */
function ownOriginal(auth_id: string, original_id: string) {
  // With "=" PostgreSQL would look for the id among all of the member's.
  return sql`
    select file_originals.* from ${named_originals}
    where file_originals.id = ${original_id} and file_originals.user_id is not distinct from ${ownerOf(auth_id)}
  `;
}

/**
 * A page of a member's files, the latest first, from the one after `after` on, with what they all weigh together.
 * `words`: what their names hold, in any case; `ids`: these alone. Undefined while there is no open profile.
 */
export async function listLibrary(
  database: Database,
  auth_id: string,
  {
    limit,
    after,
    words,
    ids,
    has_stores,
  }: {
    limit: number;
    after: { time: string; id: string } | undefined;
    words: string[];
    ids?: string[] | undefined;
    has_stores: boolean;
  },
): Promise<{ files: LibraryRow[]; storage: StorageUse } | undefined> {
  const patterns = words.map((word) => `%${word.replace(/[\\%_]/g, '\\$&')}%`);
  const page = sql`
    select file_originals.* from ${named_originals}
    where file_originals.user_id = ${ownerOf(auth_id)}
      ${after ? sql`and (file_originals.created_at, file_originals.id) < (${after.time}::timestamptz, ${after.id}::uuid)` : sql``}
      ${ids ? sql`and file_originals.id = any (${ids}::uuid[])` : sql``}
      ${patterns.length > 0 ? sql`and named.file_name ilike all (${patterns}::text[])` : sql``}
    order by file_originals.created_at desc, file_originals.id desc
    limit ${limit}
  `;
  const { rows } = await sql<{ storage: StorageUse } & (LibraryRow | { id: null })>`
    with member as materialized (
      select public.storage_of(id) as storage from public.profiles where auth_id = ${auth_id} and not is_deleted
    )
    select member.storage, files.* from member left join (${describe(page, has_stores)}) as files on true
    order by files.created_at desc, files.id desc
  `.execute(database);
  if (!rows[0]) return undefined;
  const files = rows.filter((row) => row.id !== null).map(({ storage, ...file }) => file);
  return { files, storage: rows[0].storage };
}

/** One of a member's files, by the Auth id and the original's id. */
export async function findLibraryFile(
  database: Database,
  auth_id: string,
  original_id: string,
  has_stores: boolean,
): Promise<LibraryRow | undefined> {
  const own = ownOriginal(auth_id, original_id);
  const { rows } = await sql<LibraryRow>`${describe(own, has_stores)}`.execute(database);
  return rows[0];
}

export type PreviewPassage = { ordinal: number; page: number | null; content: string };

/**
 * The beginning of a member's file: its first passages, of which the last begins within `most_characters`. Undefined when
 * there is no such file; `is_shortened`: it goes on.
 */
export async function findPreview(
  database: Database,
  auth_id: string,
  original_id: string,
  most_characters: number,
): Promise<{ passages: PreviewPassage[]; is_shortened: boolean } | undefined> {
  const { rows } = await sql<{ passages: PreviewPassage[]; is_shortened: boolean }>`
    select shown.passages,
      exists (
        select from public.file_passages
        where original_id = ${original_id} and ordinal > shown.last_ordinal
      ) as is_shortened
    from (${ownOriginal(auth_id, original_id)}) as own
    cross join lateral (
      select coalesce(jsonb_agg(jsonb_build_object('ordinal', ordinal, 'page', page, 'content', content) order by ordinal), '[]')
          as passages,
        max(ordinal) as last_ordinal
      from (
        select ordinal, page, content, sum(length(content)) over (order by ordinal) - length(content) as before
        -- Few are so short that more would fit.
        from (
          select * from public.file_passages where original_id = own.id order by ordinal limit 500
        ) as first_passages
      ) as counted
      where before < ${most_characters}
    ) as shown
  `.execute(database);
  return rows[0];
}
