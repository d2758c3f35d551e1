import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertMember } from '../testing/factories.ts';
import { openDatabase, type TestDatabase, testedVersions } from '../testing/open-database.ts';
import { deleteFile, keepFile, renameFile } from './queries.ts';

describe.each(testedVersions())('changing files in all their places, on PostgreSQL %i', (version) => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await openDatabase({ version });
  });
  afterAll(() => test.close());

  /** A file of 10 bytes: in the library, or in a draft. */
  async function addFile(user_id: string, { is_draft = false, size_bytes = 10, pool = test.pool } = {}) {
    const [file_id, original_id] = [randomUUID(), randomUUID()];
    const { rows } = await pool.query(
      `select public.add_file($1, $2, $3, 'notes.txt', 'text/plain', $4, $5, null, 1, '[]', $6) ->> 'outcome' as outcome`,
      [
        ...[user_id, file_id, original_id, size_bytes, `${user_id}/${original_id}`],
        is_draft ? '2999-01-01' : null,
      ],
    );
    return { file_id, original_id, outcome: rows[0].outcome as string };
  }

  async function addChat(user_id: string, original_id?: string, openai_file_id: string | null = null) {
    const { rows } = await test.pool.query(
      `insert into public.chat_sessions (user_id, assistant_slug) values ($1, 'carousel') returning id`,
      [user_id],
    );
    const session_id = rows[0].id as string;
    if (original_id) await addUse(test.pool, user_id, session_id, original_id, openai_file_id);
    return session_id;
  }

  function addUse(
    client: pg.Pool | pg.Client,
    user_id: string,
    session_id: string,
    original_id: string,
    openai_file_id: string | null = null,
  ) {
    return client.query(
      `insert into public.chat_files (user_id, session_id, file_name, file_size, file_type, original_id, openai_file_id)
       values ($1, $2, 'notes.txt', 10, 'text/plain', $3, $4)`,
      [user_id, session_id, original_id, openai_file_id],
    );
  }

  async function connect() {
    const client = new pg.Client({ connectionString: test.url });
    await client.connect();
    return client;
  }

  /** Until a statement that is under way waits for a lock. */
  async function untilBlocked() {
    for (;;) {
      const { rowCount } = await test.pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      if (rowCount) return;
      await delay(10);
    }
  }

  it('uploads at the limit of the storage, ten at once: exactly what fits goes in, and only that is counted', async () => {
    const { id } = await insertMember(test.pool, {
      subscription_quota: { messages: 0, files: 50, tokens: 0, storage_mb: 1 },
    });
    await addFile(id, { is_draft: true, size_bytes: 400_000 });
    const added = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        addFile(id, { size_bytes: 200_000, is_draft: index % 2 === 0 }),
      ),
    );
    expect(added.map(({ outcome }) => outcome).toSorted()).toEqual([
      ...Array(3).fill('added'),
      ...Array(7).fill('storage'),
    ]);
    const { rows } = await test.pool.query(
      `select subscription_usage ->> 'files' as files, public.storage_of(id) as storage,
         (select count(*)::int from public.chat_files where user_id = profiles.id) as uses
       from public.profiles where id = $1`,
      [id],
    );
    expect(rows[0]).toEqual({
      files: '4',
      storage: { used_bytes: 1_000_000, limit_bytes: 1_000_000 },
      uses: 4,
    });
  });

  it.each([
    [{ messages: 0, files: 5, tokens: 0 }, 'added'],
    [{ messages: 0, files: 5, tokens: 0, storage_mb: null }, 'added'],
    [{ messages: 0, files: 5, tokens: 0, storage_mb: 0 }, 'storage'],
    [{ messages: 0, files: 0, tokens: 0, storage_mb: 5 }, 'files'],
  ])('a quota of %o gives a file the outcome %s', async (subscription_quota, outcome) => {
    const { id } = await insertMember(test.pool, { subscription_quota });
    expect((await addFile(id)).outcome).toBe(outcome);
  });

  it('the limit is that of the plan at this moment, also where a grant has just run out', async () => {
    const { id } = await insertMember(test.pool);
    await test.pool.query(
      `insert into public.plans (slug, rank, quota) values ('free', 0, '{"files": 10, "storage_mb": 0}'), ('pro', 1, '{"files": 10}')
       on conflict (slug) do update set quota = excluded.quota`,
    );
    await test.pool.query(
      `update public.profiles set subscription_plan = 'pro', subscription_quota = '{"files": 10}', plan_ends_at = now() - interval '1 s' where id = $1`,
      [id],
    );
    expect((await addFile(id)).outcome).toBe('storage');
    await test.pool.query('delete from public.plans');
  });

  it('the last two chats of a file that are deleted at the same moment take it along', async () => {
    const { id } = await insertMember(test.pool);
    const { original_id, file_id } = await addFile(id);
    const openai_file_id = `file-${randomUUID()}`;
    const chats = [
      await addChat(id, original_id, openai_file_id),
      await addChat(id, original_id, openai_file_id),
    ];
    await test.pool.query('delete from public.chat_files where id = $1', [file_id]);
    const clients = [await connect(), await connect()];
    for (const client of clients) await client.query('begin');
    await clients[0]!.query('delete from public.chat_sessions where id = $1', [chats[0]]);
    const second = clients[1]!.query('delete from public.chat_sessions where id = $1', [chats[1]]);
    await untilBlocked();
    await clients[0]!.query('commit');
    await second;
    await clients[1]!.query('commit');
    for (const client of clients) await client.end();
    const { rows } = await test.pool.query(
      `select kind, (select count(*)::int from public.file_originals where id = $2) as originals
       from public.erasures where external_id in ($1, $3) order by kind`,
      [openai_file_id, original_id, `${id}/${original_id}`],
    );
    expect(rows).toEqual([
      { kind: 'openai_file', originals: 0 },
      { kind: 'stored_file', originals: 0 },
    ]);
  });

  it('a chat that takes the file while it is being deleted is locked too, and loses it', async () => {
    const { id } = await insertMember(test.pool);
    const { original_id } = await addFile(id);
    const session_id = await addChat(id);
    const [turn, deleting] = [await connect(), await connect()];
    // As begin_turn does: chat, profile, then the use.
    await turn.query('begin');
    await turn.query('select 1 from public.chat_sessions where id = $1 for no key update', [session_id]);
    await turn.query('select 1 from public.profiles where id = $1 for no key update', [id]);
    await deleting.query('begin');
    const deleted = deleting.query('select public.delete_file($1, $2) as deleted', [id, original_id]);
    await untilBlocked();
    await addUse(turn, id, session_id, original_id);
    await turn.query('commit');
    expect((await deleted).rows).toEqual([{ deleted: true }]);
    const locking = test.pool.query(
      'select 1 from public.chat_sessions where id = $1 for no key update nowait',
      [session_id],
    );
    await expect(locking).rejects.toMatchObject({ code: '55P03' });
    await deleting.query('commit');
    for (const client of [turn, deleting]) await client.end();
    const left = await test.pool.query('select 1 from public.chat_files where user_id = $1', [id]);
    expect(left.rowCount).toBe(0);
  });

  it('messages, chats that go, renaming, keeping and deleting at once: nothing locks up, and nothing is left', async () => {
    const { id } = await insertMember(test.pool, {
      subscription_quota: { messages: null, files: null, tokens: null },
    });
    const rounds = Array.from({ length: 12 });
    for (const _ of rounds) {
      const { original_id } = await addFile(id);
      const chats = await Promise.all([1, 2, 3].map(() => addChat(id, original_id, `file-${original_id}`)));
      await Promise.all([
        ...chats.map((chat) => test.pool.query('delete from public.chat_sessions where id = $1', [chat])),
        renameFile(test.database, id, original_id, 'other.txt'),
        keepFile(test.database, id, original_id, true),
        keepFile(test.database, id, original_id, false),
        deleteFile(test.database, id, original_id),
        deleteFile(test.database, id, original_id),
      ]);
      expect(await renameFile(test.database, id, original_id, 'other.txt')).toBe(false);
    }
    for (const table of ['chat_files', 'file_originals'])
      expect((await test.pool.query(`select 1 from public.${table} where user_id = $1`, [id])).rowCount).toBe(
        0,
      );
    const { rows } = await test.pool.query(
      `select kind, count(*)::int from public.erasures where user_id = $1 group by kind order by kind`,
      [id],
    );
    expect(rows).toEqual([
      { kind: 'openai_file', count: rounds.length },
      { kind: 'stored_file', count: rounds.length },
    ]);
  });

  it('nobody else’s file is renamed, kept or deleted', async () => {
    const [owner, stranger] = [await insertMember(test.pool), await insertMember(test.pool)];
    const { original_id, file_id } = await addFile(owner.id);
    await addChat(owner.id, original_id);
    expect(await renameFile(test.database, stranger.id, original_id, 'mine.txt')).toBe(false);
    expect(await keepFile(test.database, stranger.id, original_id, false)).toBe('missing');
    expect(await deleteFile(test.database, stranger.id, original_id)).toBe(false);
    const { rows } = await test.pool.query('select file_name from public.chat_files where id = $1', [
      file_id,
    ]);
    expect(rows).toEqual([{ file_name: 'notes.txt' }]);
  });

  it('a chat’s conversation at OpenAI goes with a file of it, and the chat stays where it is in the list', async () => {
    const { id } = await insertMember(test.pool);
    const { original_id } = await addFile(id);
    const chats = [await addChat(id, original_id), await addChat(id, original_id), await addChat(id)];
    const threads = chats.map((chat) => `conv_${chat}`);
    await test.pool.query(
      `update public.chat_sessions set thread_id = 'conv_' || id, conversation_message_id = gen_random_uuid() where id = any ($1)`,
      [chats],
    );
    const read = async () =>
      (
        await test.pool.query(
          'select id, thread_id, conversation_message_id, updated_at from public.chat_sessions where id = any ($1)',
          [chats],
        )
      ).rows.toSorted((one, other) => chats.indexOf(one.id) - chats.indexOf(other.id));
    const before = await read();
    // The second one is answering.
    const asked = await test.pool.query(
      `insert into public.chat_messages (session_id, sender, content) values ($1, 'user', 'Hello') returning id`,
      [chats[1]],
    );
    await test.pool.query(
      'insert into public.turns (id, user_id, session_id, user_message_id) values (gen_random_uuid(), $1, $2, $3)',
      [id, chats[1], asked.rows[0].id],
    );
    expect(await deleteFile(test.database, id, original_id)).toBe(true);
    const after = await read();
    expect(after.map(({ thread_id }) => thread_id)).toEqual([null, null, threads[2]]);
    expect(after.slice(0, 2).map((chat) => chat.conversation_message_id)).toEqual([null, null]);
    expect([after[0].updated_at, after[2].updated_at]).toEqual([before[0].updated_at, before[2].updated_at]);
    const { rows } = await test.pool.query(
      `select external_id, next_attempt_at > now() + interval '30 minutes' as later from public.erasures
       where external_id = any ($1)`,
      [threads],
    );
    expect(
      rows.toSorted((one, other) => threads.indexOf(one.external_id) - threads.indexOf(other.external_id)),
    ).toEqual([
      { external_id: threads[0], later: false },
      { external_id: threads[1], later: true },
    ]);
  });
});
