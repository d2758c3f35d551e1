import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { breakableDatabase } from '../testing/breakable-database.ts';
import { startFakeOpenAI } from '../testing/fake-openai/fake-openai.ts';
import { readAlong, readTurn } from '../testing/read-turn.ts';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';
import { cloneTemplate } from '../testing/test-postgres.ts';

let proxy: Awaited<ReturnType<typeof breakableDatabase>>;
let server: Awaited<ReturnType<typeof startTestServer>>;
let pool: pg.Pool;
let member: TestClient;

beforeAll(async () => {
  const database_url = await cloneTemplate(inject('admin_url'));
  proxy = await breakableDatabase(database_url);
  server = await startTestServer({ DATABASE_URL: proxy.url }, { word_delay_ms: 60 });
  pool = new pg.Pool({ connectionString: database_url, max: 2 });
  member = await server.signUp();
});
afterAll(async () => {
  await server.stop();
  await proxy.close();
  await pool.end();
});

async function usageOf(client: TestClient) {
  return (await client.json('/api/me')).subscription_usage.messages;
}

it('a running reply reaches its reader while the database is away, and is written when it is back', async () => {
  const sender = await server.signUp();
  const session_id = randomUUID();
  const { spoken, whole } = readAlong(sender.send({ session_id, content: 'A carousel about bread' }));
  await spoken;
  proxy.cut();
  try {
    const refused = await sender.send({ content: 'Meanwhile' });
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({
      code: 'unavailable',
      detail: expect.stringMatching(/^The database does not answer/),
    });
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
    // Until the reply is long over.
    await delay(6_000);
  } finally {
    proxy.restore();
  }
  const { text, end } = await whole;
  expect(end).toMatchObject({ event: 'end', data: { status: 'done' } });
  const { messages } = await sender.json(`/api/chat-sessions/${session_id}/messages`);
  expect(messages[1]).toMatchObject({ content: text, turn_status: 'done' });
  expect(await usageOf(sender)).toBe(1);
}, 60_000);

it('when the database hangs, a message is told to come again, and is answered and counted once', async () => {
  const sender = await server.signUp();
  const turn = { id: randomUUID(), session_id: randomUUID(), content: 'A carousel about rye' };
  proxy.hang();
  try {
    const refused = await sender.send(turn);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(await refused.json()).toMatchObject({ code: 'unavailable' });
  } finally {
    proxy.restore();
  }
  const { text, end } = await readTurn(await sender.send(turn));
  expect(end).toMatchObject({ event: 'end', data: { status: 'done' } });
  const { rows } = await pool.query(
    'select sender, content from public.chat_messages where session_id = $1 order by created_at',
    [turn.session_id],
  );
  expect(rows).toEqual([
    { sender: 'user', content: turn.content },
    { sender: 'assistant', content: text },
  ]);
  expect(await usageOf(sender)).toBe(1);
}, 60_000);

it('a conversation made at OpenAI while the database is away is recorded when it is back, and the reply goes on', async () => {
  const openai = await startFakeOpenAI();
  const there = await startTestServer({
    DATABASE_URL: proxy.url,
    OPENAI_API_KEY: openai.api_key,
    OPENAI_BASE_URL: openai.url,
  });
  try {
    const sender = await there.signUp();
    let restored: Promise<void> | undefined;
    openai.faults.next(
      ({ path }) => {
        if (path === '/v1/conversations' && !restored) {
          proxy.cut();
          restored = delay(1_500).then(() => proxy.restore());
        }
        return false;
      },
      { hang: true },
    );
    const session_id = randomUUID();
    const { end } = await readTurn(await sender.send({ session_id, content: 'A carousel about bread' }));
    expect(end).toMatchObject({ event: 'end', data: { status: 'done' } });
    const { rows } = await pool.query('select thread_id from public.chat_sessions where id = $1', [
      session_id,
    ]);
    expect([...openai.state.conversations.keys()]).toEqual([rows[0].thread_id]);
    await restored;
  } finally {
    await there.stop();
    await openai.close();
  }
});

it('a message that nobody waits for any more is answered all the same', async () => {
  const turn = { id: randomUUID(), session_id: randomUUID(), content: 'A carousel about spelt' };
  proxy.hang();
  const refused = await member.send(turn);
  proxy.restore();
  expect(refused.status).toBe(503);
  await vi.waitFor(
    async () => {
      const { rows } = await pool.query('select status from public.turns where id = $1', [turn.id]);
      expect(rows).toEqual([{ status: 'done' }]);
    },
    { timeout: 30_000, interval: 200 },
  );
}, 60_000);

it('a database that hangs for good keeps no server from stopping', async () => {
  const database_url = await cloneTemplate(inject('admin_url'));
  const own_proxy = await breakableDatabase(database_url);
  const own = await startTestServer({ DATABASE_URL: own_proxy.url }, { word_delay_ms: 60 });
  const sender = await own.signUp();
  const { spoken, whole } = readAlong(sender.send({ content: 'A carousel about bread' }));
  whole.catch(() => {});
  await spoken;
  own_proxy.hang();
  await own.stop();
  await own_proxy.close();
}, 120_000);
