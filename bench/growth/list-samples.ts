import type pg from 'pg';

/** One chat of a member, and places to begin a page at. */
export type Sample = {
  auth_id: string;
  session_id: string;
  conversation_id: string;
  /** Among the member's chats, and in the chat. */
  chat_cursor: { updated_at: string; id: string };
  message_cursor: { created_at: string; id: string };
};

export type Of = 'any chat' | 'long chat';

/** Calls before the first one that counts, until PostgreSQL has chosen its plans. */
export const warm_up = 12;

/**
 * Chats in a filled database, at the most `count`: `any chat`, each of another member where there are enough of them; or
 * the longest, of the member with most chats, with pages that begin at another place in each sample.
 */
export async function listSamples(client: pg.PoolClient, of: Of, count: number): Promise<Sample[]> {
  const { rows } = await client.query<Sample>(of === 'any chat' ? anyChat : longChat, [count]);
  return rows;
}

const cursors = (chats_before: string, messages_before: string) => `
  (
    select json_build_object('updated_at', updated_at, 'id', id) from public.chat_sessions as other
    where other.user_id = chat.user_id order by updated_at desc, id desc offset ${chats_before} limit 1
  ) as chat_cursor,
  (
    select json_build_object('created_at', created_at, 'id', id) from public.chat_messages
    where session_id = chat.id order by created_at desc, id desc offset ${messages_before} limit 1
  ) as message_cursor`;

/**
 * Every tenth of them with files, as in the whole, whatever the others are: a chat with files costs more, and how many of them
 * were drawn would decide what nine in ten cost.
 */
const anyChat = `
  with shuffled as materialized (
    select id, user_id, thread_id, has_files,
      row_number() over (partition by has_files, user_id order by md5(thread_id)) as number
    from (
      select *, exists (select from public.chat_files where session_id = chat_sessions.id) as has_files
      from public.chat_sessions
      where user_id <> (select id from public.profiles where email = 'member-0@example.org')
    ) as chat
  ), ranked as (
    select *, case when has_files then 9 else 1 end
      * row_number() over (partition by has_files order by number, md5(thread_id)) as rank
    from shuffled
  )
  select profiles.auth_id, chat.id as session_id, chat.thread_id as conversation_id, ${cursors('9', '4')}
  from (select * from ranked order by rank, has_files limit $1) as chat
  join public.profiles on profiles.id = chat.user_id
  order by rank, has_files`;

const longChat = `
  select profiles.auth_id, chat.id as session_id, chat.thread_id as conversation_id,
    ${cursors('number', '51 + number * 10')}
  from public.profiles, generate_series(0, least($1, 32) - 1) as number, lateral (
    select * from public.chat_sessions
    where user_id = profiles.id
    order by (select count(*) from public.chat_messages where session_id = chat_sessions.id) desc limit 1
  ) as chat
  where profiles.email = 'member-0@example.org'`;
