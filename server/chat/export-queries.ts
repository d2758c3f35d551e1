import { sql } from 'kysely';
import type { Citation } from '../knowledge/citation.ts';
import type { Database } from '../platform/database.ts';
import type { ChatSessionRow } from './session-queries.ts';

export async function countChatSessions(database: Database, user_id: string): Promise<number> {
  const { count } = await database
    .selectFrom('chat_sessions')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('user_id', '=', user_id)
    .executeTakeFirstOrThrow();
  return count;
}

export type ExportedChat = ChatSessionRow & {
  /** OpenAI's conversation. */
  thread_id: string | null;
};

/** A page of a member's chats by their ids, from the one after `after` on. */
export function listExportedChats(
  database: Database,
  user_id: string,
  { after, limit }: { after: string | undefined; limit: number },
): Promise<ExportedChat[]> {
  let query = database
    .selectFrom('chat_sessions')
    .select(['id', 'assistant_slug', 'title', 'thread_id', 'created_at', 'updated_at'])
    .where('user_id', '=', user_id)
    .orderBy('id')
    .limit(limit);
  if (after) query = query.where('id', '>', after);
  return query.execute();
}

export type ExportedMessage = {
  id: string;
  parent_id: string | null;
  sender: 'user' | 'assistant';
  content: string;
  /** False: another message or reply took its place. */
  is_chosen: boolean;
  created_at: string;
  citations: Citation[];
  files: {
    file_name: string;
    file_size: number;
    file_type: string;
    original_id: string | null;
    deleted: boolean;
  }[];
  /** What came of the message, or how the reply came about; the last one where there were several. */
  turn: {
    id: string;
    status: string;
    error_code: string | null;
    incomplete: boolean;
    history_shortened: boolean;
    input_tokens: number;
    cached_tokens: number;
    output_tokens: number;
    created_at: string;
    finished_at: string | null;
  } | null;
};

/** Everything that was said in one chat of a member, in the order of time, also what left the line. */
export async function listExportedMessages(
  database: Database,
  user_id: string,
  session_id: string,
): Promise<ExportedMessage[]> {
  const { rows } = await sql<ExportedMessage>`
    select messages.id, messages.parent_id, messages.sender, messages.content, messages.is_chosen,
      messages.created_at, messages.citations,
      case when messages.has_files then (
        select coalesce(jsonb_agg(jsonb_build_object(
          'file_name', files.file_name, 'file_size', files.file_size, 'file_type', files.file_type,
          'original_id', files.original_id, 'deleted', files.deleted_at is not null
        ) order by files.created_at, files.id), '[]')
        from public.chat_files as files
        where files.message_id = messages.id
      ) else '[]' end as files,
      (
        select to_jsonb(turns) - array[
          'user_id', 'session_id', 'user_message_id', 'assistant_message_id', 'former_reply_id', 'reply',
          'stop_requested_at', 'followed_at', 'heartbeat_at'
        ]
        from public.turns
        where case messages.sender
          when 'user' then turns.user_message_id = messages.id else turns.assistant_message_id = messages.id
        end
        order by turns.created_at desc
        limit 1
      ) as turn
    from public.chat_sessions as sessions
    join public.chat_messages as messages on messages.session_id = sessions.id
    where sessions.id = ${session_id} and sessions.user_id = ${user_id}
    order by messages.created_at, messages.id
  `.execute(database);
  return rows;
}
