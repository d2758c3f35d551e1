import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { callAuth, createAuthClient, listMailsTo } from '../testing/auth-client.ts';
import { signInAgain } from '../testing/sign-in-again.ts';
import { startTestServer } from '../testing/start-test-server.ts';

const AUTH_JWT_SECRET = 'a secret of at least thirty-two characters';
const password = 'a long password';
const newEmail = () => `member-${randomUUID()}@example.org`;

type Server = Awaited<ReturnType<typeof startTestServer>>;
let server: Server;
/** Another process on the same database. Behind a proxy, so that a test can come from anywhere. */
let other: Server;
let pool: pg.Pool;
beforeAll(async () => {
  server = await startTestServer({ AUTH_JWT_SECRET, TRUST_PROXY: '1' });
  other = await startTestServer({ AUTH_JWT_SECRET, TRUST_PROXY: '1', DATABASE_URL: server.database_url });
  pool = new pg.Pool({ connectionString: server.database_url, max: 2 });
});
afterAll(async () => {
  await pool.end();
  await other.stop();
  await server.stop();
});

let last_address = 0;
/** A client that nobody was before. */
const newClient = () => `192.0.2.${++last_address}`;

async function post(at: Server, path: string, body: object, client: string) {
  const { auth_key } = (await (await fetch(`${at.url}/api/config`)).json()) as { auth_key: string };
  const answer = await fetch(`${at.url}/auth/v1/${path}`, {
    method: 'POST',
    headers: { apikey: auth_key, 'x-forwarded-for': client },
    body: JSON.stringify(body),
  });
  const { error_code } = (await answer.json()) as { error_code?: string };
  return { status: answer.status, error_code, retry_after: Number(answer.headers.get('retry-after')) };
}

const tryPassword = (at: Server, email: string, password: string, client: string) =>
  post(at, 'token?grant_type=password', { email, password }, client);

/** Wrong passwords, half of them at each server, all at once. */
const tryWrong = (times: number, email: string, client: string) =>
  Promise.all(
    Array.from({ length: times }, (_, i) => tryPassword(i % 2 ? other : server, email, 'wrong', client)),
  );

const countsBy = (answers: { status: number }[]) => Object.groupBy(answers, ({ status }) => status);

describe('a wrong password', () => {
  test('is let through ten times for an account from one place, at all servers together, even at once', async () => {
    const { email } = await server.signUp();
    const client = newClient();
    const answers = countsBy(await tryWrong(14, email, client));
    expect(answers[400]).toHaveLength(10);
    expect(answers[429]).toHaveLength(4);
    const refused = await tryPassword(server, email, password, client);
    expect(refused).toMatchObject({ status: 429, error_code: 'over_request_rate_limit' });
    expect(refused.retry_after).toBeGreaterThan(0);
    expect(refused.retry_after).toBeLessThanOrEqual(15 * 60);
    // The owner at home is none the worse for it, nor is somebody else at that place.
    expect((await tryPassword(other, email, password, newClient())).status).toBe(200);
    expect((await tryPassword(server, (await server.signUp()).email, password, client)).status).toBe(200);
  });

  test('counts in the same way where there is no such account', async () => {
    const answers = countsBy(await tryWrong(12, newEmail(), newClient()));
    expect(answers[400]).toHaveLength(10);
    expect(answers[429]).toHaveLength(2);
  });

  test('is forgotten with the right one', async () => {
    const { email } = await server.signUp();
    const client = newClient();
    for (let round = 0; round < 2; round++) {
      expect(countsBy(await tryWrong(9, email, client))[400]).toHaveLength(9);
      expect((await tryPassword(other, email, password, client)).status).toBe(200);
    }
  });

  test('is let through again when the time is over', async () => {
    const { email } = await server.signUp();
    const client = newClient();
    await tryWrong(11, email, client);
    await pool.query('update rate_limits set expire = expire - 15 * 60 * 1000');
    expect((await tryPassword(server, email, password, client)).status).toBe(200);
  });

  test('is let through a hundred times from one place, whatever the accounts', async () => {
    const client = newClient();
    await pool.query('delete from rate_limits');
    await tryPassword(server, newEmail(), 'wrong', client);
    await pool.query(`update rate_limits set points = 100 where key like 'password_client:%'`);
    expect((await tryPassword(other, newEmail(), 'wrong', client)).status).toBe(429);
    expect((await tryPassword(other, newEmail(), 'wrong', newClient())).status).toBe(400);
  });

  test('is let through a thousand times a day for an account, more than one client can try, wherever from; a link by mail still goes', async () => {
    const { email } = await server.signUp();
    await pool.query('delete from rate_limits');
    await tryPassword(server, email, 'wrong', newClient());
    await pool.query(`update rate_limits set points = 1000 where key like 'password_account:%'`);
    expect((await tryPassword(other, email, password, newClient())).status).toBe(429);
    expect((await post(other, 'otp', { email }, newClient())).status).toBe(200);
  });

  test('is not held against somebody who signs in a hundred times', async () => {
    const { email } = await server.signUp();
    const client = newClient();
    await pool.query('delete from rate_limits');
    for (let i = 0; i < 3; i++) await tryPassword(server, email, password, client);
    const { rows } = await pool.query('select sum(points)::integer as points from rate_limits');
    expect(rows[0].points).toBe(0);
  });
});

test('a client cannot give itself another address where no proxy of ours stands in front', async () => {
  const direct = await startTestServer({ AUTH_JWT_SECRET, DATABASE_URL: server.database_url });
  try {
    const email = newEmail();
    const answers = await Promise.all(
      Array.from({ length: 11 }, () => tryPassword(direct, email, 'wrong', newClient())),
    );
    expect(countsBy(answers)[429]).toHaveLength(1);
  } finally {
    await direct.stop();
  }
});

describe.each(['recover', 'otp'])('a mail by POST %s', (path) => {
  test('is sent three times in a quarter of an hour for an address, whether it has an account or not', async () => {
    const known = (await server.signUp()).email;
    for (const email of [known, newEmail()]) {
      const answers = [];
      for (let i = 0; i < 4; i++)
        answers.push(await post(i % 2 ? other : server, path, { email }, newClient()));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
      expect(answers[3]).toMatchObject({ error_code: 'over_email_send_rate_limit' });
      expect(answers[3]!.retry_after).toBeGreaterThan(0);
    }
  });
});

test('both kinds of mail are counted together', async () => {
  const email = newEmail();
  for (const path of ['otp', 'recover', 'otp']) {
    expect((await post(server, path, { email: email.toUpperCase() }, newClient())).status).toBe(200);
  }
  expect((await post(server, 'recover', { email }, newClient())).status).toBe(429);
});

test('thirty mails an hour go out for one client, whatever the addresses', async () => {
  const client = newClient();
  await pool.query('delete from rate_limits');
  await post(server, 'otp', { email: newEmail() }, client);
  await pool.query(`update rate_limits set points = 30 where key like 'sign_in_mail_client:%'`);
  expect((await post(other, 'recover', { email: newEmail() }, client)).status).toBe(429);
});

test('a hundred sign-ups an hour from one client; a thousand where the site is this machine’s own', async () => {
  const client = newClient();
  const smtp = { SMTP_HOST: '127.0.0.1', SMTP_PORT: '1', MAIL_FROM: 'hello@coach.example.org' };
  const open = await startTestServer({
    ...smtp,
    AUTH_JWT_SECRET,
    TRUST_PROXY: '1',
    DATABASE_URL: server.database_url,
    PUBLIC_URL: 'https://coach.example.org',
  });
  try {
    for (const [at, key, points] of [
      [open, 'sign_up_client', 100],
      [server, 'sign_up_here', 1_000],
    ] as const) {
      await pool.query('delete from rate_limits');
      const signUp = () => post(at, 'signup', { email: newEmail(), password }, client);
      expect((await signUp()).status).toBe(200);
      await pool.query('update rate_limits set points = $1 where key like $2', [points - 1, `${key}:%`]);
      expect((await signUp()).status).toBe(200);
      expect(await signUp()).toMatchObject({ status: 429, error_code: 'over_request_rate_limit' });
    }
  } finally {
    await open.stop();
  }
});

test('an owner is told three times a day that somebody signs up with the address, and the answer stays the same', async () => {
  const { email } = await server.signUp();
  const answers = [];
  for (let i = 0; i < 5; i++) answers.push(await post(server, 'signup', { email, password }, newClient()));
  expect(new Set(answers.map(({ status, error_code }) => `${status} ${error_code}`))).toEqual(
    new Set(['422 signup_refused']),
  );
  await vi.waitFor(async () => expect(await listMailsTo(server, email)).toHaveLength(3), { timeout: 10_000 });
});

test('a link can be tried sixty times an hour from one client', async () => {
  await pool.query('delete from rate_limits');
  const body = { type: 'magiclink', token_hash: 'a'.repeat(64) };
  expect((await callAuth(server, 'POST', 'verify', body)).status).toBe(403);
  await pool.query('update rate_limits set points = 60');
  expect((await callAuth(other, 'POST', 'verify', body)).status).toBe(429);
});

test('the library of the web app tells a limit from a wrong password', async () => {
  const { email } = await server.signUp();
  await pool.query('delete from rate_limits');
  await tryPassword(server, email, 'wrong', '127.0.0.1');
  await pool.query(`update rate_limits set points = 10 where key like 'password_account_client:%'`);
  const client = await createAuthClient(server);
  const { error } = await client.signInWithPassword({ email, password });
  expect(error).toMatchObject({ status: 429, code: 'over_request_rate_limit' });
  await expect(signInAgain(server, { email })).rejects.toThrow('429');
});

test('neither an address nor a client can be read in the table', async () => {
  const email = newEmail();
  await tryPassword(server, email, 'wrong', '192.0.2.254');
  const { rows } = await pool.query('select * from rate_limits');
  expect(rows.length).toBeGreaterThan(0);
  expect(JSON.stringify(rows)).not.toMatch(/@|192\.0\.2/);
});
