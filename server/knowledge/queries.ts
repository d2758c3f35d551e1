import { sql } from 'kysely';
import { unspacedWords } from '../files/unspaced-words.ts';
import type { Database } from '../platform/database.ts';
import type { Passage } from '../platform/models/model.ts';

/** A passage that fits much worse than the best one is noise. */
const least_share_of_best = 0.4;

/**
 * The passages of one chat's files, and with `with_library` of the member's library, that fit a query best, best first; by
 * PostgreSQL's full-text search, in the word forms of the files' languages and in every language's words as they stand. A
 * passage counts for the query's words that it holds, rare ones more (inverse document frequency over these passages).
 * `limit`: at the most.
 */
export async function searchPassages(
  database: Database,
  {
    user_id,
    session_id,
    with_library = false,
    query,
    limit,
  }: { user_id: string; session_id: string; with_library?: boolean; query: string; limit: number },
): Promise<Passage[]> {
  const { rows } = await sql<Passage>`
    with files as (
      -- A file that is in the chat and in the library is the chat's.
      select distinct on (uses.original_id) uses.*, originals.language
      from public.chat_files as uses
      join public.file_originals as originals on originals.id = uses.original_id
      where uses.user_id = ${user_id} and (
        uses.session_id = ${session_id}
        or ${with_library} and uses.session_id is null and uses.pending_until is null
      )
      order by uses.original_id, uses.session_id nulls last, uses.created_at desc, uses.id
    ),
    languages as materialized (
      select distinct ('pg_catalog.' || language)::regconfig as language from files where language <> 'simple'
    ),
    wanted as (
      select lexeme from languages, unnest(to_tsvector(language, ${query}::text))
      union
      -- Words of other languages; what is left out as too common in the files' or in English is left out here too.
      select lexeme from unnest(to_tsvector('simple', ${query}::text))
      where length(lexeme) > 3 and to_tsvector('english', lexeme) <> ''
        and not exists (select from languages where to_tsvector(language, lexeme) = '')
      union
      select unnest(${unspacedWords(query)}::text[])
    ),
    passages as (
      select passages.id, passages.ordinal, passages.page, passages.content, passages.search,
        files.id as file_id, files.file_name, files.created_at
      from files join public.file_passages as passages on passages.original_id = files.original_id
    ),
    hits as (
      select passages.id, passages.file_id, wanted.lexeme
      from passages join wanted on passages.search @@ quote_literal(wanted.lexeme)::tsquery
    ),
    weights as (
      select lexeme, ln(1 + (select count(*) from passages)::float / count(*)) as weight from hits group by lexeme
    ),
    scores as (
      select hits.id, hits.file_id, sum(weights.weight) as score
      from hits join weights using (lexeme)
      group by hits.id, hits.file_id
    )
    select passages.id as passage_id, passages.file_id, passages.file_name, passages.page, passages.content
    from scores join passages using (id, file_id)
    where score >= ${least_share_of_best} * (select max(score) from scores)
    order by score desc, passages.created_at desc, passages.ordinal
    limit ${limit}
  `.execute(database);
  return rows;
}

export type PassageText = { passage_id: string; page: number | null; content: string };

/** The words by which a long file's passages are sifted, and how many are left then to be compared by all words. */
const telling_words = 64;
const sifted_passages = 60;

/**
 * The passages of one file of a member that a retrieved text most likely holds, in their order, `limit` at the most:
 * those with the largest part of their words in it and, among these, with most of what the reply `said`. Works on the
 * stored vectors: first by the longest words of the retrieved text, which are its rare ones, then by all of them;
 * 5,500 passages (5 MB) take 0.15 s in PostgreSQL 17, all words of all passages 0.6 s.
 */
export async function listLikelyPassages(
  database: Database,
  {
    user_id,
    file_id,
    retrieved,
    said,
    limit,
  }: { user_id: string; file_id: string; retrieved: string; said: string; limit: number },
): Promise<PassageText[]> {
  const { rows } = await sql<PassageText>`
    with wanted as materialized (
      select
        tsvector_to_array(to_tsvector('english', ${retrieved}) || to_tsvector('simple', ${retrieved}))
          || ${unspacedWords(retrieved)}::text[] as retrieved,
        tsvector_to_array(to_tsvector('english', ${said}) || to_tsvector('simple', ${said}))
          || ${unspacedWords(said)}::text[] as said
    ),
    telling as materialized (
      select array(
        select word from wanted, unnest(retrieved) as word order by length(word) desc, word limit ${telling_words}
      ) as words
    ),
    -- What is left of a vector without the wanted words tells how many of them it holds.
    sifted as (
      select passages.id, passages.ordinal, passages.page, passages.content, passages.search, counts.own
      from public.chat_files as files
      join public.file_passages as passages on passages.original_id = files.original_id
      cross join telling
      cross join lateral (
        select length(vector)::float as own, length(ts_delete(vector, telling.words)) as others
        -- Unpacked once: each use of a long stored value unpacks it anew.
        from (select passages.search || ''::tsvector as vector offset 0) as unpacked
      ) as counts
      where files.id = ${file_id} and files.user_id = ${user_id}
      order by (own - others) / sqrt(greatest(own, 1)) desc, passages.ordinal
      limit ${sifted_passages}
    ),
    likely as (
      select id, ordinal, page, content
      from sifted cross join wanted
      order by
        (own - length(ts_delete(search, retrieved))) / greatest(own, 1)
          + (own - length(ts_delete(search, said))) / greatest(cardinality(said), 1) desc,
        ordinal
      limit ${limit}
    )
    select id as passage_id, page, content from likely order by ordinal
  `.execute(database);
  return rows;
}

/** One passage of a member's file with its neighbours' text. */
export async function findPassage(database: Database, auth_id: string, file_id: string, passage_id: string) {
  const { rows } = await sql<Passage & { before: string | null; after: string | null }>`
    select passages.id as passage_id, files.id as file_id, files.file_name, passages.page, passages.content,
      before.content as before, after.content as after
    from public.chat_files as files
    join public.profiles on profiles.id = files.user_id and not profiles.is_deleted
    join public.file_passages as passages on passages.original_id = files.original_id
    left join public.file_passages as before
      on before.original_id = passages.original_id and before.ordinal = passages.ordinal - 1
    left join public.file_passages as after
      on after.original_id = passages.original_id and after.ordinal = passages.ordinal + 1
    where files.id = ${file_id} and passages.id = ${passage_id} and profiles.auth_id = ${auth_id}
  `.execute(database);
  return rows[0];
}

/** A document of a chat or of a library as the model's upstream knows it. */
export type Document = {
  file_id: string;
  original_id: string;
  file_name: string;
  openai_file_id: string | null;
  vector_store_id: string | null;
  /** OpenAI's code for why it cannot index the document; null: it can, or was not asked. */
  index_error: string | null;
};

/** The documents of a member's library. */
export async function listLibraryDocuments(
  database: Database,
  user_id: string,
): Promise<(Document & { is_new: boolean })[]> {
  const { rows } = await sql<{ documents: (Document & { is_new: boolean })[] }>`
    select public.place_documents(${user_id}, null) as documents
  `.execute(database);
  return rows[0]!.documents;
}

/** A document's whole text, as OpenAI's store gets it. */
export async function getDocumentText(
  database: Database,
  user_id: string,
  original_id: string,
): Promise<string> {
  const passages = await database
    .selectFrom('file_passages')
    .innerJoin('file_originals', 'file_originals.id', 'file_passages.original_id')
    .select('content')
    .where('file_originals.id', '=', original_id)
    .where('file_originals.user_id', '=', user_id)
    .orderBy('ordinal')
    .execute();
  return passages.map((passage) => passage.content).join('\n\n');
}
