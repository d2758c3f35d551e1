import pg from 'pg';

/** How ids are made: at random (version 4), or beginning with their time (version 7). */
type IdKind = 'random' | 'time';

type FillOptions = {
  messages: number;
  /** As the product makes them unless given: of chats and turns in the browser, of messages and passages in the database. */
  ids?: Ids;
};
export type Ids = { web: IdKind; messages: IdKind };

const turns_a_chat = 5;
const chats_a_member = 20;
/** Of one member; a tenth of all where that is less. */
const most_chats = 1_000;
/** The first chat is long: longer than what a model is told of one. */
const turns_of_long_chat = 200;
/**
 * So that a chat's rows lie on pages of their own, in both sizes: how near they are depends on how busy a service is, and
 * not on its size.
 */
const turns_apart = '4 days';
/** Percent. Rows that are changed again and again leave room on their pages. */
const fullness = 80;

/**
 * Fills an empty database with what a year of use leaves: `messages` in chats of 10, 20 chats a member and 1,000 of the
 * first one, a file or two in every tenth chat, every fiftieth turn failed. Rows are written in the order of their time
 * into tables that have their indexes, then vacuumed and analysed.
 */
export async function fillDatabase(url: string, options: FillOptions): Promise<void> {
  // Not a pool of the product's, which breaks a statement that takes minutes.
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('begin');
    for (const statement of settings) await client.query(statement);
    const ids = options.ids ?? { web: 'time', messages: 'time' };
    for (const statement of [...plan(options.messages, ids), ...rows(ids)]) await client.query(statement);
    await client.query('commit');
    await client.query('vacuum (analyze)');
  } finally {
    await client.end();
  }
}

const settings = [
  // Counts must not depend on when a vacuum runs by itself.
  ...['profiles', 'chat_sessions', 'chat_messages', 'chat_files', 'turns'].map(
    (table) => `alter table public.${table} set (autovacuum_enabled = false)`,
  ),
  ...['profiles', 'chat_sessions'].map(
    (table) => `alter table public.${table} set (fillfactor = ${fullness})`,
  ),
  // No triggers and no checks of foreign keys: what they would write is written here.
  'set local session_replication_role = replica',
  // A vacuum marks only pages whose rows are safely written as visible to all.
  'set local synchronous_commit = on',
  `set local work_mem = '256MB'`,
  'select setseed(0.5)',
];

/** The id of something that was made at `time`; `seed` is SQL too, and gives the random part. */
function id(kind: IdKind, time: string, seed: string) {
  if (kind === 'random') return `md5(${seed})::uuid`;
  const milliseconds = `lpad(to_hex((extract(epoch from ${time}) * 1000)::bigint), 12, '0')`;
  return `(${milliseconds} || '7' || left(md5(${seed}), 3) || '8' || right(md5(${seed}), 15))::uuid`;
}

/** What is to be written, in temporary tables. */
function plan(messages: number, ids: Ids): string[] {
  const chats = Math.ceil(messages / turns_a_chat / 2);
  const of_first = Math.min(most_chats, Math.max(60, Math.ceil(chats / 10)));
  const others = Math.ceil((chats - of_first) / chats_a_member);
  return [
    `create temporary table words on commit drop as
      select string_agg((array['slide', 'story', 'your', 'reader', 'wants', 'to', 'know', 'what', 'changed', 'and', 'why',
        'the', 'first', 'line', 'asks', 'a', 'question'])[1 + floor(random() * 17)::integer], ' ') as text
      from generate_series(1, 1000)`,
    `create temporary table members on commit drop as
      select n, md5('member' || n)::uuid as id, md5('auth' || n)::uuid as auth_id
      from generate_series(0, ${others}) as n`,
    `create temporary table chats on commit drop as
      select n, member_n, turns, apart, started_at, ${id(ids.web, 'started_at', `'chat' || n`)} as id
      from (
        select *, now() - (interval '365 days' - turns * apart) * (1 - random()) - turns * apart as started_at
        from (
          select *, least(interval '${turns_apart}', interval '300 days' / turns) as apart
          from (
            select n, case when n < ${of_first} then 0 else 1 + n % ${others} end as member_n,
              case when n = 0 then ${turns_of_long_chat} else ${turns_a_chat} end as turns
            from generate_series(0, ${chats - 1}) as n
          ) as chat
        ) as chat
      ) as chat`,
    `create temporary table planned on commit drop as
      select chat_n, ordinal, member_id, session_id, failed, has_files, sent_at, replied_at,
        ${id(ids.web, 'sent_at', `'turn' || chat_n || ',' || ordinal`)} as id,
        ${id(ids.messages, 'sent_at', `'message' || chat_n || ',' || ordinal`)} as user_message_id,
        ${id(ids.messages, 'replied_at', `'reply' || chat_n || ',' || ordinal`)} as assistant_message_id
      from (
        select *, sent_at + interval '5 seconds' + interval '35 seconds' * random() as replied_at
        from (
          select chats.n as chat_n, ordinal, members.id as member_id, chats.id as session_id, random() < 0.02 as failed,
            ordinal = 0 and chats.n % 10 = 3 as has_files, started_at + apart * (ordinal + random() / 2) as sent_at
          from chats join members on members.n = member_n cross join generate_series(0, turns - 1) as ordinal
        ) as turn
      ) as turn`,
    'analyze planned',
  ];
}

const rows = (ids: Ids): string[] => [
  `insert into auth.users (id, email, raw_user_meta_data)
    select auth_id, 'member-' || n || '@example.org', '{}' from members`,
  `insert into public.profiles (id, auth_id, email, user_name, email_confirmed, subscription_quota, created_at)
    select id, auth_id, 'member-' || n || '@example.org', 'Member ' || n, true,
      '{"messages": 100000, "files": 1000, "tokens": 100000000}', now() - interval '400 days'
    from members order by n`,
  `insert into public.chat_sessions
      (id, user_id, assistant_slug, thread_id, title, created_at, updated_at, conversation_message_id)
    select chats.id, member_id, 'carousel', 'conv_' || md5('conversation' || n),
      substr(text, 1 + n % 900, 20 + n % 40), started_at, replied_at, assistant_message_id
    from words, chats join planned on chat_n = n and ordinal = turns - 1
    order by started_at`,
  `insert into public.chat_messages (id, session_id, parent_id, sender, content, has_files, created_at)
    select id, session_id, parent_id, sender,
      substr(text, 1 + floor(random() * 900)::integer, 80 + floor(random() * 1420)::integer), has_files, created_at
    from words, (
      select user_message_id as id, session_id,
        lag(assistant_message_id) over (partition by chat_n order by ordinal) as parent_id,
        'user' as sender, has_files, sent_at as created_at, sent_at
      from planned
      union all
      select assistant_message_id, session_id, user_message_id, 'assistant', false, replied_at, sent_at from planned
      -- A reply beside its message, whatever others wrote meanwhile.
      order by sent_at, created_at offset 0
    ) as message`,
  `insert into public.turns (id, user_id, session_id, user_message_id, assistant_message_id, status, error_code,
      input_tokens, output_tokens, heartbeat_at, created_at, finished_at)
    select id, member_id, session_id, user_message_id, assistant_message_id, case when failed then 'failed' else 'done' end,
      case when failed then 'model_failed' end, 900, 200, replied_at, sent_at, replied_at
    from planned order by sent_at`,
  `create temporary table uploads on commit drop as
    select planned.*, number, md5('original' || chat_n || ',' || number)::uuid as original_id,
      'vs_' || md5('store' || chat_n) as store_id
    from planned cross join lateral generate_series(1, 1 + chat_n / 10 % 2) as number
    where has_files`,
  `insert into public.vector_stores (store_id, user_id, session_id, name, file_count, expires_at)
    select store_id, member_id, session_id, 'Files', count(*), now() + interval '30 days'
    from uploads group by 1, 2, 3 order by min(sent_at)`,
  `insert into public.file_originals (id, user_id, storage_key, size_bytes, file_type, word_count, created_at)
    select original_id, member_id, member_id || '/' || original_id, 20000, 'text/plain', 400, sent_at
    from uploads order by sent_at`,
  `insert into public.file_passages (id, original_id, ordinal, content, search)
    select ${id(ids.messages, 'sent_at', `'passage' || chat_n || ',' || number || ',' || place`)}, original_id, place, content,
      to_tsvector('english', content) || to_tsvector('simple', content)
    from words, (select * from uploads, generate_series(0, 2) as place order by sent_at, number, place offset 0) as passage,
      lateral (select substr(text, 1 + (chat_n * 7 + place * 100) % 3000, 800) as content) as cut`,
  `insert into public.chat_files (user_id, session_id, message_id, file_name, file_size, file_type, openai_file_id,
      vector_store_id, original_id, created_at)
    select member_id, session_id, user_message_id, 'notes-' || number || '.txt', 20000, 'text/plain',
      'file-' || md5('file' || chat_n || ',' || number), store_id, original_id, sent_at
    from uploads order by sent_at`,
  'alter table public.profiles reset (fillfactor)',
  'alter table public.chat_sessions reset (fillfactor)',
];
