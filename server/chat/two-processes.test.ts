import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAlong, readTurn, turnEvents } from '../testing/read-turn.ts';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';

type Server = Awaited<ReturnType<typeof startTestServer>>;

/** Two servers on one database, as behind a load balancer without sticky sessions. */
let here: Server;
let there: Server;
let pool: pg.Pool;
let member: TestClient;
let memberThere: TestClient;

beforeAll(async () => {
  const AUTH_JWT_SECRET = 'a secret that both of the servers share, long enough';
  here = await startTestServer({ AUTH_JWT_SECRET }, { word_delay_ms: 60 });
  there = await startTestServer({ AUTH_JWT_SECRET, DATABASE_URL: here.database_url }, { word_delay_ms: 60 });
  pool = new pg.Pool({ connectionString: here.database_url, max: 2 });
  member = await here.signUp();
  memberThere = there.signedIn(member);
});
afterAll(async () => {
  await pool.end();
  await there.stop();
  await here.stop();
});

test('a reply is joined in the other process, again and again, and every word arrives once', async () => {
  const id = randomUUID();
  const { spoken, whole } = readAlong(member.send({ id, content: 'A carousel about bread' }));
  await spoken;
  let text = '';
  for (let joined = 0; joined < 3; joined++) {
    const leaving = new AbortController();
    const answer = await memberThere.fetch(`/api/turns/${id}/events?after=${text.length}`, {
      signal: leaving.signal,
    });
    try {
      for await (const event of turnEvents(answer)) {
        if (event.event !== 'text') continue;
        text += event.data;
        expect(Number(event.id)).toBe(text.length);
        break;
      }
    } finally {
      leaving.abort();
    }
  }
  const rest = await readTurn(await memberThere.fetch(`/api/turns/${id}/events?after=${text.length}`));
  expect(text + rest.text).toBe((await whole).text);
  expect(rest.end).toMatchObject({ event: 'end', data: { status: 'done' } });
});

test('a reader who is ahead of what is kept in the database hears no word twice in the other process', async () => {
  const id = randomUUID();
  const whole = member.send({ id, content: 'A carousel about bread' });
  let text = '';
  // The first words are kept after a second.
  for await (const { event, data } of turnEvents(await whole)) {
    if (event === 'text') text += data;
    if (text.length > 20) break;
  }
  const heard = text;
  const answer = await memberThere.fetch(`/api/turns/${id}/events?after=${heard.length}`);
  for await (const { event, data, id: sequence } of turnEvents(answer)) {
    if (event !== 'text') continue;
    expect(Number(sequence) - data.length).toBe(text.length);
    text += data;
  }
  const { text: kept } = await readTurn(await member.fetch(`/api/turns/${id}/events`));
  expect(text).toBe(kept);
  expect(text.length).toBeGreaterThan(heard.length);
});

test('the same message sent to both at once is one message, one charge, one answer', async () => {
  const [id, session_id] = [randomUUID(), randomUUID()];
  const sender = await here.signUp();
  const senderThere = there.signedIn(sender);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => (index % 2 ? sender : senderThere))
      .map((client) => client.send({ id, session_id, content: 'A carousel about bread' }))
      .map(async (sent) => readTurn(await sent)),
  );
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  expect(answers.every(({ end }) => end?.event === 'end')).toBe(true);
  const { rows } = await pool.query('select sender from public.chat_messages where session_id = $1', [
    session_id,
  ]);
  expect(rows).toHaveLength(2);
  expect((await sender.json('/api/me')).subscription_usage.messages).toBe(1);
});

test('of 40 messages for one chat on both, one begins and the others are told to wait', async () => {
  const session_id = randomUUID();
  const sender = await here.signUp();
  const senderThere = there.signedIn(sender);
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      (index % 2 ? sender : senderThere).send({ session_id, content: `Message ${index}` }),
    ),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  const refused = answers.filter(({ status }) => status !== 200);
  for (const answer of refused) {
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({ code: 'turn_in_progress' });
  }
  await readTurn(answers.find(({ status }) => status === 200)!);
  expect((await sender.json('/api/me')).subscription_usage.messages).toBe(1);
});

test('a reply is stopped from the other process, and what was said stays', async () => {
  const [id, session_id] = [randomUUID(), randomUUID()];
  const reading = readAlong(member.send({ id, session_id, content: 'A carousel about bread' }));
  await reading.spoken;
  expect((await memberThere.fetch(`/api/turns/${id}/stop`, { method: 'POST' })).status).toBe(202);
  const { text, end } = await reading.whole;
  expect(end).toMatchObject({ event: 'end', data: { status: 'stopped' } });
  const { messages } = await memberThere.json(`/api/chat-sessions/${session_id}/messages`);
  expect(messages[1]).toMatchObject({ content: text, turn_status: 'stopped' });
});

test('nobody else joins or stops it, in either process', async () => {
  const id = randomUUID();
  const reading = readAlong(member.send({ id, content: 'A carousel about bread' }));
  await reading.spoken;
  const stranger = await there.signUp();
  for (const client of [stranger, here.signedIn(stranger)]) {
    expect((await client.fetch(`/api/turns/${id}/events`)).status).toBe(404);
    expect((await client.fetch(`/api/turns/${id}/stop`, { method: 'POST' })).status).toBe(404);
  }
  expect((await reading.whole).end).toMatchObject({ event: 'end', data: { status: 'done' } });
});
