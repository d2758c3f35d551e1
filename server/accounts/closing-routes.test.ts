import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createDatabase, createPool } from '../platform/database.ts';
import { createLogger } from '../platform/logger.ts';
import { createOutbox } from '../platform/mail/outbox.ts';
import { readAlong, readTurn } from '../testing/read-turn.ts';
import { signInAgain } from '../testing/sign-in-again.ts';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';
import { claimClosing } from './closing-queries.ts';
import { runClosers } from './run-closers.ts';

type Server = Awaited<ReturnType<typeof startTestServer>>;

/** Two servers on one database, as behind a load balancer. */
let here: Server;
let there: Server;
let pool: pg.Pool;
beforeAll(async () => {
  const AUTH_JWT_SECRET = 'a secret that both of the servers share, long enough';
  here = await startTestServer({ AUTH_JWT_SECRET }, { word_delay_ms: 60 });
  there = await startTestServer({ AUTH_JWT_SECRET, DATABASE_URL: here.database_url }, { word_delay_ms: 60 });
  pool = new pg.Pool({ connectionString: here.database_url, max: 3 });
});
afterAll(async () => {
  await pool.end();
  await there.stop();
  await here.stop();
});

const close = (member: TestClient, confirmation = member.email) =>
  member.fetch('/api/me/close', { method: 'POST', body: JSON.stringify({ confirmation }) });
const restore = (member: TestClient) => member.fetch('/api/me/restore', { method: 'POST' });

async function findProfile({ email }: { email: string }) {
  const { rows } = await pool.query('select * from public.profiles where email = $1', [email]);
  return rows[0];
}

/** The mails of both servers: either of them may have done the job. */
async function listMails(to: string) {
  const mails = [here, there].map(({ folder }) => createOutbox(folder).list());
  return (await Promise.all(mails)).flat().filter((mail) => mail.to === to);
}

it('an account is closed only by typing its address, in whatever case, and for nobody else', async () => {
  const member = await here.signUp();
  const other = await here.signUp();
  for (const confirmation of ['', 'close', other.email, `${member.email}x`]) {
    const answer = await close(member, confirmation);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: 'invalid_request' });
  }
  expect((await fetch(`${here.url}/api/me/close`, { method: 'POST' })).status).toBe(401);
  expect(await findProfile(member)).toMatchObject({ is_deleted: false, erase_after: null });
  expect((await close(member, ` ${member.email.toUpperCase()} `)).status).toBe(200);
  expect(await findProfile(other)).toMatchObject({ is_deleted: false });
});

it('closing says until when it can be restored, ends every session, and takes an operator the role', async () => {
  const member = await here.signUp();
  const elsewhere = await signInAgain(here, member);
  const { id, auth_id } = await findProfile(member);
  await pool.query(`insert into public.user_roles (user_id, role) values ($1, 'operator')`, [id]);
  const answer = await close(member);
  const closed = (await answer.json()) as any;
  expect(Date.parse(closed.erased_on) - Date.parse(closed.deleted_at)).toBe(30 * 24 * 3600_000);
  expect((await member.fetch('/api/me')).status).toBe(401);
  expect((await elsewhere.fetch('/api/me')).status).toBe(401);
  const sessions = await pool.query('select from auth.sessions where user_id = $1', [auth_id]);
  expect(sessions.rowCount).toBe(0);

  const back = await signInAgain(there, member);
  const refused = await back.fetch('/api/me');
  expect(refused.status).toBe(403);
  expect(await refused.json()).toMatchObject({
    code: 'account_closed',
    deleted_at: closed.deleted_at,
    erased_on: closed.erased_on,
  });
  expect((await back.send({ content: 'Still here?' })).status).toBe(403);
  expect((await restore(back)).status).toBe(204);
  expect(await back.json('/api/me')).toMatchObject({ email: member.email, role: 'member' });
});

it('a restored account is as it was, its mails say what happened, and restoring again does nothing', async () => {
  const member = await here.signUp();
  const session_id = randomUUID();
  const { text } = await readTurn(await member.send({ session_id, content: 'A carousel about bread' }));
  const before = await member.json('/api/me');
  const { erased_on } = (await (await close(member)).json()) as any;
  await vi.waitFor(
    async () => {
      const [mail] = (await listMails(member.email)).filter(({ subject }) => subject.includes('is closed'));
      const day = Number(erased_on.slice(8, 10));
      expect(mail!.text).toContain(`until ${day} `);
      expect(mail!.text).toContain(`${erased_on.slice(11, 16)} UTC`);
    },
    { timeout: 15_000, interval: 200 },
  );
  const back = await signInAgain(here, member);
  expect((await restore(back)).status).toBe(204);
  expect((await restore(back)).status).toBe(204);
  expect(await back.json('/api/me')).toEqual(before);
  const { messages } = await back.json(`/api/chat-sessions/${session_id}/messages`);
  expect(messages[1]).toMatchObject({ content: text });
  await vi.waitFor(
    async () => {
      const mails = (await listMails(member.email)).filter(({ subject }) => subject.includes('open again'));
      expect(mails).toHaveLength(1);
    },
    { timeout: 20_000 },
  );
});

it('after 30 days nothing is restored, though no job has run yet', async () => {
  const member = await here.signUp();
  await close(member);
  await pool.query(`update public.profiles set deleted_at = now() - interval '30 days' where email = $1`, [
    member.email,
  ]);
  const back = await signInAgain(here, member);
  const answer = await restore(back);
  expect(answer.status).toBe(403);
  expect(await answer.json()).toMatchObject({
    code: 'account_closed',
    detail: expect.stringContaining('is over'),
  });
  expect(await findProfile(member)).toMatchObject({ is_deleted: true });
});

it('closed on both servers at once, it is closed once', async () => {
  const member = await here.signUp();
  const answers = await Promise.all([close(member), close(there.signedIn(member)), close(member)]);
  const said = await Promise.all(answers.filter(({ ok }) => ok).map((answer) => answer.text()));
  // One that came after the sign-out was refused as such.
  expect(answers.every(({ status }) => status === 200 || status === 401)).toBe(true);
  expect(new Set(said).size).toBe(1);
});

it.each(['the same server', 'another server'])(
  'closed on %s in the middle of a reply: it ends as stopped, its text is kept, and it counts once',
  async (which) => {
    const member = await here.signUp();
    const memberThere = there.signedIn(member);
    const [id, session_id] = [randomUUID(), randomUUID()];
    const reading = readAlong(member.send({ id, session_id, content: 'A carousel about bread' }));
    await reading.spoken;
    const following = readAlong(memberThere.fetch(`/api/turns/${id}/events`));
    await following.spoken;
    expect((await close(which === 'another server' ? memberThere : member)).status).toBe(200);
    const [read, followed] = await Promise.all([reading.whole, following.whole]);
    expect(read.end).toMatchObject({ event: 'end', data: { status: 'stopped' } });
    expect(followed).toMatchObject({ text: read.text, end: { event: 'end', data: { status: 'stopped' } } });

    const back = await signInAgain(here, member);
    expect((await restore(back)).status).toBe(204);
    const { messages } = await back.json(`/api/chat-sessions/${session_id}/messages`);
    expect(messages[1]).toMatchObject({ content: read.text, turn_status: 'stopped' });
    expect((await back.json('/api/me')).subscription_usage.messages).toBe(1);
  },
);

it('closed as a reply begins, the message is given back unless a word of it was said', async () => {
  const slow = await startTestServer({}, { word_delay_ms: 400 });
  try {
    const member = await slow.signUp();
    const id = randomUUID();
    const answer = await member.send({ id, content: 'A carousel about bread' });
    expect((await close(member)).status).toBe(200);
    const { text, end } = await readTurn(answer);
    const back = await signInAgain(slow, member);
    await restore(back);
    expect(end).toMatchObject({ event: 'end', data: { status: 'stopped' } });
    expect((await back.json('/api/me')).subscription_usage.messages).toBe(text === '' ? 0 : 1);
  } finally {
    await slow.stop();
  }
});

it('what is to be done elsewhere is done until it succeeds, by one server at a time, and not for a restored account', async () => {
  const database = createDatabase(createPool(here.database_url, 2, createLogger('silent')));
  try {
    const [stays, returns] = [await here.signUp(), await here.signUp()];
    for (const member of [stays, returns]) {
      await close(member);
      const { id } = await findProfile(member);
      await pool.query(`insert into public.account_closings (user_id, closer) values ($1, 'subscription')`, [
        id,
      ]);
    }
    await restore(await signInAgain(here, returns));
    const asked: (string | null)[] = [];
    let is_down = true;
    const closers = {
      async subscription({ email }: { email: string | null }) {
        asked.push(email);
        if (is_down) throw new Error('Stripe is away');
      },
    };
    const run = () => Promise.all([1, 2, 3].map(() => runClosers(database, closers, createLogger('silent'))));
    await run();
    await run();
    expect(asked).toEqual([stays.email]);
    await pool.query(
      `update public.account_closings set next_attempt_at = now() where closer = 'subscription'`,
    );
    is_down = false;
    await run();
    await pool.query(
      `update public.account_closings set next_attempt_at = now() where closer = 'subscription'`,
    );
    await run();
    expect(asked).toEqual([stays.email, stays.email]);
    expect(await claimClosing(database, ['subscription'])).toBeUndefined();
  } finally {
    await database.destroy();
  }
});

it('an account that was closed before there was a time for it stays, and is not restored by signing in', async () => {
  const member = await here.signUp();
  await pool.query(
    `alter table public.profiles disable trigger profiles_set_erase_after;
     update public.profiles set is_deleted = true, deleted_at = '2025-01-01' where email = '${member.email}';
     alter table public.profiles enable trigger profiles_set_erase_after`,
  );
  expect(await findProfile(member)).toMatchObject({ is_deleted: true, erase_after: null });
  const answer = await member.fetch('/api/me');
  expect(await answer.json()).toMatchObject({ code: 'account_closed', erased_on: null });
  expect((await restore(member)).status).toBe(403);
  // Closed in SQL from now on, it has its 30 days too.
  const other = await here.signUp();
  await pool.query('update public.profiles set is_deleted = true, deleted_at = now() where email = $1', [
    other.email,
  ]);
  expect((await findProfile(other)).erase_after).not.toBeNull();
});
