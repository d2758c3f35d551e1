import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { startFakeOpenAI } from '../testing/fake-openai/fake-openai.ts';
import { balanceExhausted, rateLimited, serverError } from '../testing/fake-openai/faults.ts';
import { readAlong, readTurn } from '../testing/read-turn.ts';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';

const report = join(import.meta.dirname, '..', 'testing', 'fixtures', 'ridgeway-bakery-review.pdf');

type OpenAI = Awaited<ReturnType<typeof startFakeOpenAI>>;
type Server = Awaited<ReturnType<typeof startTestServer>>;

let openai: OpenAI;
let server: Server;
let pool: pg.Pool;
let member: TestClient;

async function start(
  options: Parameters<typeof startFakeOpenAI>[0] = {},
  settings: Record<string, string> = {},
) {
  openai = await startFakeOpenAI({ token_delay_ms: 1, ...options });
  server = await startTestServer({
    OPENAI_API_KEY: openai.api_key,
    OPENAI_BASE_URL: openai.url,
    ...settings,
  });
  pool = new pg.Pool({ connectionString: server.database_url, max: 2 });
  member = await server.signUp();
}

async function stop() {
  await pool.end();
  await server.stop();
  await openai.close();
}

function callsTo(path: string) {
  return openai.requests.filter((request) => `${request.method} ${request.path}` === path);
}

async function usageOf(client: TestClient) {
  return (await client.json('/api/me')).subscription_usage;
}

describe('with OpenAI', () => {
  beforeAll(() => start());
  afterAll(() => stop());

  it('a chat goes on in one conversation, and the real tokens are counted', async () => {
    const sender = await server.signUp();
    const session_id = randomUUID();
    const first = await readTurn(
      await sender.send({ session_id, content: 'My topic is Ridgeway, a bakery' }),
    );
    expect(first.end).toMatchObject({ event: 'end', data: { status: 'done' } });
    const conversations = callsTo('POST /v1/conversations').length;
    const second = await readTurn(await sender.send({ session_id, content: 'What was my topic?' }));
    expect(second.text).toContain('Ridgeway');
    expect(callsTo('POST /v1/conversations')).toHaveLength(conversations);
    const { rows } = await pool.query('select thread_id from public.chat_sessions where id = $1', [
      session_id,
    ]);
    expect(rows[0].thread_id).toMatch(/^conv_/);
    const counted = await pool.query(
      'select sum(input_tokens + output_tokens)::int as tokens from public.turns where session_id = $1',
      [session_id],
    );
    expect(counted.rows[0].tokens).toBeGreaterThan(0);
    expect((await usageOf(sender)).tokens).toBe(counted.rows[0].tokens);
  });

  it('the coach’s instructions go along, and who asks stays anonymous', async () => {
    await readTurn(await member.send({ content: 'A carousel about bread' }));
    const { body } = callsTo('POST /v1/responses').at(-1)! as any;
    expect(body.instructions).toContain('Playbook');
    expect(body.model).toMatch(/^gpt-/);
    expect(JSON.stringify(body)).not.toContain(member.email);
    expect(body.safety_identifier).toMatch(/^[0-9a-f]{32}$/);
  });

  it('a file is uploaded, indexed and searched, and the passage that was used is cited with its page', async () => {
    const sender = await server.signUp();
    const uploaded = (await (await sender.upload(report)).json()) as any;
    const session_id = randomUUID();
    const { events, citations, text } = await readTurn(
      await sender.send({
        session_id,
        content: 'How many subscribers does the Wednesday sourdough subscription have?',
        file_ids: [uploaded.id],
      }),
    );
    expect(events.filter(({ event }) => event === 'status').map(({ data }) => data.status)).toEqual(
      expect.arrayContaining(['preparing_files', 'searching_files']),
    );
    expect(citations[0]).toMatchObject({
      number: 1,
      file_id: uploaded.id,
      file_name: 'ridgeway-bakery-review.pdf',
      page: 4,
    });
    expect(citations[0].index).toBeLessThanOrEqual(text.length);
    const passage = await sender.json(`/api/files/${uploaded.id}/passages/${citations[0].passage_id}`);
    expect(passage.content).toContain(citations[0].quote);
    const { messages } = await sender.json(`/api/chat-sessions/${session_id}/messages`);
    expect(messages[1].citations).toEqual(citations);

    const stores = callsTo('POST /v1/vector_stores').length;
    const again = await readTurn(
      await sender.send({ session_id, content: 'And what does the subscription cost a month?' }),
    );
    expect(again.citations.length).toBeGreaterThan(0);
    expect(callsTo('POST /v1/vector_stores')).toHaveLength(stores);
  });

  it('deleting a chat erases its conversation, files and store at OpenAI and in our storage', async () => {
    const sender = await server.signUp();
    const uploaded = (await (await sender.upload(report)).json()) as any;
    const session_id = randomUUID();
    await readTurn(
      await sender.send({ session_id, content: 'What does it say about rye?', file_ids: [uploaded.id] }),
    );
    const { rows } = await pool.query(
      `select thread_id, openai_file_id, vector_store_id from public.chat_sessions join public.chat_files on session_id = chat_sessions.id where chat_sessions.id = $1`,
      [session_id],
    );
    const { thread_id, openai_file_id, vector_store_id } = rows[0];
    expect(openai.state.conversations.has(thread_id)).toBe(true);
    expect(openai.state.files.has(openai_file_id)).toBe(true);
    expect(openai.state.vectorStores.has(vector_store_id)).toBe(true);
    await sender.fetch(`/api/chat-sessions/${session_id}`, { method: 'DELETE' });
    await vi.waitFor(
      async () => {
        expect((await pool.query('select kind from public.erasures')).rows).toEqual([]);
      },
      { timeout: 15_000, interval: 100 },
    );
    expect(openai.state.conversations.has(thread_id)).toBe(false);
    expect(openai.state.files.has(openai_file_id)).toBe(false);
    expect(openai.state.vectorStores.has(vector_store_id)).toBe(false);
    expect((await sender.fetch(`/api/files/${uploaded.id}/content`)).status).toBe(404);
  });

  it('a conversation that is gone at OpenAI is made anew from our messages, in the same turn', async () => {
    const session_id = randomUUID();
    await readTurn(await member.send({ session_id, content: 'My topic is the lighthouse of Aldermoor' }));
    const { rows } = await pool.query('select thread_id from public.chat_sessions where id = $1', [
      session_id,
    ]);
    openai.state.conversations.delete(rows[0].thread_id);
    const { text, end } = await readTurn(await member.send({ session_id, content: 'What was my topic?' }));
    expect(end?.event).toBe('end');
    expect(text).toContain('lighthouse');
    const after = await pool.query('select thread_id from public.chat_sessions where id = $1', [session_id]);
    expect(after.rows[0].thread_id).not.toBe(rows[0].thread_id);
  });

  it('a store that is gone or has expired at OpenAI is made anew, in the same turn', async () => {
    const sender = await server.signUp();
    const uploaded = (await (await sender.upload(report)).json()) as any;
    const session_id = randomUUID();
    await readTurn(
      await sender.send({ session_id, content: 'What does it say about rye?', file_ids: [uploaded.id] }),
    );
    for (const lose of [
      (id: string) => openai.state.vectorStores.delete(id),
      (id: string) => openai.state.expireVectorStore(id),
    ]) {
      const { rows } = await pool.query('select store_id from public.vector_stores where session_id = $1', [
        session_id,
      ]);
      lose(rows[0].store_id);
      const { citations, end } = await readTurn(
        await sender.send({ session_id, content: 'How many subscribers has the Wednesday loaf?' }),
      );
      expect(end).toMatchObject({ event: 'end', data: { status: 'done' } });
      expect(citations.length).toBeGreaterThan(0);
    }
    const { rowCount } = await pool.query('select 1 from public.vector_stores where session_id = $1', [
      session_id,
    ]);
    expect(rowCount).toBe(1);
  });

  it('a thread of the API that was shut down is replaced by a conversation with our messages', async () => {
    const session_id = randomUUID();
    await readTurn(await member.send({ session_id, content: 'My topic is a saffron loaf' }));
    await pool.query(`update public.chat_sessions set thread_id = 'thread_abc' where id = $1`, [session_id]);
    const { text } = await readTurn(await member.send({ session_id, content: 'What was my topic?' }));
    expect(text).toContain('saffron');
    const { rows } = await pool.query('select thread_id from public.chat_sessions where id = $1', [
      session_id,
    ]);
    expect(rows[0].thread_id).toMatch(/^conv_/);
    expect(openai.requests.some(({ path }) => path.includes('/threads'))).toBe(false);
  });

  it('a history of any length is carried over into a new conversation, in order', async () => {
    const session_id = randomUUID();
    await readTurn(await member.send({ session_id, content: 'My topic is the first windmill' }));
    await pool.query(
      `insert into public.chat_messages (session_id, sender, content, created_at)
       select $1, case when number % 2 = 0 then 'user' else 'assistant' end, 'Message ' || number, now() + number * interval '1 microsecond' from generate_series(1, 49) as number`,
      [session_id],
    );
    const { text } = await readTurn(await member.send({ session_id, content: 'What was my topic?' }));
    expect(text).toContain('windmill');
    const { rows } = await pool.query('select thread_id from public.chat_sessions where id = $1', [
      session_id,
    ]);
    const items = openai.state.conversations.get(rows[0].thread_id)!.items as any[];
    const texts = items.filter((item) => item.type === 'message').map((item) => item.content[0].text);
    expect(texts.slice(2, 51)).toEqual(Array.from({ length: 49 }, (_, index) => `Message ${index + 1}`));
  });

  it('stopping reaches OpenAI, keeps what was said, and counts the message with estimated tokens', async () => {
    const sender = await server.signUp();
    const id = randomUUID();
    openai.faults.next('/v1/responses', { stall_after: 12 });
    const { spoken, whole } = readAlong(sender.send({ id, content: 'A carousel about bread' }));
    await spoken;
    expect(callsTo('POST /v1/responses').at(-1)).toMatchObject({ aborted: false });
    await sender.fetch(`/api/turns/${id}/stop`, { method: 'POST' });
    const { text, end } = await whole;
    expect(text).not.toBe('');
    expect(end).toMatchObject({ event: 'end', data: { status: 'stopped' } });
    await vi.waitFor(() => expect(callsTo('POST /v1/responses').at(-1)).toMatchObject({ aborted: true }), {
      timeout: 10_000,
    });
    const usage = await usageOf(sender);
    expect(usage.messages).toBe(1);
    expect(usage.tokens).toBeGreaterThan(100);
  });

  it('a place of a citation that cannot be looked up costs the place, not the turn', async () => {
    const sender = await server.signUp();
    const file = (await (await sender.upload(report)).json()) as any;
    await pool.query('alter table public.file_passages rename to file_passages_away');
    try {
      // The text for OpenAI's store is read before the reply: this chat's file was made ready in an earlier turn.
      await pool.query('alter table public.file_passages_away rename to file_passages');
      const session_id = randomUUID();
      await readTurn(await sender.send({ session_id, content: 'What about rye?', file_ids: [file.id] }));
      await pool.query('alter table public.file_passages rename to file_passages_away');
      const { end, citations } = await readTurn(
        await sender.send({ session_id, content: 'How many subscribers has the Wednesday loaf?' }),
      );
      expect(end).toMatchObject({ event: 'end', data: { status: 'done' } });
      expect(citations[0]).toMatchObject({ number: 1, file_id: file.id, page: null, passage_id: null });
    } finally {
      await pool.query('alter table if exists public.file_passages_away rename to file_passages');
    }
  });

  it('a conversation that was just made is known, and erased with its chat, even when the turn is stopped', async () => {
    const sender = await server.signUp();
    const [session_id, id] = [randomUUID(), randomUUID()];
    openai.faults.next('/v1/responses', { hang: true });
    const reading = sender.send({ session_id, id, content: 'My topic is bread' }).then(readTurn);
    await vi.waitFor(() => expect(openai.faults.waiting).toBe(0), { timeout: 5_000 });
    await sender.fetch(`/api/turns/${id}/stop`, { method: 'POST' });
    expect((await reading).end).toMatchObject({ event: 'end', data: { status: 'stopped' } });
    const own = () =>
      [...openai.state.conversations.values()].filter(
        (conversation: any) => conversation.metadata?.session_id === session_id,
      );
    expect(own()).toHaveLength(1);
    await sender.fetch(`/api/chat-sessions/${session_id}`, { method: 'DELETE' });
    await vi.waitFor(() => expect(own()).toEqual([]), { timeout: 15_000, interval: 200 });
  });

  it.each([
    [
      'a conversation that is locked',
      {
        status: 409,
        error: { message: 'Another process is using this conversation.', code: 'conversation_locked' },
      },
    ],
    [
      'a conversation that has grown too long',
      { status: 400, error: { message: 'Your input exceeds the window.', code: 'context_length_exceeded' } },
    ],
    [
      'one that is told to be too long in the stream',
      { error_event: { code: 'context_length_exceeded', message: 'x' }, after: 0 },
    ],
  ] as const)('%s is made anew from our messages; the member sees a pause', async (_, fault) => {
    const session_id = randomUUID();
    await readTurn(await member.send({ session_id, content: 'My topic is the ferry of Aldermoor' }));
    const before = callsTo('POST /v1/conversations').length;
    openai.faults.next('/v1/responses', fault as never);
    const { text, end } = await readTurn(await member.send({ session_id, content: 'What was my topic?' }));
    expect(end).toMatchObject({ event: 'end', data: { status: 'done', history_shortened: false } });
    expect(text).toContain('ferry');
    expect(callsTo('POST /v1/conversations')).toHaveLength(before + 1);
  });

  it('what does not fit is left out from the oldest on, and the page says so', async () => {
    const sender = await server.signUp();
    const session_id = randomUUID();
    await readTurn(await sender.send({ session_id, content: 'My topic is the oldest oven' }));
    await pool.query(`update public.chat_messages set content = repeat('x', 99990) where session_id = $1`, [
      session_id,
    ]);
    const tooLong = { status: 400, error: { message: 'x', code: 'context_length_exceeded' } };
    openai.faults.next('/v1/responses', tooLong);
    const { end } = await readTurn(await sender.send({ session_id, content: 'And now?' }));
    expect(end).toMatchObject({ event: 'end', data: { status: 'done', history_shortened: true } });
    const { body } = callsTo('POST /v1/responses').at(-1)! as any;
    expect(body.input.map((item: any) => item.content.length)).toEqual([99_990, 8]);
    const { messages } = await sender.json(`/api/chat-sessions/${session_id}/messages`);
    expect(messages.map((message: any) => message.history_shortened)).toEqual([false, false, false, true]);
  });

  it('a message that does not fit by itself is told after two tries more, and not counted', async () => {
    const sender = await server.signUp();
    const tooLong = { status: 400, error: { message: 'x', code: 'context_length_exceeded' } };
    for (let attempt = 0; attempt < 3; attempt++) openai.faults.next('/v1/responses', tooLong);
    const session_id = randomUUID();
    const { end } = await readTurn(await sender.send({ session_id, content: 'A carousel about bread' }));
    expect(end).toMatchObject({ event: 'error', data: { code: 'message_too_long', counted: false } });
    const { failed_turn } = await sender.json(`/api/chat-sessions/${session_id}/messages`);
    expect(failed_turn.error_detail).toBe(end!.data.detail);
    expect(openai.faults.waiting).toBe(0);
    expect((await usageOf(sender)).messages).toBe(0);
  });

  it('a conversation that comes after its turn was stopped is erased, and is not the next turn’s', async () => {
    const sender = await server.signUp();
    const [session_id, id] = [randomUUID(), randomUUID()];
    /** The conversations that are noted for erasure, or erased already. */
    const given_up = async () => {
      const { rows } = await pool.query(
        `select external_id from public.erasures where kind = 'openai_conversation'`,
      );
      const erased = openai.requests.filter(
        ({ method, path }) => method === 'DELETE' && path.startsWith('/v1/conversations/'),
      );
      return new Set([
        ...rows.map(({ external_id }) => external_id),
        ...erased.map(({ path }) => path.split('/').at(-1)),
      ]);
    };
    const before = callsTo('POST /v1/conversations').length;
    const given_up_before = await given_up();
    openai.faults.next('POST /v1/conversations', { wait_ms: 1_500 });
    const reading = sender.send({ session_id, id, content: 'Never mind' }).then(readTurn);
    await vi.waitFor(() => expect(callsTo('POST /v1/conversations')).toHaveLength(before + 1), {
      timeout: 10_000,
      interval: 10,
    });
    await sender.fetch(`/api/turns/${id}/stop`, { method: 'POST' });
    expect((await reading).end).toMatchObject({ data: { status: 'stopped' } });
    await readTurn(await sender.send({ session_id, content: 'My topic is the harbour of Aldermoor' }));
    await vi.waitFor(
      async () => expect([...(await given_up())].filter((id) => !given_up_before.has(id))).toHaveLength(1),
      {
        timeout: 15_000,
        interval: 50,
      },
    );
    const { text } = await readTurn(await sender.send({ session_id, content: 'What was my topic?' }));
    expect(text).toContain('3 earlier messages');
    const { rows } = await pool.query('select thread_id from public.chat_sessions where id = $1', [
      session_id,
    ]);
    expect(openai.state.conversations.get(rows[0].thread_id)!.items.length).toBeGreaterThan(2);
  });

  it('a stop does not wait for a file that is being uploaded', async () => {
    const sender = await server.signUp();
    const file = (await (await sender.upload(report)).json()) as any;
    const [session_id, id] = [randomUUID(), randomUUID()];
    const before = callsTo('POST /v1/files').length;
    openai.faults.next('POST /v1/files', { hang: true });
    const reading = sender
      .send({ session_id, id, content: 'What about rye?', file_ids: [file.id] })
      .then(readTurn);
    await vi.waitFor(() => expect(callsTo('POST /v1/files')).toHaveLength(before + 1), {
      timeout: 10_000,
      interval: 10,
    });
    await sender.fetch(`/api/turns/${id}/stop`, { method: 'POST' });
    expect((await reading).end).toMatchObject({ event: 'end', data: { status: 'stopped' } });
    expect((await usageOf(sender)).messages).toBe(0);
  });

  it('a request that may have been read twice does not leave its conversation in use', async () => {
    const session_id = randomUUID();
    await readTurn(await member.send({ session_id, content: 'My topic is bread' }));
    openai.faults.next('/v1/responses', serverError());
    await readTurn(await member.send({ session_id, content: 'Go on' }));
    const before = callsTo('POST /v1/conversations').length;
    await readTurn(await member.send({ session_id, content: 'And on' }));
    expect(callsTo('POST /v1/conversations')).toHaveLength(before + 1);
  });

  it('another reply that fails gives back the one that was there, and nothing is counted', async () => {
    const sender = await server.signUp();
    const session_id = randomUUID();
    const first = await readTurn(await sender.send({ session_id, content: 'My topic is bread' }));
    const { messages } = await sender.json(`/api/chat-sessions/${session_id}/messages`);
    openai.faults.next('/v1/responses', { cut_after: 12 });
    const { end } = await readTurn(
      await sender.send({ session_id, content: '', repeats_message_id: messages[0].id }),
    );
    expect(end).toMatchObject({ event: 'error', data: { counted: false } });
    const after = await sender.json(`/api/chat-sessions/${session_id}/messages`);
    expect(after.messages.map((message: any) => message.content)).toEqual(['My topic is bread', first.text]);
    expect(after.failed_turn).toBe(null);
    expect((await usageOf(sender)).messages).toBe(1);
  });

  it('after a reply that broke off, the next turn does not go on in its conversation', async () => {
    const session_id = randomUUID();
    await readTurn(await member.send({ session_id, content: 'My topic is the mill' }));
    openai.faults.next('/v1/responses', { cut_after: 12 });
    await readTurn(await member.send({ session_id, content: 'Question that breaks off' }));
    const { failed_turn } = await member.json(`/api/chat-sessions/${session_id}/messages`);
    const before = callsTo('POST /v1/conversations').length;
    const { end } = await readTurn(
      await member.send({
        session_id,
        content: '',
        repeats_message_id: failed_turn.user_message_id,
      }),
    );
    expect(end).toMatchObject({ event: 'end', data: { status: 'done' } });
    expect(callsTo('POST /v1/conversations')).toHaveLength(before + 1);
    const { body } = callsTo('POST /v1/responses').at(-1)! as any;
    expect(body.input.map((item: any) => item.role)).toEqual(['user', 'assistant', 'user']);
    expect(body.input.at(-1).content).toBe('Question that breaks off');
  });

  describe('misbehaving', () => {
    afterEach(async () => {
      const { end } = await readTurn(await member.send({ content: 'And the next turn works' }));
      expect(end).toMatchObject({ event: 'end', data: { status: 'done' } });
    });

    it.each([
      ['an exhausted balance', balanceExhausted(), 'model_balance_exhausted'],
      ['an end without completion', { end_after: 12 }, 'model_cut_off'],
      ['a broken connection', { cut_after: 12 }, 'model_cut_off'],
      ['a corrupt frame', { corrupt_after: 12 }, 'model_cut_off'],
      ['an end without a word', { incomplete: 'max_output_tokens', after: 0 }, 'model_failed'],
      ['a reported failure', { failed: { code: 'server_error', message: 'x' }, after: 12 }, 'model_failed'],
      [
        'an error event',
        { error_event: { code: 'rate_limit_exceeded', message: 'x' }, after: 12 },
        'model_rate_limited',
      ],
      [
        'a key that is refused',
        { status: 401, error: { message: 'x', code: 'invalid_api_key' } },
        'model_misconfigured',
      ],
    ] as const)('%s: one code, nothing counted, the text so far kept', async (_, fault, code) => {
      const sender = await server.signUp();
      const session_id = randomUUID();
      openai.faults.next('/v1/responses', fault as never);
      const { text, end } = await readTurn(
        await sender.send({ session_id, content: 'A carousel about bread' }),
      );
      expect(end).toMatchObject({ event: 'error', data: { code, counted: false } });
      expect(await usageOf(sender)).toEqual({ messages: 0, files: 0, tokens: 0 });
      const { messages, failed_turn } = await sender.json(`/api/chat-sessions/${session_id}/messages`);
      expect(messages.slice(1).map((message: any) => message.content)).toEqual(text ? [text] : []);
      expect(failed_turn).toMatchObject({ error_code: code });
    });

    it.each([
      ['POST /v1/conversations', balanceExhausted(), 'model_balance_exhausted'],
      [
        'POST /v1/conversations',
        { status: 401, error: { message: 'x', code: 'invalid_api_key' } },
        'model_misconfigured',
      ],
      ['POST /v1/conversations', { cut_after: 0 }, 'model_failed'],
      ['POST /v1/files', balanceExhausted(), 'model_balance_exhausted'],
      ['POST /v1/vector_stores', { status: 400, error: { message: 'x' } }, 'model_misconfigured'],
    ] as const)(
      '%s failing before the reply: told by its code, nothing counted',
      async (path, fault, code) => {
        const sender = await server.signUp();
        const file = (await (await sender.upload(report)).json()) as any;
        for (let attempt = 0; attempt < 2; attempt++) openai.faults.next(path, fault as never);
        const session_id = randomUUID();
        const { text, end } = await readTurn(
          await sender.send({ session_id, content: 'What about rye?', file_ids: [file.id] }),
        );
        expect(text).toBe('');
        expect(end).toMatchObject({ event: 'error', data: { code, counted: false } });
        expect((await usageOf(sender)).messages).toBe(0);
        openai.faults.clear();
        const again = await readTurn(await sender.send({ session_id, content: 'What about rye?' }));
        expect(again.end).toMatchObject({ event: 'end', data: { status: 'done' } });
        expect(again.citations.length).toBeGreaterThan(0);
      },
    );

    it('an exhausted balance is asked for once a turn, and the operators get one mail about it', async () => {
      const operator = await server.signUp();
      await pool.query(
        `insert into public.user_roles (user_id, role) select id, 'operator' from public.profiles where email = $1`,
        [operator.email],
      );
      const before = callsTo('POST /v1/responses').length;
      for (let time = 0; time < 3; time++) {
        openai.faults.next('/v1/responses', balanceExhausted());
        const { end } = await readTurn(await member.send({ content: 'A carousel about bread' }));
        expect(end).toMatchObject({ data: { code: 'model_balance_exhausted' } });
      }
      expect(callsTo('POST /v1/responses')).toHaveLength(before + 3);
      const mails = async () => {
        const outbox = await (await fetch(`${server.url}/api/outbox`)).json();
        return (outbox as any).mails.filter(({ to }: { to: string }) => to === operator.email);
      };
      await vi.waitFor(async () => expect(await mails()).toHaveLength(1), { timeout: 15_000, interval: 200 });
      expect((await mails())[0].subject).toMatch(/no credit left at OpenAI/);
    });

    it('being busy for a moment is waited out', async () => {
      openai.faults.next('/v1/responses', rateLimited(50));
      openai.faults.next('/v1/responses', serverError());
      const { end } = await readTurn(await member.send({ content: 'A carousel about bread' }));
      expect(end).toMatchObject({ event: 'end', data: { status: 'done' } });
    });

    it('staying busy is told after three tries, and nothing is counted', async () => {
      const sender = await server.signUp();
      for (let attempt = 0; attempt < 3; attempt++) openai.faults.next('/v1/responses', rateLimited(20));
      const { end } = await readTurn(await sender.send({ content: 'A carousel about bread' }));
      expect(end).toMatchObject({ event: 'error', data: { code: 'model_rate_limited' } });
      expect((await usageOf(sender)).messages).toBe(0);
    });

    it('a reply that ran into the model’s limit is kept, counted and marked', async () => {
      const sender = await server.signUp();
      openai.faults.next('/v1/responses', {
        incomplete: { reason: 'max_output_tokens' },
        after: 12,
      } as never);
      const { end } = await readTurn(await sender.send({ content: 'A carousel about bread' }));
      expect(end).toMatchObject({ event: 'end', data: { status: 'done', incomplete: true } });
      expect((await usageOf(sender)).messages).toBe(1);
    });
  });
});

describe('with a compatible server that has neither conversations nor vector stores', () => {
  beforeAll(() =>
    start({
      without: ['conversations', 'files', 'vector_stores'],
      reply: () => 'It has 412 subscribers [[1]], as the report says. Nothing is at [[99]].',
    }),
  );
  afterAll(() => stop());

  it('the history goes along, our own search serves, and its marks become citations', async () => {
    const sender = await server.signUp();
    const uploaded = (await (await sender.upload(report)).json()) as any;
    const session_id = randomUUID();
    const content = 'How many subscribers has the Wednesday loaf?';
    const { text, citations } = await readTurn(
      await sender.send({ session_id, content, file_ids: [uploaded.id] }),
    );
    expect(text).toBe('It has 412 subscribers , as the report says. Nothing is at .');
    expect(citations).toMatchObject([
      { number: 1, index: 'It has 412 subscribers '.length, file_id: uploaded.id, page: 4 },
    ]);
    await readTurn(await sender.send({ session_id, content: 'And then?' }));
    const { body } = callsTo('POST /v1/responses').at(-1)! as any;
    expect(body.conversation).toBeUndefined();
    expect(body.input[0]).toEqual({ role: 'user', content });
  });
});

describe('with a model that sends what PostgreSQL cannot hold', () => {
  beforeAll(() =>
    start({ reply: () => `Half a pair \ud83d and a nul \u0000 and 🥨 whole.`, token_delay_ms: 250 }),
  );
  afterAll(() => stop());

  it('the characters are replaced, the text is kept while it grows, and other turns are not harmed', async () => {
    const session_id = randomUUID();
    const { text, end } = await readTurn(await member.send({ session_id, content: 'Hello' }));
    expect(text).toBe('Half a pair \ufffd and a nul \ufffd and 🥨 whole.');
    expect(end).toMatchObject({ event: 'end', data: { status: 'done' } });
    const { messages } = await member.json(`/api/chat-sessions/${session_id}/messages`);
    expect(messages[1].content).toBe(text);
  });
});

describe('with an upstream that keeps one waiting', () => {
  beforeAll(() => start({}, { OPENAI_PATIENCE_S: '4' }));
  afterAll(() => stop());
  afterEach(async () => {
    const { end } = await readTurn(await member.send({ content: 'And the next turn works' }));
    expect(end).toMatchObject({ event: 'end', data: { status: 'done' } });
  });

  it.each([
    ['no answer', 'POST /v1/responses', { hang: true }, 'model_timed_out'],
    ['a stall in the middle', 'POST /v1/responses', { stall_after: 12 }, 'model_timed_out'],
    ['a refusal without end', 'POST /v1/responses', { refusal_without_end: 400 }, 'model_misconfigured'],
    ['no answer while the chat is made ready', 'POST /v1/conversations', { hang: true }, 'model_timed_out'],
    ['too long a wait that it asks for', 'POST /v1/responses', rateLimited(15_000), 'model_rate_limited'],
  ] as const)('%s: told in time, nothing counted, the text so far kept', async (_, path, fault, code) => {
    const sender = await server.signUp();
    const session_id = randomUUID();
    openai.faults.next(path, fault as never);
    const { text, end } = await readTurn(
      await sender.send({ session_id, content: 'A carousel about bread' }),
    );
    expect(end).toMatchObject({ event: 'error', data: { code, counted: false } });
    expect((await usageOf(sender)).messages).toBe(0);
    const { messages } = await sender.json(`/api/chat-sessions/${session_id}/messages`);
    expect(messages.slice(1).map((message: any) => message.content)).toEqual(text ? [text] : []);
    expect(text !== '').toBe('stall_after' in fault);
  });
});
