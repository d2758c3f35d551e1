import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { SignJWT } from 'jose';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { callAuth, createAuthClient, findMail, listMailsTo, readTokenHash } from '../testing/auth-client.ts';
import { signInAgain } from '../testing/sign-in-again.ts';
import { startTestServer } from '../testing/start-test-server.ts';

const password = 'a long password';
const newEmail = () => `member-${randomUUID()}@example.org`;

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

const isConfirmed = async (email: string) =>
  (await pool.query('select email_confirmed from profiles where email = $1', [email])).rows[0]
    .email_confirmed;

async function mailMagicLink(email: string) {
  const client = await createAuthClient(server);
  expect(await client.signInWithOtp({ email })).toMatchObject({ error: null });
  return readTokenHash(await findMail(server, email, /link to sign in/));
}

test('a member signs up, stays signed in, signs out and in again, all through the library of the web app', async () => {
  const email = newEmail();
  const client = await createAuthClient(server);
  const signed_up = await client.signUp({ email, password });
  expect(signed_up.error).toBeNull();
  expect((await client.refreshSession()).data.session?.user.email).toBe(email);
  expect((await client.getUser()).data.user?.email).toBe(email);
  expect((await client.signOut({ scope: 'local' })).error).toBeNull();
  expect((await client.getSession()).data.session).toBeNull();
  const signed_in = await client.signInWithPassword({ email, password });
  expect(signed_in.data.user?.email).toBe(email);
  // The case of an address does not matter.
  expect((await client.signInWithPassword({ email: email.toUpperCase(), password })).error).toBeNull();
});

test('a token of another installation is refused, by Auth and by the API', async () => {
  const other = await startTestServer();
  try {
    const stranger = await other.signUp();
    const answer = await callAuth(server, 'GET', 'user', undefined, stranger.token);
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ error_code: 'bad_jwt' });
    expect((await callAuth(server, 'PUT', 'user', { password: 'another one' }, stranger.token)).status).toBe(
      401,
    );
    expect((await server.signedIn(stranger).fetch('/api/me')).status).toBe(401);
    const forged = await new SignJWT({ sub: randomUUID(), role: 'authenticated', session_id: randomUUID() })
      .setProtectedHeader({ alg: 'HS256' })
      .setAudience('authenticated')
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode('another secret of at least thirty-two characters'));
    expect((await callAuth(server, 'GET', 'user', undefined, forged)).status).toBe(403);
  } finally {
    await other.stop();
  }
});

test.each([
  ['GET', 'verify?type=magiclink&token=abc'],
  ['POST', 'magiclink'],
  ['POST', 'resend'],
  ['POST', 'token'],
  ['POST', 'token?grant_type=id_token'],
  ['GET', 'admin/users'],
  ['POST', 'admin/users'],
  ['DELETE', 'admin/users/00000000-0000-4000-8000-000000000000'],
  ['POST', 'invite'],
  ['GET', 'reauthenticate'],
  ['DELETE', 'user'],
  ['GET', 'user/identities/authorize'],
  ['GET', 'authorize?provider=github'],
  ['GET', 'callback?code=a&state=b'],
  ['GET', 'constructor'],
])('%s %s is not there', async (method, path) => {
  const body = method === 'GET' ? undefined : { email: 'stranger@example.org' };
  const answer = await callAuth(server, method, path, body);
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ code: 404, error_code: 'not_found' });
});

test('without the public key nobody is let in', async () => {
  for (const [path, body] of [
    ['signup', { email: newEmail(), password }],
    ['token?grant_type=password', { email: newEmail(), password }],
    ['recover', { email: newEmail() }],
    ['otp', { email: newEmail() }],
  ] as const) {
    const answer = await fetch(`${server.url}/auth/v1/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    expect(answer.status, path).toBe(401);
  }
});

test.each(['', '{', 'null', '[]', '"text"', '{"email":{}}', '{"email":"a@example.org","password":{}}'])(
  'the body %j is refused in words that the library reads',
  async (body) => {
    const { auth_key } = (await (await fetch(`${server.url}/api/config`)).json()) as { auth_key: string };
    for (const path of ['signup', 'token?grant_type=password', 'recover', 'otp', 'verify']) {
      const answer = await fetch(`${server.url}/auth/v1/${path}`, {
        method: 'POST',
        headers: { apikey: auth_key },
        body,
      });
      if (answer.ok) expect(path).toMatch(/^recover|^otp/);
      else {
        expect([400, 403, 422], path).toContain(answer.status);
        expect(await answer.json(), path).toMatchObject({
          error_code: expect.any(String),
          msg: expect.any(String),
        });
      }
    }
  },
);

describe('an answer does not tell whether an address has an account', () => {
  test('at a wrong password', async () => {
    const { email } = await server.signUp();
    const answers = await Promise.all(
      [email, newEmail()].map(async (email) => {
        const answer = await callAuth(server, 'POST', 'token?grant_type=password', {
          email,
          password: 'wrong',
        });
        return { status: answer.status, body: await answer.text() };
      }),
    );
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toMatchObject({ status: 400, body: expect.stringContaining('invalid_credentials') });
  });

  test.each(['recover', 'otp'])('at POST %s, and only an account gets a mail', async (path) => {
    const { email } = await server.signUp();
    const nobody = newEmail();
    const answers = await Promise.all(
      [email, nobody].map(async (email) => {
        const answer = await callAuth(server, 'POST', path, { email, create_user: true });
        return { status: answer.status, body: await answer.text() };
      }),
    );
    expect(answers).toEqual([
      { status: 200, body: '{}' },
      { status: 200, body: '{}' },
    ]);
    await findMail(server, email, /password|sign in/);
    expect(await listMailsTo(server, nobody)).toEqual([]);
    expect((await pool.query('select 1 from auth.users where email = $1', [nobody])).rowCount).toBe(0);
  });

  test('at a sign-up in words; its owner is told by mail', async () => {
    const { email } = await server.signUp();
    const client = await createAuthClient(server);
    const { data, error } = await client.signUp({ email, password: 'another password' });
    expect(data.session).toBeNull();
    expect(error).toMatchObject({ status: 422, code: 'signup_refused' });
    expect(error!.message).not.toMatch(/exist|registered|taken/);
    const mail = await findMail(server, email, /have an account/);
    expect(mail.text).toContain('/sign-in');
    await expect(signInAgain(server, { email })).resolves.toBeTruthy();
  });
});

describe('a link by mail', () => {
  test('signs in once, and confirms the address', async () => {
    const { email } = await server.signUp({ is_confirmed: false });
    const token_hash = await mailMagicLink(email);
    const client = await createAuthClient(server);
    const { data, error } = await client.verifyOtp({ token_hash, type: 'magiclink' });
    expect(error).toBeNull();
    expect(data.user?.email).toBe(email);
    expect(await isConfirmed(email)).toBe(true);
    const again = await (await createAuthClient(server)).verifyOtp({ token_hash, type: 'magiclink' });
    expect(again.error).toMatchObject({ status: 403, code: 'otp_expired' });
  });

  test('works for one of two that use it at once', async () => {
    const { email } = await server.signUp();
    const token_hash = await mailMagicLink(email);
    const answers = await Promise.all(
      [1, 2].map(() => callAuth(server, 'POST', 'verify', { type: 'magiclink', token_hash })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 403]);
  });

  test('dies with the next one', async () => {
    const { email } = await server.signUp();
    const first = await mailMagicLink(email);
    const client = await createAuthClient(server);
    await client.resetPasswordForEmail(email);
    const second = readTokenHash(await findMail(server, email, /new password/));
    expect((await client.verifyOtp({ token_hash: first, type: 'magiclink' })).error?.code).toBe(
      'otp_expired',
    );
    expect((await client.verifyOtp({ token_hash: second, type: 'recovery' })).error).toBeNull();
  });

  test('is too old after an hour', async () => {
    const { email } = await server.signUp();
    const token_hash = await mailMagicLink(email);
    await pool.query(
      `update auth.users set recovery_sent_at = recovery_sent_at - interval '61 minutes' where email = $1`,
      [email],
    );
    const client = await createAuthClient(server);
    expect((await client.verifyOtp({ token_hash, type: 'magiclink' })).error?.code).toBe('otp_expired');
  });

  test('cannot be guessed from the address: its secret is no short number', async () => {
    const { email } = await server.signUp();
    await mailMagicLink(email);
    // SHA-256 of the address and the digits: six of them would be a million tries.
    const { rows } = await pool.query(
      `select recovery_token from auth.users where email = $1
       and not exists (
         select from generate_series(0, 999999) as digits
         where encode(sha256(convert_to(users.email || lpad(digits::text, 6, '0'), 'utf8')), 'hex') = recovery_token
       )`,
      [email],
    );
    expect(rows).toHaveLength(1);
  });

  test.each(['signup', 'invite', 'email', 'reauthentication', undefined])(
    'of the kind %s is none of ours',
    async (type) => {
      const { email } = await server.signUp();
      const token_hash = await mailMagicLink(email);
      const answer = await callAuth(server, 'POST', 'verify', { type, token_hash });
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({ error_code: 'otp_expired' });
    },
  );

  test('takes a stranger who signed up with the address before everything: password, sessions, plans', async () => {
    const stranger = await server.signUp({ is_confirmed: false });
    const { email } = stranger;
    const second = await signInAgain(server, stranger);
    await callAuth(server, 'PUT', 'user', { email: newEmail() }, stranger.token);
    const token_hash = await mailMagicLink(email);
    const owner = await createAuthClient(server);
    const { data } = await owner.verifyOtp({ token_hash, type: 'magiclink' });
    const owner_at_api = server.signedIn({ ...stranger, token: data.session!.access_token });
    for (const { token } of [stranger, second]) {
      expect((await callAuth(server, 'GET', 'user', undefined, token)).status).toBe(403);
      expect((await server.signedIn({ ...stranger, token }).fetch('/api/me')).status).toBe(401);
    }
    await expect(signInAgain(server, stranger)).rejects.toThrow('400');
    expect(await owner_at_api.json('/api/me')).toMatchObject({ email, email_confirmed: true });
    expect((await owner.refreshSession()).error).toBeNull();
    expect(
      (
        await pool.query('select 1 from email_changes join profiles on id = user_id where email = $1', [
          email,
        ])
      ).rowCount,
    ).toBe(0);
    await findMail(server, email, /no password/);
  });

  test('leaves the password of a member whose address was confirmed, and the other devices', async () => {
    const member = await server.signUp();
    const token_hash = await mailMagicLink(member.email);
    const client = await createAuthClient(server);
    expect((await client.verifyOtp({ token_hash, type: 'magiclink' })).error).toBeNull();
    await expect(signInAgain(server, member)).resolves.toBeTruthy();
    expect((await member.fetch('/api/me')).status).toBe(200);
  });
});

describe('while the mail server is down', () => {
  test('asking for a link is answered as ever', async () => {
    // It takes connections and says nothing.
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await vi.waitFor(() => expect(silent.listening).toBe(true), { timeout: 20_000 });
    const down = await startTestServer({
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String((silent.address() as { port: number }).port),
      MAIL_FROM: 'hello@coach.example.org',
    });
    try {
      const { email } = await down.signUp();
      for (const path of ['recover', 'otp']) {
        const answer = await callAuth(down, 'POST', path, { email });
        expect(answer.status).toBe(200);
        expect(await answer.json()).toEqual({});
      }
    } finally {
      await down.stop();
      silent.close();
    }
  });
});
