import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { createDatabase, createPool } from '../platform/database.ts';
import { createLogger } from '../platform/logger.ts';
import { createOpenAIUpstream } from '../platform/models/openai-client.ts';
import { countRoundTrips } from '../testing/count-round-trips.ts';
import { type FakeOpenAI, startFakeOpenAI } from '../testing/fake-openai/fake-openai.ts';
import { serverError } from '../testing/fake-openai/faults.ts';
import { addToLibrary, sendWithFile } from '../testing/library-client.ts';
import { readAlong, readTurn } from '../testing/read-turn.ts';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';
import { cloneTemplate } from '../testing/test-postgres.ts';
import { installationMark } from './erase-orphans.ts';
import { knowledgeJobs } from './jobs.ts';
import { createVectorStores } from './vector-stores.ts';

const fixtures = join(import.meta.dirname, '..', 'testing', 'fixtures');
const waiting = { timeout: 15_000, interval: 50 };

let openai: FakeOpenAI;
let counted: Awaited<ReturnType<typeof countRoundTrips>>;
let server: Awaited<ReturnType<typeof startTestServer>>;
let pool: pg.Pool;

beforeAll(async () => {
  openai = await startFakeOpenAI({ token_delay_ms: 1 });
  counted = await countRoundTrips(await cloneTemplate(inject('admin_url')), 'touchline');
  server = await startTestServer({
    DATABASE_URL: counted.url,
    OPENAI_API_KEY: openai.api_key,
    OPENAI_BASE_URL: openai.url,
  });
  pool = new pg.Pool({ connectionString: server.database_url, max: 4 });
});
afterEach(() => openai.faults.clear());
afterAll(async () => {
  await pool.end();
  await server.stop();
  counted.close();
  await openai.close();
});

const userOf = async (member: TestClient) =>
  (await pool.query('select id from public.profiles where email = $1', [member.email])).rows[0].id as string;
const stateOf = async (member: TestClient, id: string) => (await member.json(`/api/library/${id}`)).state;
const untilReady = (member: TestClient, id: string) =>
  vi.waitFor(async () => expect(await stateOf(member, id)).toBe('ready'), waiting);

/** The files that OpenAI's store of a library or a chat holds. */
async function heldBy(member: TestClient, session_id: string | null = null) {
  const { rows } = await pool.query(
    'select store_id from public.vector_stores where user_id = $1 and session_id is not distinct from $2::uuid',
    [await userOf(member), session_id],
  );
  const held = openai.state.vectorStores.get(rows[0]?.store_id)?.files.keys() ?? [];
  return [...held].map((id) => openai.state.files.get(id)?.filename);
}

async function change(table: string, key: string, id: string, values: object) {
  const columns = Object.keys(values).map((column, index) => `${column} = $${index + 2}`);
  if (columns.length === 0) return;
  await pool.query(`update public.${table} set ${columns.join(', ')} where ${key} = $1`, [
    id,
    ...Object.values(values),
  ]);
}

const secret = (word: string) => `The secret of ${word} is written nowhere else.`;

describe('a file of the library, with OpenAI', () => {
  it('is made ready without a message, also one of many that come at once', async () => {
    const member = await server.signUp();
    const words = ['Aldbury', 'Bexhill', 'Cawston', 'Denham'];
    // The others come while the store for the first one is being made, which does not know of them.
    openai.faults.next('POST /v1/vector_stores', { wait_ms: 3_000 });
    const files = [];
    for (const word of words) files.push(await addToLibrary(member, secret(word), `${word}.txt`));
    for (const { id } of files) await untilReady(member, id);
    expect((await heldBy(member)).toSorted()).toEqual(words.map((word) => `${word}.txt.md`));
  });

  it('is indexing until it is, and its upload does not wait for that', async () => {
    const member = await server.signUp();
    openai.faults.next('POST /v1/vector_stores', { wait_ms: 3_000 });
    const file = await addToLibrary(member, secret('Edlington'), 'Edlington.txt');
    expect(file).toMatchObject({ state: 'indexing', reason: null });
    await untilReady(member, file.id);
  });

  it('has failed, and says so in a sentence, when OpenAI cannot index it', async () => {
    const member = await server.signUp();
    openai.faults.next(
      ({ method, path }) => {
        const [, store_id, file_id] = /^\/v1\/vector_stores\/([^/]+)\/files\/([^/]+)$/.exec(path) ?? [];
        const file = openai.state.vectorStores.get(store_id ?? '')?.files.get(file_id ?? '');
        if (method === 'GET' && file)
          Object.assign(file, { status: 'failed', last_error: { code: 'unsupported_file', message: 'x' } });
        return false;
      },
      { hang: true },
    );
    const { id } = await addToLibrary(member, secret('Farnham'), 'Farnham.txt');
    await vi.waitFor(
      async () =>
        expect(await member.json(`/api/library/${id}`)).toMatchObject({
          state: 'failed',
          reason: expect.stringMatching(/^The coaches cannot search this file\. .*\.$/),
        }),
      waiting,
    );
  });

  it('is made ready by a job when the server died before, and when OpenAI failed; pictures need none of it', async () => {
    const member = await server.signUp();
    const user_id = await userOf(member);
    const original_id = randomUUID();
    // What a server leaves that is killed after the upload.
    await pool.query(
      `select public.add_file($1, $2, $3, 'lost.txt', 'text/plain', 9, $4, null, 2,
         '[{"ordinal": 1, "page": null, "content": "Lost words"}]', null)`,
      [user_id, randomUUID(), original_id, `${user_id}/${original_id}`],
    );
    const image = await addToLibrary(
      member,
      new Uint8Array(readFileSync(join(fixtures, 'shopfront.gif'))),
      'a.gif',
    );
    expect(image.state).toBe('ready');
    expect(await stateOf(member, original_id)).toBe('indexing');
    await runJob();
    // It is left to whoever took it in for a minute.
    expect(await heldBy(member)).toEqual([]);
    await pool.query(`update public.chat_files set created_at = now() - interval '61 s' where user_id = $1`, [
      user_id,
    ]);
    await runJob();
    expect(await stateOf(member, original_id)).toBe('ready');
    expect(await heldBy(member)).toEqual(['lost.txt.md']);

    for (let attempt = 0; attempt < 2; attempt++)
      openai.faults.next('POST /v1/vector_stores/:id/files', serverError());
    const { id } = await addToLibrary(member, secret('Grimsby'), 'Grimsby.txt');
    await vi.waitFor(async () => {
      const { rows } = await pool.query('select attempts from public.vector_stores where user_id = $1', [
        user_id,
      ]);
      expect(rows).toEqual([{ attempts: 1 }]);
    }, waiting);
    expect(await stateOf(member, id)).toBe('indexing');
    await pool.query('update public.vector_stores set retry_at = now() where user_id = $1', [user_id]);
    await runJob();
    expect(await stateOf(member, id)).toBe('ready');
  });

  it.each([
    ['in its store', {}, {}, 'ready'],
    ['in no store, of a chat that nobody makes one for', { gone: true }, { vector_store_id: null }, 'ready'],
    ['being put into its store', { rebuild_token: randomUUID() }, { vector_store_id: null }, 'indexing'],
    [
      'being put into the first store of its chat',
      { status: 'recreating', revision: 0, rebuild_token: randomUUID() },
      {},
      'indexing',
    ],
    ['waiting for the next try', { retry_at: 'soon', attempts: 2 }, { vector_store_id: null }, 'indexing'],
    [
      'waiting, after three that failed',
      { retry_at: 'soon', attempts: 3 },
      { vector_store_id: null },
      'failed',
    ],
    ['in a store that three times could not be added to', { retry_at: 'soon', attempts: 3 }, {}, 'ready'],
    [
      'in a store that is being rebuilt',
      { status: 'recreating', rebuild_token: randomUUID() },
      {},
      'rebuilding',
    ],
    ['in a store that is to be rebuilt', { status: 'expired', retry_at: 'soon' }, {}, 'rebuilding'],
    ['in a store that expired, and is rebuilt when it is needed', { status: 'expired' }, {}, 'ready'],
    ['not to be indexed', {}, { vector_store_id: null, index_error: 'invalid_file' }, 'failed'],
  ] as const)('that is %s is %j %j: %s', async (_, store: Record<string, unknown>, use, state) => {
    const member = await server.signUp();
    const { id, session_id, file_id } = await sendWithFile(member, secret('Hythe'), 'Hythe.txt');
    expect(await stateOf(member, id)).toBe('ready');
    const { gone, retry_at, rebuild_token, ...columns } = store;
    if (gone) await pool.query('delete from public.vector_stores where session_id = $1', [session_id]);
    const changes = {
      ...columns,
      ...(retry_at ? { retry_at: new Date(Date.now() + 600_000) } : {}),
      ...(rebuild_token ? { rebuild_token, rebuild_lease_until: new Date(Date.now() + 600_000) } : {}),
    };
    await change('vector_stores', 'session_id', session_id, changes);
    await change('chat_files', 'id', file_id, use);
    expect(await stateOf(member, id)).toBe(state);
    const { files } = await member.json('/api/library');
    expect(files[0]).toMatchObject({ id, state });
    expect(typeof files[0].reason).toBe(state === 'failed' ? 'string' : 'object');
  });

  it('is as bad as the worst of its uses', async () => {
    const member = await server.signUp();
    const { id, session_id } = await sendWithFile(member, secret('Ilford'), 'Ilford.txt');
    await member.fetch(`/api/library/${id}/kept`, { method: 'PUT', body: '{"kept":true}' });
    await untilReady(member, id);
    await pool.query(
      `update public.vector_stores set status = 'expired', retry_at = now() + interval '1 hour' where session_id = $1`,
      [session_id],
    );
    expect(await stateOf(member, id)).toBe('rebuilding');
    await pool.query(
      `update public.chat_files set index_error = 'invalid_file' where original_id = $1 and session_id is null`,
      [id],
    );
    expect(await stateOf(member, id)).toBe('failed');
  });
});

describe('a chat’s file that is kept in the library', () => {
  it('is in the library’s store without another upload, and out of it again when it is not kept; the chat has it still', async () => {
    const member = await server.signUp();
    const { id, session_id } = await sendWithFile(member, secret('Jarrow'), 'Jarrow.txt');
    const keep = (kept: boolean) =>
      member.fetch(`/api/library/${id}/kept`, { method: 'PUT', body: JSON.stringify({ kept }) });
    const question = { content: 'What is the secret of Jarrow?' };
    const uploads = openai.state.files.size;
    for (let round = 0; round < 2; round++) {
      expect((await keep(true)).status).toBe(200);
      await untilReady(member, id);
      expect(await heldBy(member)).toEqual(['Jarrow.txt.md']);
      expect((await readTurn(await member.send(question))).text).toContain('written nowhere else');
      expect((await keep(false)).status).toBe(200);
      await vi.waitFor(async () => expect(await heldBy(member)).toEqual([]), waiting);
      expect((await readTurn(await member.send(question))).text).not.toContain('written nowhere else');
      expect(await heldBy(member, session_id)).toEqual(['Jarrow.txt.md']);
    }
    expect(openai.state.files.size).toBe(uploads);
  });
});

describe('a file that is deleted, with OpenAI', () => {
  it('is nowhere there any more, also when its store was being filled', async () => {
    const member = await server.signUp();
    const files = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        addToLibrary(member, secret(`Kirkby${index}`), `Kirkby${index}.txt`),
      ),
    );
    const answers = await Promise.all(
      files.slice(1).map(({ id }) => member.fetch(`/api/library/${id}`, { method: 'DELETE' })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(204));
    await untilReady(member, files[0].id);
    await vi.waitFor(
      async () => {
        await pool.query('update public.erasures set next_attempt_at = now() where user_id = $1', [
          await userOf(member),
        ]);
        // Another deletion wakes the job.
        const { id } = await addToLibrary(member, 'Anything', 'any.txt');
        await member.fetch(`/api/library/${id}`, { method: 'DELETE' });
        const left = [...openai.state.files.values()].filter(({ filename }) => filename.startsWith('Kirkby'));
        expect(left.map(({ filename }) => filename)).toEqual(['Kirkby0.txt.md']);
      },
      { timeout: 20_000, interval: 1_000 },
    );
    expect(await heldBy(member)).toEqual(['Kirkby0.txt.md']);
  });

  it('is no failure of the store that was about to take it, which takes the others', async () => {
    const member = await server.signUp();
    const user_id = await userOf(member);
    const kept = await sendWithFile(member, secret('Looe'), 'Looe.txt');
    const gone = await sendWithFile(member, secret('Lydd'), 'Lydd.txt');
    const storeOf = async () =>
      (await pool.query('select * from public.vector_stores where user_id = $1 and is_library', [user_id]))
        .rows[0];
    // Both wait for one store, and the library has uploaded neither.
    openai.faults.next('POST /v1/vector_stores', { wait_ms: 2_000 });
    await pool.query(
      `insert into public.chat_files (user_id, file_name, file_size, file_type, original_id)
       select user_id, 'in the library.txt', 1, 'text/plain', id from public.file_originals where id = any ($1)`,
      [[kept.id, gone.id]],
    );
    await pool.query(
      `update public.chat_files set openai_file_id = null where user_id = $1 and session_id is null`,
      [user_id],
    );
    const { id } = await addToLibrary(member, secret('Lyme'), 'Lyme.txt');
    await vi.waitFor(async () => expect((await storeOf())?.rebuild_token).toBeTruthy(), waiting);
    expect((await member.fetch(`/api/library/${gone.id}`, { method: 'DELETE' })).status).toBe(204);
    await untilReady(member, id);
    await untilReady(member, kept.id);
    expect(await storeOf()).toMatchObject({ status: 'active', attempts: 0, retry_at: null });
    expect((await heldBy(member)).toSorted()).toEqual(['Lyme.txt.md', 'in the library.txt.md']);
  });

  it('takes the chat’s conversation along, which has its picture; the next reply goes on without it', async () => {
    const member = await server.signUp();
    const picture = new File([readFileSync(join(fixtures, 'shopfront.gif'))], 'front.gif');
    const form = new FormData();
    form.set('file', picture);
    const { id: file_id } = await member.json('/api/files', { method: 'POST', body: form });
    const session_id = randomUUID();
    await readTurn(await member.send({ session_id, content: 'Look at this', file_ids: [file_id] }));
    const { rows } = await pool.query('select thread_id from public.chat_sessions where id = $1', [
      session_id,
    ]);
    const conversation = () => openai.state.conversations.get(rows[0].thread_id);
    expect(JSON.stringify(conversation())).toContain('data:image/jpeg');
    const { id } = (await member.json('/api/library')).files[0];
    await member.fetch(`/api/library/${id}`, { method: 'DELETE' });
    await vi.waitFor(() => expect(conversation()).toBeUndefined(), waiting);
    const { end } = await readTurn(await member.send({ session_id, content: 'Look at this again' }));
    expect(end).toMatchObject({ data: { status: 'done' } });
    const asked = openai.requests.findLast(({ path }) => path === '/v1/responses')!;
    expect(JSON.stringify(asked.body)).toContain('Look at this');
    expect(JSON.stringify(asked.body)).not.toContain('data:image/jpeg');
  });

  it('does not break the reply that searches it', async () => {
    const member = await server.signUp();
    const { id, session_id } = await sendWithFile(member, secret('Luton'), 'Luton.txt');
    openai.faults.next('/v1/responses', { wait_ms: 300 });
    const reading = readAlong(member.send({ session_id, content: 'What is the secret of Luton?' }));
    const { count } = counted;
    await vi.waitFor(() => expect(counted.count).toBeGreaterThan(count), waiting);
    expect((await member.fetch(`/api/library/${id}`, { method: 'DELETE' })).status).toBe(204);
    reading.spoken.catch(() => {});
    const { end } = await reading.whole;
    expect(end).toMatchObject({ event: 'end', data: { status: 'done' } });
  });
});

it('a page of the library is one round trip to the database', async () => {
  const member = await server.signUp();
  const { id } = await addToLibrary(member, secret('Morpeth'), 'Morpeth.txt');
  await untilReady(member, id);
  const before = counted.count;
  await member.json('/api/library?search=Morpeth');
  expect(counted.count - before).toBe(1);
});

/** The job that goes on with stores, as another process has it. */
async function runJob() {
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
    await jobs.find((job) => job.name === 'make_vector_stores')!.run();
  } finally {
    await vector_stores.stop();
    await database.destroy();
  }
}
