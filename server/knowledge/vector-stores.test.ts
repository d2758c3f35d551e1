import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createDatabase, createPool } from '../platform/database.ts';
import { createLogger } from '../platform/logger.ts';
import { createOpenAIUpstream } from '../platform/models/openai-client.ts';
import { type FakeOpenAI, startFakeOpenAI } from '../testing/fake-openai/fake-openai.ts';
import { balanceExhausted, serverError } from '../testing/fake-openai/faults.ts';
import { readTurn } from '../testing/read-turn.ts';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';
import { installationMark } from './erase-orphans.ts';
import { knowledgeJobs } from './jobs.ts';
import { createVectorStores } from './vector-stores.ts';

const report = join(import.meta.dirname, '..', 'testing', 'fixtures', 'ridgeway-bakery-review.pdf');
const question = 'How many subscribers does the Wednesday sourdough subscription have?';

let openai: FakeOpenAI;
let server: Awaited<ReturnType<typeof startTestServer>>;
let pool: pg.Pool;

beforeAll(async () => {
  openai = await startFakeOpenAI({ token_delay_ms: 1 });
  server = await startTestServer({ OPENAI_API_KEY: openai.api_key, OPENAI_BASE_URL: openai.url });
  pool = new pg.Pool({ connectionString: server.database_url, max: 4 });
});
afterEach(() => openai.faults.clear());
afterAll(async () => {
  await pool.end();
  await server.stop();
  await openai.close();
});

const callsTo = (call: string) =>
  openai.requests.filter(({ method, path }) => `${method} ${path}` === call).length;

/** A chat whose one file is ready. */
async function openChat() {
  const sender = await server.signUp();
  const file = (await (await sender.upload(report)).json()) as { id: string };
  const session_id = randomUUID();
  await readTurn(await sender.send({ session_id, content: question, file_ids: [file.id] }));
  return { sender, session_id, file };
}

async function storeOf(session_id: string) {
  const { rows } = await pool.query('select * from public.vector_stores where session_id = $1', [session_id]);
  return rows[0];
}

const userOf = async (client: TestClient) =>
  (await pool.query('select id from public.profiles where email = $1', [client.email])).rows[0].id as string;

/** A file of a member's library, as an upload into it leaves it. */
async function addToLibrary(client: TestClient, word: string) {
  const [file_id, original_id, user_id] = [randomUUID(), randomUUID(), await userOf(client)];
  await pool.query(`select public.add_file($1, $2, $3, $4, 'text/plain', 50, $5, null, 9, $6, null)`, [
    user_id,
    file_id,
    original_id,
    `${word}.txt`,
    `${user_id}/${original_id}`,
    JSON.stringify([{ ordinal: 0, page: null, content: `The secret of ${word} is written nowhere else.` }]),
  ]);
  return { file_id, original_id };
}

/** Jobs as another process has them. */
async function withJobs<Result>(work: (run: (name: string) => Promise<void>) => Promise<Result>) {
  const logger = createLogger('silent');
  const database = createDatabase(createPool(server.database_url, 2, logger));
  const upstream = createOpenAIUpstream({
    api_key: openai.api_key,
    base_url: openai.url,
    model: undefined,
    store_days: 30,
    patience_ms: 45_000,
  });
  const mark = () => installationMark(database, server.url);
  const vector_stores = createVectorStores({ database, upstream, logger, mark });
  const jobs = knowledgeJobs({ database, upstream, vector_stores, mark, logger });
  try {
    return await work(async (name) => await jobs.find((job) => job.name === name)!.run());
  } finally {
    await vector_stores.stop();
    await database.destroy();
  }
}

describe('a store that cannot be made anew', () => {
  it('costs the files and not the reply, which says so; a job makes it ready', async () => {
    const { sender, session_id } = await openChat();
    openai.state.vectorStores.delete((await storeOf(session_id)).store_id);
    for (let attempt = 0; attempt < 2; attempt++) openai.faults.next('POST /v1/vector_stores', serverError());
    const { end, citations } = await readTurn(await sender.send({ session_id, content: question }));
    expect(end).toMatchObject({ event: 'end', data: { status: 'done', files_missing: true } });
    expect(citations).toEqual([]);
    const asked = openai.requests.findLast(({ path }) => path === '/v1/responses')!.body as any;
    expect(asked.tools).toBeUndefined();
    expect(asked.instructions).toContain('cannot be opened');
    const { messages } = await sender.json(`/api/chat-sessions/${session_id}/messages`);
    expect(messages.map((message: any) => message.files_missing)).toEqual([false, false, false, true]);
    const failed = await storeOf(session_id);
    expect(failed).toMatchObject({ status: 'expired', attempts: 1, rebuild_token: null });
    expect(failed.retry_at.getTime()).toBeGreaterThan(Date.now() + 50_000);

    await withJobs(async (run) => {
      await run('make_vector_stores');
      expect(await storeOf(session_id)).toMatchObject({ attempts: 1 });
      await pool.query('update public.vector_stores set retry_at = now() where session_id = $1', [
        session_id,
      ]);
      await run('make_vector_stores');
    });
    expect(await storeOf(session_id)).toMatchObject({
      status: 'active',
      attempts: 0,
      retry_at: null,
      expired_at: null,
    });
    const again = await readTurn(await sender.send({ session_id, content: question }));
    expect(again.citations.length).toBeGreaterThan(0);
    expect(again.end?.data.files_missing).toBeUndefined();
  });

  it('is left to the job when it has failed three times', async () => {
    const { sender, session_id } = await openChat();
    await pool.query(
      `update public.vector_stores set status = 'expired', attempts = 3, retry_at = now() + interval '4 minutes' where session_id = $1`,
      [session_id],
    );
    const before = callsTo('POST /v1/vector_stores');
    const { end } = await readTurn(await sender.send({ session_id, content: question }));
    expect(end).toMatchObject({ data: { status: 'done', files_missing: true } });
    expect(callsTo('POST /v1/vector_stores')).toBe(before);
  });

  it('waits longer after each failure, an hour at the most', async () => {
    const { session_id } = await openChat();
    const { id } = await storeOf(session_id);
    const waits: number[] = [];
    for (const attempts of [0, 1, 2, 3, 9, 40]) {
      const token = randomUUID();
      await pool.query(
        `update public.vector_stores set attempts = $2, rebuild_token = $3, rebuild_lease_until = now() where id = $1`,
        [id, attempts, token],
      );
      await pool.query('select public.finish_vector_store($1, $2, null, true)', [id, token]);
      const { rows } = await pool.query(
        `select round(extract(epoch from retry_at - now()) / 60)::int as minutes from public.vector_stores where id = $1`,
        [id],
      );
      waits.push(rows[0].minutes);
    }
    expect(waits).toEqual([1, 2, 4, 8, 60, 60]);
    await pool.query('update public.vector_stores set attempts = 0, retry_at = null where id = $1', [id]);
  });
});

describe('what OpenAI loses', () => {
  it('a file alone is uploaded again from our text before it is asked about, into the same store', async () => {
    const { sender, session_id } = await openChat();
    const { rows } = await pool.query('select openai_file_id from public.chat_files where session_id = $1', [
      session_id,
    ]);
    openai.state.files.delete(rows[0].openai_file_id);
    for (const store of openai.state.vectorStores.values()) store.files.delete(rows[0].openai_file_id);
    const { store_id } = await storeOf(session_id);
    const { events, citations, end } = await readTurn(await sender.send({ session_id, content: question }));
    expect(end).toMatchObject({ event: 'end', data: { status: 'done' } });
    expect(citations.length).toBeGreaterThan(0);
    expect(events.find(({ data }) => data.status === 'preparing_files')!.data).toMatchObject({ total: 1 });
    expect((await storeOf(session_id)).store_id).toBe(store_id);
  });

  it('an error about a store in the middle of a turn has it made anew, and the turn goes on', async () => {
    const { sender, session_id } = await openChat();
    const { store_id } = await storeOf(session_id);
    openai.faults.next('/v1/responses', {
      error_event: { code: 'server_error', message: 'Vector store with id is expired.' },
      after: 0,
    });
    const { citations, end } = await readTurn(await sender.send({ session_id, content: question }));
    expect(end).toMatchObject({ event: 'end', data: { status: 'done' } });
    expect(citations.length).toBeGreaterThan(0);
    expect((await storeOf(session_id)).store_id).not.toBe(store_id);
  });

  it('stores are found by the nightly job: the lost are made anew, the unused wait, and each row is true', async () => {
    const lost = await openChat();
    const unused = await openChat();
    openai.state.expireVectorStore((await storeOf(lost.session_id)).store_id);
    await pool.query(
      `update public.vector_stores set expires_at = now() - interval '1 s' where session_id = $1`,
      [unused.session_id],
    );
    await withJobs(async (run) => {
      await run('find_expired_vector_stores');
      for (const { session_id } of [lost, unused]) {
        expect(await storeOf(session_id)).toMatchObject({ status: 'expired', expired_at: expect.any(Date) });
      }
      await run('make_vector_stores');
    });
    expect(await storeOf(lost.session_id)).toMatchObject({ status: 'active', expired_at: null });
    expect(await storeOf(unused.session_id)).toMatchObject({ status: 'expired' });
    const { citations } = await readTurn(
      await unused.sender.send({ session_id: unused.session_id, content: question }),
    );
    expect(citations.length).toBeGreaterThan(0);
  });

  it('a store of ours that no row names is erased when it is an hour old; a stranger’s, and a young one, stay', async () => {
    const client = await createOpenAIUpstream({
      api_key: openai.api_key,
      base_url: openai.url,
      model: undefined,
      store_days: 30,
      patience_ms: 45_000,
    }).client();
    const database = createDatabase(createPool(server.database_url, 1, createLogger('silent')));
    const touchline = await installationMark(database, server.url);
    await database.destroy();
    const make = async (metadata: Record<string, string>, age_s: number) => {
      const { id } = await client.vectorStores.create({ name: 'a', metadata });
      openai.state.vectorStores.get(id)!.created_at -= age_s;
      return id;
    };
    const orphan = await make({ touchline }, 4_000);
    const young = await make({ touchline }, 0);
    const strange = await make({ touchline: 'another' }, 4_000);
    const { session_id } = await openChat();
    openai.state.vectorStores.get((await storeOf(session_id)).store_id)!.created_at -= 4_000;
    await withJobs((run) => run('find_orphans_upstream'));
    const noted = async () =>
      (await pool.query(`select external_id from public.erasures where kind = 'openai_vector_store'`)).rows;
    const ids = (await noted()).map(({ external_id }) => external_id);
    expect(ids).toContain(orphan);
    for (const id of [young, strange, (await storeOf(session_id)).store_id]) expect(ids).not.toContain(id);
    for (const id of [young, strange]) openai.state.vectorStores.delete(id);
  });
});

describe('a document that OpenAI cannot index', () => {
  /** From now on OpenAI refuses what is in its store under a name that begins so. */
  function refuse(name: string) {
    openai.faults.next(
      ({ method, path }) => {
        const [, store_id, file_id] = /^\/v1\/vector_stores\/([^/]+)\/files\/([^/]+)$/.exec(path) ?? [];
        const file = openai.state.vectorStores.get(store_id ?? '')?.files.get(file_id ?? '');
        if (method !== 'GET' || !file || !openai.state.files.get(file_id!)?.filename.startsWith(name))
          return false;
        Object.assign(file, { status: 'failed', last_error: { code: 'unsupported_file', message: 'x' } });
        return false;
      },
      { hang: true },
    );
  }

  it('is left out of the store, which has the others; its row says why', async () => {
    const sender = await server.signUp();
    const { file_id } = await addToLibrary(sender, 'Hexton');
    await addToLibrary(sender, 'Ilmouth');
    refuse('Hexton');
    for (let turn = 0; turn < 2; turn++) {
      const { text, end } = await readTurn(await sender.send({ content: 'What is the secret of Ilmouth?' }));
      expect(end).toMatchObject({ event: 'end', data: { status: 'done' } });
      expect(end?.data.files_missing).toBeUndefined();
      expect(text).toContain('written nowhere else');
    }
    const { rows } = await pool.query(
      'select index_error, vector_store_id from public.chat_files where id = $1',
      [file_id],
    );
    expect(rows).toEqual([{ index_error: 'unsupported_file', vector_store_id: null }]);
  });

  it('fails the message that brings it, uncounted, and is tried again with the next one that does', async () => {
    const sender = await server.signUp();
    const { file_id } = await addToLibrary(sender, 'Jerrow');
    refuse('Jerrow');
    const session_id = randomUUID();
    const { end } = await readTurn(
      await sender.send({ session_id, content: 'Read this', file_ids: [file_id] }),
    );
    expect(end).toMatchObject({ event: 'error', data: { code: 'model_failed', counted: false } });
    expect(end!.data.detail).toContain('another format');
    openai.faults.clear();
    const { messages } = await sender.json(`/api/chat-sessions/${session_id}/messages`);
    const again = await readTurn(
      await sender.send({ session_id, content: '', repeats_message_id: messages[0].id }),
    );
    expect(again.end).toMatchObject({ event: 'end', data: { status: 'done' } });
  });
});

it('turns, new files, deletions and failing stores at once never deadlock', async () => {
  const sender = await server.signUp();
  const user_id = await userOf(sender);
  await pool.query(
    `update public.profiles set subscription_quota = '{"messages": null, "files": null, "tokens": null}' where id = $1`,
    [user_id],
  );
  await addToLibrary(sender, 'Gorsley');
  const chats = await Promise.all([1, 2, 3].map(() => insertEmptyChat(sender)));
  const rounds = Array.from({ length: 8 });
  const ends: any[] = [];
  await Promise.all([
    ...chats.map(async (session_id) => {
      for (const _ of rounds) {
        const { file_id } = await addToLibrary(sender, `Place${randomUUID().slice(0, 8)}`);
        const answer = await sender.send({
          session_id,
          content: 'What is the secret of Gorsley?',
          file_ids: [file_id],
        });
        // It may have been deleted in between: then it is refused, or the turn says so.
        if (answer.ok) ends.push((await readTurn(answer)).end);
      }
    }),
    (async () => {
      for (const index of Array.from({ length: 24 }).keys()) {
        await pool.query(
          `select public.delete_file(user_id, original_id) from (select user_id, original_id from public.chat_files
             where user_id = $1 and file_name like 'Place%' and deleted_at is null order by random() limit 1) as one`,
          [user_id],
        );
        const { rows } = await pool.query(
          'select store_id from public.vector_stores where user_id = $1 order by random() limit 1',
          [user_id],
        );
        // So often in all that no turn gives its files up for it.
        if (rows[0] && index % 8 === 7) openai.state.vectorStores.delete(rows[0].store_id);
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    })(),
  ]);
  expect(ends.length).toBeGreaterThan(0);
  const codes = ends.filter(({ event }) => event === 'error').map(({ data }) => data.code);
  expect(codes).toEqual([]);
  // After three failures in a row turns leave a store to the job: as if its time had come.
  await pool.query('update public.vector_stores set attempts = 0, retry_at = null where user_id = $1', [
    user_id,
  ]);
  const { text } = await readTurn(await sender.send({ content: 'What is the secret of Gorsley?' }));
  expect(text).toContain('written nowhere else');
  const { rows } = await pool.query(
    'select deadlocks::int from pg_stat_database where datname = current_database()',
  );
  expect(rows[0].deadlocks).toBe(0);
}, 60_000);

describe('the library', () => {
  it('is searched in every chat, with one store for all, whose end of life follows its use', async () => {
    const sender = await server.signUp();
    await addToLibrary(sender, 'Aldermoor');
    const before = callsTo('POST /v1/vector_stores');
    for (let chat = 0; chat < 2; chat++) {
      const { text, citations } = await readTurn(
        await sender.send({ content: 'What is the secret of Aldermoor?' }),
      );
      expect(text).toContain('written nowhere else');
      expect(citations).toMatchObject([{ file_name: 'Aldermoor.txt', page: null }]);
      if (chat === 0)
        await pool.query(
          `update public.vector_stores set expires_at = now() + interval '1 day' where is_library and user_id = $1`,
          [await userOf(sender)],
        );
    }
    expect(callsTo('POST /v1/vector_stores')).toBe(before + 1);
    const { rows } = await pool.query(
      `select round(extract(epoch from expires_at - now()) / 86400)::int as days, file_count, session_id from public.vector_stores where user_id = $1`,
      [await userOf(sender)],
    );
    expect(rows).toEqual([{ days: 30, file_count: 1, session_id: null }]);
  });

  it('a file of it that is given with a message stays in it, and is one file at OpenAI', async () => {
    const sender = await server.signUp();
    const { file_id, original_id } = await addToLibrary(sender, 'Brackwater');
    const session_id = randomUUID();
    const { citations } = await readTurn(
      await sender.send({ session_id, content: 'What is the secret of Brackwater?', file_ids: [file_id] }),
    );
    expect(citations.length).toBeGreaterThan(0);
    const { rows } = await pool.query(
      'select session_id, message_id is null as in_library from public.chat_files where original_id = $1 order by 2',
      [original_id],
    );
    expect(rows).toEqual([
      { session_id, in_library: false },
      { session_id: null, in_library: true },
    ]);
    // Deleting the chat leaves it in the library.
    await sender.fetch(`/api/chat-sessions/${session_id}`, { method: 'DELETE' });
    const again = await readTurn(await sender.send({ content: 'What is the secret of Brackwater?' }));
    expect(again.text).toContain('written nowhere else');
  });

  it('a deleted file is gone everywhere; the chat keeps a note of it, and other files stay', async () => {
    const sender = await server.signUp();
    const kept = await addToLibrary(sender, 'Cinderford');
    const { file_id, original_id } = await addToLibrary(sender, 'Dunmarsh');
    const session_id = randomUUID();
    await readTurn(
      await sender.send({ session_id, content: 'What is the secret of Dunmarsh?', file_ids: [file_id] }),
    );
    const uses = await pool.query('select openai_file_id from public.chat_files where original_id = $1', [
      original_id,
    ]);
    const { rows } = await pool.query('select public.delete_file($1, $2) as deleted', [
      await userOf(sender),
      original_id,
    ]);
    expect(rows[0].deleted).toBe(true);
    const { messages } = await sender.json(`/api/chat-sessions/${session_id}/messages`);
    expect(messages[0].files).toMatchObject([{ file_name: 'Dunmarsh.txt', deleted: true }]);
    for (const table of ['file_originals where id', 'file_passages where original_id'])
      expect((await pool.query(`select 1 from public.${table} = $1`, [original_id])).rows).toEqual([]);
    const noted = await pool.query(
      'select kind from public.erasures where external_id = any ($1) order by 1',
      [[...uses.rows.map((row) => row.openai_file_id), `${await userOf(sender)}/${original_id}`]],
    );
    expect(noted.rows.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['stored_file']));
    // Deleting a chat wakes the job that erases.
    await sender.fetch(`/api/chat-sessions/${await insertEmptyChat(sender)}`, { method: 'DELETE' });
    await vi.waitFor(
      () => expect(uses.rows.some((row) => openai.state.files.has(row.openai_file_id))).toBe(false),
      {
        timeout: 15_000,
        interval: 100,
      },
    );
    const after = await readTurn(
      await sender.send({ session_id, content: 'What is the secret of Dunmarsh?' }),
    );
    expect(after.end).toMatchObject({ data: { status: 'done' } });
    expect(after.citations.filter(({ file_name }) => file_name === 'Dunmarsh.txt')).toEqual([]);
    const other = await readTurn(
      await sender.send({ session_id, content: 'What is the secret of Cinderford?' }),
    );
    expect(other.citations[0]).toMatchObject({ file_name: 'Cinderford.txt', file_id: kept.file_id });
    expect(
      (await pool.query('select public.delete_file($1, $2) as deleted', [await userOf(sender), original_id]))
        .rows[0].deleted,
    ).toBe(false);
  });

  it('nobody else’s file is deleted, renamed, or given with a message', async () => {
    const owner = await server.signUp();
    const { file_id, original_id } = await addToLibrary(owner, 'Eastmere');
    const stranger = await server.signUp();
    const id = await userOf(stranger);
    const { rows } = await pool.query(
      `select public.delete_file($1, $2) as deleted, public.rename_file($1, $2, 'mine.txt') as renamed`,
      [id, original_id],
    );
    expect(rows[0]).toEqual({ deleted: false, renamed: false });
    expect((await stranger.send({ content: 'Read this', file_ids: [file_id] })).status).toBe(404);
    const { text } = await readTurn(await stranger.send({ content: 'What is the secret of Eastmere?' }));
    expect(text).not.toContain('written nowhere else');
  });

  it('a file has its new name wherever it is used', async () => {
    const sender = await server.signUp();
    const { file_id, original_id } = await addToLibrary(sender, 'Fairhythe');
    await readTurn(await sender.send({ content: 'Read this', file_ids: [file_id] }));
    await pool.query(`select public.rename_file($1, $2, 'harbour.txt')`, [await userOf(sender), original_id]);
    const { rows } = await pool.query('select file_name from public.chat_files where original_id = $1', [
      original_id,
    ]);
    expect(rows).toEqual([{ file_name: 'harbour.txt' }, { file_name: 'harbour.txt' }]);
  });
});

it('a balance that is used up while files are made ready is told, when the files came with the message', async () => {
  const sender = await server.signUp();
  const file = (await (await sender.upload(report)).json()) as { id: string };
  openai.faults.next('POST /v1/vector_stores', balanceExhausted());
  openai.faults.next('POST /v1/vector_stores', balanceExhausted());
  const { end } = await readTurn(await sender.send({ content: question, file_ids: [file.id] }));
  expect(end).toMatchObject({ event: 'error', data: { code: 'model_balance_exhausted', counted: false } });
});

async function insertEmptyChat(client: TestClient) {
  const session_id = randomUUID();
  await pool.query(
    `insert into public.chat_sessions (id, user_id, assistant_slug) values ($1, $2, 'carousel')`,
    [session_id, await userOf(client)],
  );
  return session_id;
}
