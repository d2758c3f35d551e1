import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readTurn } from '../testing/read-turn.ts';
import { startTestServer } from '../testing/start-test-server.ts';

let server: Awaited<ReturnType<typeof startTestServer>>;
let pool: pg.Pool;
beforeAll(async () => {
  server = await startTestServer();
  pool = new pg.Pool({ connectionString: server.database_url, max: 2 });
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});

it('whoever signs up has a profile with the free plan', async () => {
  const member = await server.signUp({ is_confirmed: false });
  expect(await member.json('/api/me')).toMatchObject({
    email: member.email,
    subscription_plan: 'free',
    subscription_quota: { messages: 50, files: 10, tokens: 200_000 },
    subscription_usage: { messages: 0, files: 0, tokens: 0 },
    credits: 0,
    is_active: true,
    email_confirmed: false,
    unconfirmed_messages: 3,
    language: null,
    time_zone: null,
    role: 'member',
  });
});

it('the profile tells of the same meter, and the same moment of renewal, as billing does', async () => {
  const member = await server.signUp();
  await pool.query(
    `update public.profiles
     set created_at = '2024-01-31T10:00:00Z', quota_last_reset = now() - interval '40 days', message_credits = 7,
       subscription_usage = '{"messages": 50, "files": 3, "tokens": 9}'
     where email = $1`,
    [member.email],
  );
  const { quota, usage, credits, period_started_at, renews_at } = await member.json('/api/billing');
  expect(credits).toBe(7);
  expect(usage.messages).toBe(0);
  expect(Date.parse(renews_at)).toBeGreaterThan(Date.now());
  expect(await member.json('/api/me')).toMatchObject({
    ...{ subscription_quota: quota, subscription_usage: usage, credits, period_started_at, renews_at },
  });
});

it('a profile that the sign-up could not make is made at the first request, or by the first message', async () => {
  for (const first of ['/api/me', 'turn']) {
    const member = await server.signUp();
    await pool.query('delete from public.profiles where email = $1', [member.email]);
    if (first === 'turn') await readTurn(await member.send({ content: 'A carousel about bread' }));
    expect(await member.json('/api/me')).toMatchObject({ email: member.email });
  }
});

it('a token of a user whom Auth has deleted finds nothing any more, and the account is erased', async () => {
  const member = await server.signUp();
  const session_id = randomUUID();
  await readTurn(await member.send({ session_id, content: 'A carousel about bread' }));
  await pool.query('delete from auth.users where email = $1', [member.email]);
  expect((await member.fetch('/api/me')).status).toBe(401);
  expect((await member.fetch(`/api/chat-sessions/${session_id}`)).status).toBe(404);
  expect((await member.send({ content: 'Still here?' })).status).toBe(401);
  await vi.waitFor(
    async () => {
      // The job that erases is due each minute; deleting another chat wakes it now.
      const other = await server.signUp();
      const chat = randomUUID();
      await readTurn(await other.send({ session_id: chat, content: 'A carousel about tea' }));
      await other.fetch(`/api/chat-sessions/${chat}`, { method: 'DELETE' });
      expect(
        (await pool.query('select 1 from public.chat_sessions where id = $1', [session_id])).rowCount,
      ).toBe(0);
    },
    { timeout: 18_000, interval: 500 },
  );
});

it('a closed account is told so', async () => {
  const member = await server.signUp();
  await pool.query('update public.profiles set is_deleted = true, deleted_at = now() where email = $1', [
    member.email,
  ]);
  const answer = await member.fetch('/api/me');
  expect(answer.status).toBe(403);
  expect(await answer.json()).toMatchObject({ code: 'account_closed' });
});

it('without a token, or with a forged one, there is no profile', async () => {
  expect((await fetch(`${server.url}/api/me`)).status).toBe(401);
  const member = await server.signUp();
  const [header, claims] = member.token.split('.');
  const forged = await fetch(`${server.url}/api/me`, {
    headers: { authorization: `Bearer ${header}.${claims}.AAAA` },
  });
  expect(forged.status).toBe(401);
});
