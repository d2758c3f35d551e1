import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { countRoundTrips } from '../testing/count-round-trips.ts';
import { readAlong, readTurn, turnEvents } from '../testing/read-turn.ts';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';
import { cloneTemplate } from '../testing/test-postgres.ts';

type Server = Awaited<ReturnType<typeof startTestServer>>;

describe('turns over HTTP', () => {
  let server: Server;
  let member: TestClient;
  let pool: pg.Pool;
  beforeAll(async () => {
    server = await startTestServer();
    member = await server.signUp();
    pool = new pg.Pool({ connectionString: server.database_url, max: 2 });
  });
  afterAll(async () => {
    await pool.end();
    await server.stop();
  });

  it('a message is answered word by word, and the sequence number is the length of the text so far', async () => {
    const id = randomUUID();
    const session_id = randomUUID();
    const { events, opening, end, text } = await readTurn(
      await member.send({ id, session_id, content: 'I want a carousel about pricing for freelancers' }),
    );
    expect(opening).toMatchObject({
      id,
      session_id,
      title: 'I want a carousel about pricing for freelancers',
    });
    const stretches = events.filter(({ event }) => event === 'text');
    expect(stretches.length).toBeGreaterThan(20);
    let length = 0;
    for (const stretch of stretches) {
      length += stretch.data.length;
      expect(stretch.id).toBe(String(length));
    }
    expect(text).toContain('practice coach');
    expect(end).toMatchObject({ event: 'end', data: { status: 'done', allowance: { messages: 49 } } });
    const { messages } = await member.json(`/api/chat-sessions/${session_id}/messages`);
    expect(messages).toMatchObject([
      { sender: 'user', content: 'I want a carousel about pricing for freelancers', turn_status: 'done' },
      { id: end!.data.message_id, sender: 'assistant', content: text, turn_status: 'done' },
    ]);
  });

  it('the same turn sent again, at once or later, is one message, one charge and the same answer', async () => {
    const sender = await server.signUp();
    const turn = { id: randomUUID(), session_id: randomUUID(), content: 'A carousel about sourdough' };
    const replies = await Promise.all(
      Array.from({ length: 20 }, async () => readTurn(await sender.send(turn))),
    );
    const later = await readTurn(await sender.send(turn));
    expect(new Set([...replies, later].map(({ text }) => text)).size).toBe(1);
    expect(replies[0]!.text.length).toBeGreaterThan(50);
    expect((await sender.json('/api/me')).subscription_usage.messages).toBe(1);
    expect((await sender.json(`/api/chat-sessions/${turn.session_id}/messages`)).messages).toHaveLength(2);
  });

  it.each([
    ['no text and no file', { content: '  ' }, 400, 'invalid_request'],
    ['an id that is none', { id: 'x', content: 'Hello' }, 400, 'invalid_request'],
    ['a text that is too long', { content: 'a'.repeat(50_001) }, 400, 'invalid_request'],
    ['an unknown coach', { content: 'Hello', assistant_slug: 'nobody' }, 404, 'not_found'],
    ['a file that is not there', { content: 'Hello', file_ids: [randomUUID()] }, 404, 'not_found'],
  ])('%s is refused in words, and nothing is counted', async (_, turn, status, code) => {
    const sender = await server.signUp();
    const answer = await sender.send(turn);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    const problem = (await answer.json()) as { code: string; detail: string };
    expect(problem).toMatchObject({ code });
    expect(problem.detail).toMatch(/^[A-Z].*\.$/);
    expect((await sender.json('/api/me')).subscription_usage.messages).toBe(0);
  });

  it('characters that PostgreSQL cannot hold are taken out, and the rest arrives', async () => {
    const session_id = randomUUID();
    await readTurn(await member.send({ session_id, content: 'A\0 carousel \ud800 about 🥨' }));
    const { messages } = await member.json(`/api/chat-sessions/${session_id}/messages`);
    expect(messages[0].content).toBe('A carousel \ufffd about 🥨');
  });

  it('without a token nothing is sent, joined or stopped', async () => {
    const paths: [string, RequestInit][] = [
      [`/api/chat-sessions/${randomUUID()}/turns`, { method: 'POST', body: '{}' }],
      [`/api/turns/${randomUUID()}/events`, {}],
      [`/api/turns/${randomUUID()}/stop`, { method: 'POST' }],
    ];
    for (const [path, init] of paths) expect((await fetch(server.url + path, init)).status).toBe(401);
  });

  it('when the allowance is used up, it says so and keeps the rest usable', async () => {
    const sender = await server.signUp();
    await pool.query(
      `update public.profiles set subscription_quota = '{"messages": 1, "files": 0, "tokens": null}' where email = $1`,
      [sender.email],
    );
    await readTurn(await sender.send({ content: 'The first' }));
    const refused = await sender.send({ content: 'The second' });
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({
      code: 'quota_exhausted',
      counter: 'messages',
      allowances: { messages: 0 },
    });
  });

  it('an account that is closed or paused cannot send', async () => {
    for (const [change, code] of [
      ['is_active = false', 'account_inactive'],
      ['is_deleted = true, deleted_at = now()', 'account_closed'],
    ]) {
      const sender = await server.signUp();
      await pool.query(`update public.profiles set ${change} where email = $1`, [sender.email]);
      const refused = await sender.send({ content: 'Hello' });
      expect(refused.status).toBe(403);
      expect(await refused.json()).toMatchObject({ code });
    }
  });

  it('a turn that ended in another process, or was left by one, is told from its row', async () => {
    const id = randomUUID();
    const { text, end } = await readTurn(await member.send({ id, content: 'A carousel about bread' }));
    await pool.query(
      `update public.turns set status = 'failed', error_code = 'server_stopped' where id = $1`,
      [id],
    );
    const joined = await readTurn(await member.fetch(`/api/turns/${id}/events?after=10`));
    expect(joined.text).toBe(text.slice(10));
    expect(joined.end).toMatchObject({ event: 'error', data: { code: 'server_stopped', counted: false } });
    expect(end?.event).toBe('end');
  });

  it('a turn that another process answers is followed to its end', async () => {
    const [id, session_id] = [randomUUID(), randomUUID()];
    await readTurn(await member.send({ id, session_id, content: 'A carousel about bread' }));
    await pool.query(
      `update public.turns set status = 'answering', finished_at = null, reply = 'Word', assistant_message_id = null where id = $1`,
      [id],
    );
    const events = turnEvents(await member.fetch(`/api/turns/${id}/events?after=0`));
    expect((await events.next()).value).toMatchObject({ event: 'turn' });
    expect((await events.next()).value).toMatchObject({ event: 'text', data: 'Word', id: '4' });
    await pool.query(`update public.turns set reply = 'Word by word' where id = $1`, [id]);
    expect((await events.next()).value).toMatchObject({ event: 'text', data: ' by word', id: '12' });
    await pool.query(
      `select public.finish_turn($1, 'done', null, 'Word by word.', '[]', false, false, '{}', null)`,
      [id],
    );
    expect((await events.next()).value).toMatchObject({ event: 'text', data: '.', id: '13' });
    expect((await events.next()).value).toMatchObject({ event: 'end', data: { status: 'done' } });
  });

  it('headers keep a proxy from holding the stream back', async () => {
    const answer = await member.send({ content: 'A carousel about bread' });
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(answer.headers.get('x-accel-buffering')).toBe('no');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    await readTurn(answer);
  });
});

describe('a reply that takes its time', () => {
  let server: Server;
  let member: TestClient;
  beforeAll(async () => {
    server = await startTestServer({}, { word_delay_ms: 40 });
    member = await server.signUp();
  });
  afterAll(() => server.stop());

  it('goes on when its reader leaves, and whoever joins gets every word once', async () => {
    const [id, session_id] = [randomUUID(), randomUUID()];
    const leaving = new AbortController();
    const answer = await member.fetch(`/api/chat-sessions/${session_id}/turns`, {
      method: 'POST',
      body: JSON.stringify({ id, assistant_slug: 'carousel', content: 'A carousel about bread' }),
      signal: leaving.signal,
    });
    let seen = '';
    let last = 0;
    for await (const event of turnEvents(answer)) {
      if (event.event !== 'text') continue;
      seen += event.data;
      last = Number(event.id);
      if (seen.length > 60) break;
    }
    leaving.abort();
    const [rest, whole] = await Promise.all([
      readTurn(await member.fetch(`/api/turns/${id}/events?after=${last}`)),
      readTurn(await member.fetch(`/api/turns/${id}/events`)),
    ]);
    expect(seen + rest.text).toBe(whole.text);
    expect(whole.end?.event).toBe('end');
    const { messages } = await member.json(`/api/chat-sessions/${session_id}/messages`);
    expect(messages[1].content).toBe(whole.text);
  });

  it('cannot be joined or stopped by another member: 404', async () => {
    const stranger = await server.signUp();
    const id = randomUUID();
    const reading = readAlong(member.send({ id, content: 'A carousel about bread' }));
    await reading.spoken;
    expect((await stranger.fetch(`/api/turns/${id}/events`)).status).toBe(404);
    expect((await stranger.fetch(`/api/turns/${id}/stop`, { method: 'POST' })).status).toBe(404);
    expect((await stranger.send({ id, content: 'Mine' })).status).toBe(409);
    expect((await reading.whole).end).toMatchObject({ event: 'end', data: { status: 'done' } });
  });

  it('stops when its member says so: what was said stays', async () => {
    const [id, session_id] = [randomUUID(), randomUUID()];
    const reading = readAlong(member.send({ id, session_id, content: 'A carousel about bread' }));
    await reading.spoken;
    const { running_turn } = await member.json(`/api/chat-sessions/${session_id}/messages`);
    expect(running_turn).toMatchObject({ id });
    expect((await member.fetch(`/api/turns/${id}/stop`, { method: 'POST' })).status).toBe(202);
    const { text, end } = await reading.whole;
    expect(end).toMatchObject({ event: 'end', data: { status: 'stopped' } });
    const after = await member.json(`/api/chat-sessions/${session_id}/messages`);
    expect(after.messages[1]).toMatchObject({ content: text, turn_status: 'stopped' });
    expect(after.running_turn).toBeNull();
  });

  it('keeps a second message of the same chat waiting outside, with a clear answer', async () => {
    const session_id = randomUUID();
    const reading = readAlong(member.send({ session_id, content: 'A carousel about bread' }));
    await reading.spoken;
    const second = await member.send({ session_id, content: 'And quickly' });
    expect(second.status).toBe(409);
    expect(await second.json()).toMatchObject({ code: 'turn_in_progress' });
    expect((await reading.whole).end?.event).toBe('end');
  });

  it('ends when its chat is deleted: what was said counts, as a stop does, and nothing is left', async () => {
    const sender = await server.signUp();
    const session_id = randomUUID();
    const reading = readAlong(sender.send({ session_id, content: 'A carousel about bread' }));
    await reading.spoken;
    expect((await sender.fetch(`/api/chat-sessions/${session_id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await reading.whole).end).toMatchObject({ event: 'end', data: { status: 'stopped' } });
    expect((await sender.fetch(`/api/chat-sessions/${session_id}/messages`)).status).toBe(404);
    expect((await sender.json('/api/me')).subscription_usage.messages).toBe(1);
  });

  it('is settled too when its row is deleted behind the server’s back, and its reader is told', async () => {
    const pool = new pg.Pool({ connectionString: server.database_url, max: 1 });
    const sender = await server.signUp();
    const session_id = randomUUID();
    const reading = readAlong(sender.send({ session_id, content: 'A carousel about bread' }));
    await vi.waitFor(
      async () => {
        const { rows } = await pool.query('select reply from public.turns where session_id = $1', [
          session_id,
        ]);
        expect(rows[0]?.reply).toBeTruthy();
      },
      { timeout: 10_000, interval: 50 },
    );
    await pool.query('delete from public.chat_sessions where id = $1', [session_id]);
    await pool.end();
    expect((await reading.whole).end).toMatchObject({
      event: 'error',
      data: { code: 'not_found', counted: true },
    });
    const usage = (await sender.json('/api/me')).subscription_usage;
    expect(usage.messages).toBe(1);
    expect(usage.tokens).toBeGreaterThan(0);
  });

  it('that another server gave up is told as that, and not as a chat that is gone', async () => {
    const pool = new pg.Pool({ connectionString: server.database_url, max: 1 });
    const id = randomUUID();
    const reading = readAlong(member.send({ id, content: 'A carousel about bread' }));
    await reading.spoken;
    await pool.query(
      `select public.finish_turn($1, 'failed', 'server_stopped', 'Half', '[]', false, false, '{}', null)`,
      [id],
    );
    await pool.end();
    expect((await reading.whole).end).toMatchObject({
      event: 'error',
      data: { code: 'server_stopped', counted: false },
    });
  });

  it('is given back when the server stops, and its text so far is kept', async () => {
    const own = await startTestServer({}, { word_delay_ms: 60 });
    const sender = await own.signUp();
    const reading = readAlong(sender.send({ content: 'A carousel about bread' }));
    await reading.spoken;
    await own.stop();
    expect((await reading.whole).end).toMatchObject({
      event: 'error',
      data: { code: 'server_stopped', counted: false },
    });
    const pool = new pg.Pool({ connectionString: own.database_url, max: 1 });
    const { rows } = await pool.query('select status, error_code from public.turns');
    const usage = await pool.query(`select subscription_usage from public.profiles where email = $1`, [
      sender.email,
    ]);
    await pool.end();
    expect(rows).toEqual([{ status: 'failed', error_code: 'server_stopped' }]);
    expect(usage.rows[0].subscription_usage.messages).toBe(0);
  });
});

it('a turn is two database round trips: begin and finish', async () => {
  const counted = await countRoundTrips(await cloneTemplate(inject('admin_url')), 'touchline');
  const server = await startTestServer({ DATABASE_URL: counted.url });
  try {
    const member = await server.signUp();
    const session_id = randomUUID();
    await readTurn(await member.send({ session_id, content: 'A carousel about bread' }));
    // The pool's connections are open now; what follows is statements alone.
    const before = counted.count;
    await readTurn(
      await member.send({ session_id, content: 'Most people think bread is simple, but it is time.' }),
    );
    expect(counted.count - before).toBe(2);
  } finally {
    await server.stop();
    counted.close();
  }
});
