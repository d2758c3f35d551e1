import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readTurn } from '../testing/read-turn.ts';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';

let server: Awaited<ReturnType<typeof startTestServer>>;
let member: TestClient;
let stranger: TestClient;
beforeAll(async () => {
  server = await startTestServer();
  [member, stranger] = await Promise.all([server.signUp(), server.signUp()]);
});
afterAll(() => server.stop());

async function startChat(client: TestClient, content: string) {
  const session_id = randomUUID();
  await readTurn(await client.send({ session_id, content }));
  return session_id;
}

it('chats are listed newest first under sensible titles, page by page, each once', async () => {
  const own = await server.signUp();
  const ids: string[] = [];
  for (let number = 1; number <= 5; number++)
    ids.push(await startChat(own, `Hello coach, topic number ${number} is bread.`));
  await readTurn(await own.send({ session_id: ids[1]!, content: 'More on the second' }));
  const listed: { id: string; title: string }[] = [];
  let cursor: string | null = null;
  do {
    const page: any = await own.json(`/api/chat-sessions?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
    listed.push(...page.chat_sessions);
    cursor = page.next_cursor;
  } while (cursor);
  expect(listed.map(({ id }) => id)).toEqual([ids[1], ids[4], ids[3], ids[2], ids[0]]);
  expect(listed.at(-1)?.title).toBe('Topic number 1 is bread');
});

it('a chat is renamed, and a title is cleaned and checked', async () => {
  const id = await startChat(member, 'A carousel about bread');
  const rename = (title: string) =>
    member.fetch(`/api/chat-sessions/${id}`, { method: 'PATCH', body: JSON.stringify({ title }) });
  expect(await (await rename('  Bread\n in ten slides ')).json()).toMatchObject({
    id,
    title: 'Bread  in ten slides',
  });
  expect((await rename('   ')).status).toBe(400);
  expect((await rename('a'.repeat(201))).status).toBe(400);
  expect((await member.json(`/api/chat-sessions/${id}`)).title).toBe('Bread  in ten slides');
});

it('a deleted chat is gone', async () => {
  const id = await startChat(member, 'A carousel about bread');
  expect((await member.fetch(`/api/chat-sessions/${id}`, { method: 'DELETE' })).status).toBe(204);
  expect((await member.fetch(`/api/chat-sessions/${id}`)).status).toBe(404);
  expect((await member.fetch(`/api/chat-sessions/${id}`, { method: 'DELETE' })).status).toBe(404);
});

it('the history comes page by page, oldest first within a page, each message once', async () => {
  const id = await startChat(member, 'Message 1');
  for (let number = 2; number <= 5; number++)
    await readTurn(await member.send({ session_id: id, content: `Message ${number}` }));
  const all = (await member.json(`/api/chat-sessions/${id}/messages`)).messages;
  expect(all).toHaveLength(10);
  const collected: any[] = [];
  let before: string | null = null;
  do {
    const page: any = await member.json(
      `/api/chat-sessions/${id}/messages?limit=3${before ? `&before=${before}` : ''}`,
    );
    collected.unshift(...page.messages);
    before = page.next_cursor;
  } while (before);
  expect(collected).toEqual(all);
});

it('a failed turn is told with its message, so that it can be sent again', async () => {
  const id = await startChat(member, 'A carousel about bread');
  const pool = new pg.Pool({ connectionString: server.database_url, max: 1 });
  await pool.query(
    `update public.turns set status = 'failed', error_code = 'model_cut_off' where session_id = $1`,
    [id],
  );
  await pool.end();
  const { failed_turn } = await member.json(`/api/chat-sessions/${id}/messages`);
  expect(failed_turn).toMatchObject({ error_code: 'model_cut_off', content: 'A carousel about bread' });
});

it('another member’s chat is not found by any route', async () => {
  const id = await startChat(member, 'A private matter');
  const calls: [string, RequestInit?][] = [
    [`/api/chat-sessions/${id}`],
    [`/api/chat-sessions/${id}/messages`],
    [`/api/chat-sessions/${id}`, { method: 'PATCH', body: '{"title": "Mine"}' }],
    [`/api/chat-sessions/${id}`, { method: 'DELETE' }],
  ];
  for (const [path, init] of calls) expect((await stranger.fetch(path, init)).status).toBe(404);
  expect((await stranger.send({ session_id: id, content: 'Let me in' })).status).toBe(404);
  expect((await stranger.json('/api/chat-sessions')).chat_sessions).toEqual([]);
  expect((await member.json(`/api/chat-sessions/${id}`)).title).toBe('A private matter');
});

it.each([
  'cursor=x',
  `cursor=${Buffer.from("2026-01-01T00:00:00Z 'or 1=1").toString('base64url')}`,
  `cursor=${Buffer.from(`2026-99-99T00:00:00Z ${randomUUID()}`).toString('base64url')}`,
  `cursor=${Buffer.from(`2026-01-01T00:00:00Z ${'-'.repeat(36)}`).toString('base64url')}`,
  'limit=0',
  'limit=1000',
])('a list with %s is refused', async (query) => {
  expect((await member.fetch(`/api/chat-sessions?${query}`)).status).toBe(400);
});

it.each([
  ['GET', '/api/chat-sessions'],
  ['GET', `/api/chat-sessions/${randomUUID()}`],
  ['GET', `/api/chat-sessions/${randomUUID()}/messages`],
  ['PATCH', `/api/chat-sessions/${randomUUID()}`],
  ['DELETE', `/api/chat-sessions/${randomUUID()}`],
])('%s %s wants a token', async (method, path) => {
  expect((await fetch(server.url + path, { method })).status).toBe(401);
});
