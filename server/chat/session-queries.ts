import { sql } from 'kysely';
import type { FileKind } from '../files/file-types.ts';
import type { Citation } from '../knowledge/citation.ts';
import type { Database } from '../platform/database.ts';
import type { TurnState } from './queries.ts';

export type ChatSessionRow = {
  id: string;
  assistant_slug: string;
  title: string;
  created_at: string;
  updated_at: string;
};

/** The id of the open profile behind a sign-in, as SQL: every query on a person's rows filters by it. */
function ownerOf(auth_id: string) {
  return sql<string>`(select id from public.profiles where auth_id = ${auth_id} and not is_deleted)`;
}

const sessionColumns = ['id', 'assistant_slug', 'title', 'created_at', 'updated_at'] as const;

/** A member's chats, newest first, from the one after `after` on. */
export function listChatSessions(
  database: Database,
  auth_id: string,
  { limit, after }: { limit: number; after: { updated_at: string; id: string } | undefined },
): Promise<ChatSessionRow[]> {
  let query = database
    .selectFrom('chat_sessions')
    .select(sessionColumns)
    .where('user_id', '=', ownerOf(auth_id))
    .orderBy('updated_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit);
  if (after) {
    query = query.where(
      sql<boolean>`(updated_at, id) < (${after.updated_at}::timestamptz, ${after.id}::uuid)`,
    );
  }
  return query.execute();
}

export function findChatSession(
  database: Database,
  auth_id: string,
  id: string,
): Promise<ChatSessionRow | undefined> {
  // With "=" PostgreSQL would look for the id among all of the member's chats, in the sidebar's index.
  return database
    .selectFrom('chat_sessions')
    .select(sessionColumns)
    .where('id', '=', id)
    .where('user_id', 'is not distinct from', ownerOf(auth_id))
    .executeTakeFirst();
}

export function renameChatSession(
  database: Database,
  auth_id: string,
  id: string,
  title: string,
): Promise<ChatSessionRow | undefined> {
  return database
    .updateTable('chat_sessions')
    .set({ title })
    .where('id', '=', id)
    .where('user_id', '=', ownerOf(auth_id))
    .returning(sessionColumns)
    .executeTakeFirst();
}

/** Deletes a chat with its messages, files and turns; triggers note what is to be erased upstream. */
export async function deleteChatSession(database: Database, auth_id: string, id: string): Promise<boolean> {
  const { numDeletedRows } = await database
    .deleteFrom('chat_sessions')
    .where('id', '=', id)
    .where('user_id', '=', ownerOf(auth_id))
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

export type MessageRow = {
  id: string;
  sender: 'user' | 'assistant';
  content: string;
  created_at: string;
  turn_id: string | null;
  turn_status: TurnState | null;
  turn_error_code: string | null;
  turn_incomplete: boolean;
  turn_history_shortened: boolean;
  turn_files_missing: boolean;
  citations: Citation[];
  files: {
    id: string;
    file_name: string;
    file_size: number;
    file_type: string;
    created_at: string;
    kind: FileKind;
    width: number | null;
    height: number | null;
    deleted: boolean;
  }[];
};

/** A page of a chat's chosen messages, newest first, from the message before `before` on. */
export async function listMessages(
  database: Database,
  auth_id: string,
  session_id: string,
  { limit, before }: { limit: number; before: { created_at: string; id: string } | undefined },
): Promise<MessageRow[]> {
  const { rows } = await sql<MessageRow>`
    with page as materialized (
      select messages.*
      from public.chat_sessions as sessions
      join public.chat_messages as messages on messages.session_id = sessions.id
      where messages.is_chosen and sessions.id = ${session_id}
        -- As in findChatSession.
        and sessions.user_id is not distinct from ${ownerOf(auth_id)}
        ${before ? sql`and (messages.created_at, messages.id) < (${before.created_at}::timestamptz, ${before.id}::uuid)` : sql``}
      order by messages.created_at desc, messages.id desc
      limit ${limit}
    ),
    -- A turn is looked up once for its two messages.
    answered as materialized (
      select turns.*
      from (select distinct case sender when 'user' then id else parent_id end as id from page) as sent
      join public.turns on turns.user_message_id = sent.id
    )
    select page.id, page.sender, page.content, page.created_at, page.citations,
      turns.id as turn_id, turns.status as turn_status, turns.error_code as turn_error_code,
      coalesce(turns.incomplete, false) as turn_incomplete,
      coalesce(turns.history_shortened, false) as turn_history_shortened,
      coalesce(turns.files_missing, false) as turn_files_missing,
      case when page.has_files then (
        select coalesce(jsonb_agg(jsonb_build_object(
          'id', files.id, 'file_name', files.file_name, 'file_size', files.file_size,
          'file_type', files.file_type, 'created_at', files.created_at,
          -- Of one that was deleted its type tells what it was.
          'kind', coalesce(originals.kind, case when files.file_type like 'image/%' then 'image' else 'document' end),
          'width', originals.width, 'height', originals.height, 'deleted', files.deleted_at is not null
        ) order by files.created_at, files.id), '[]')
        from public.chat_files as files
        left join public.file_originals as originals on originals.id = files.original_id
        where files.message_id = page.id
      ) else '[]' end as files
    from page
    left join lateral (
      select * from answered
      where page.id = case page.sender when 'user' then answered.user_message_id else answered.assistant_message_id end
      order by answered.created_at desc
      limit 1
    ) as turns on true
    order by page.created_at desc, page.id desc
  `.execute(database);
  return rows;
}
