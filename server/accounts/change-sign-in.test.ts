import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { callAuth, createAuthClient, findMail, listMailsTo, readTokenHash } from '../testing/auth-client.ts';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';

const AUTH_JWT_SECRET = 'a secret of at least thirty-two characters';
const password = 'a long password';
const new_password = 'another long password';

type Server = Awaited<ReturnType<typeof startTestServer>>;
let server: Server;
let pool: pg.Pool;
beforeAll(async () => {
  server = await startTestServer({ AUTH_JWT_SECRET });
  pool = new pg.Pool({ connectionString: server.database_url, max: 2 });
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});

let member: TestClient;
let client: Awaited<ReturnType<typeof createAuthClient>>;
beforeEach(async () => {
  member = await server.signUp();
  client = await createAuthClient(server);
  await client.signInWithPassword({ email: member.email, password });
});

const signInWith = async (password: string) =>
  (await (await createAuthClient(server)).signInWithPassword({ email: member.email, password })).error?.code;

async function openRecovery() {
  const recovered = await createAuthClient(server);
  await recovered.resetPasswordForEmail(member.email);
  const token_hash = readTokenHash(await findMail(server, member.email, /new password/));
  expect((await recovered.verifyOtp({ token_hash, type: 'recovery' })).error).toBeNull();
  return recovered;
}

describe('a new password', () => {
  test('needs the present one', async () => {
    const without = await client.updateUser({ password: new_password });
    expect(without.error).toMatchObject({ status: 400, code: 'current_password_required' });
    const wrong = await client.updateUser({ password: new_password, current_password: 'a wrong password' });
    expect(wrong.error).toMatchObject({ status: 400, code: 'current_password_invalid' });
    expect(await signInWith(password)).toBeUndefined();
    const right = await client.updateUser({ password: new_password, current_password: password });
    expect(right.error).toBeNull();
    expect(right.data.user?.email).toBe(member.email);
    expect(await signInWith(new_password)).toBeUndefined();
    expect(await signInWith(password)).toBe('invalid_credentials');
  });

  test('ends every other session, leaves the one that sets it, and is told by mail', async () => {
    await client.updateUser({ password: new_password, current_password: password });
    expect((await member.fetch('/api/me')).status).toBe(401);
    const { session } = (await client.getSession()).data;
    const own = server.signedIn({ ...member, token: session!.access_token });
    expect((await own.fetch('/api/me')).status).toBe(200);
    expect((await client.refreshSession()).error).toBeNull();
    await findMail(server, member.email, /was changed/);
  });

  test('leaves nothing behind of the look at the present one: no session', async () => {
    const count = async () =>
      (
        await pool.query(
          'select count(*)::integer from auth.sessions join auth.users on user_id = users.id where email = $1',
          [member.email],
        )
      ).rows[0].count;
    const before = await count();
    await client.updateUser({ password: 'short', current_password: password });
    expect(await count()).toBe(before);
  });

  test.each([
    ['weak_password', 'short'],
    ['same_password', password],
    ['validation_failed', 'x'.repeat(73)],
  ])('is refused with %s, and nothing is changed', async (code, refused) => {
    const { error } = await client.updateUser({ password: refused, current_password: password });
    expect(error).toMatchObject({ status: 422, code });
    expect((await member.fetch('/api/me')).status).toBe(200);
  });

  test('can be tried ten times from one place, together with signing in, and then not for a while', async () => {
    const wrong = { password: new_password, current_password: 'a wrong password' };
    const { access_token } = (await client.getSession()).data.session!;
    const answers = await Promise.all(
      Array.from({ length: 11 }, () => callAuth(server, 'PUT', 'user', wrong, access_token)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(10).fill(400), 429]);
    expect(await signInWith(password)).toBe('over_request_rate_limit');
  });
});

describe('a recovery link', () => {
  test('sets a password without the old one, once, and ends every session, in other processes too', async () => {
    const other = await startTestServer({ AUTH_JWT_SECRET, DATABASE_URL: server.database_url });
    try {
      const elsewhere = other.signedIn(member);
      expect((await elsewhere.fetch('/api/me')).status).toBe(200);
      const recovered = await openRecovery();
      expect((await recovered.updateUser({ password: new_password })).error).toBeNull();
      expect(await signInWith(new_password)).toBeUndefined();
      const again = await recovered.updateUser({ password: 'a third long password' });
      expect(again.error?.code).toBe('current_password_required');
      expect((await member.fetch('/api/me')).status).toBe(401);
      await vi.waitFor(async () => expect((await elsewhere.fetch('/api/me')).status).toBe(401), {
        timeout: 15_000,
        interval: 250,
      });
    } finally {
      await other.stop();
    }
  });

  test('keeps what it allows while the new password is refused', async () => {
    const recovered = await openRecovery();
    expect((await recovered.updateUser({ password: 'short' })).error?.code).toBe('weak_password');
    expect((await recovered.updateUser({ password: new_password })).error).toBeNull();
  });

  test('allows it for half an hour', async () => {
    const recovered = await openRecovery();
    await pool.query(`update recovery_sessions set created_at = created_at - interval '31 minutes'`);
    expect((await recovered.updateUser({ password: new_password })).error?.code).toBe(
      'current_password_required',
    );
  });

  test('allows it to its own session only', async () => {
    await openRecovery();
    expect((await client.updateUser({ password: new_password })).error?.code).toBe(
      'current_password_required',
    );
  });

  test('sets a password once where two ask at the same time', async () => {
    const recovered = await openRecovery();
    const { access_token } = (await recovered.getSession()).data.session!;
    const answers = await Promise.all(
      ['the first password', 'the second password'].map((password) =>
        callAuth(server, 'PUT', 'user', { password }, access_token),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
  });
});

test('a magic link does not set a password', async () => {
  const linked = await createAuthClient(server);
  await linked.signInWithOtp({ email: member.email });
  const token_hash = readTokenHash(await findMail(server, member.email, /link to sign in/));
  await linked.verifyOtp({ token_hash, type: 'magiclink' });
  expect((await linked.updateUser({ password: new_password })).error?.code).toBe('current_password_required');
});

test.each([
  { data: { role: 'operator' } },
  { phone: '+4912345678' },
  { email: 'a@example.org', password: 'another long password' },
  { password: 'another long password', current_password: 'a long password', data: {} },
  { app_metadata: { role: 'operator' } },
  {},
])('what else could be changed of a user is refused: %j', async (body) => {
  const answer = await callAuth(server, 'PUT', 'user', body, member.token);
  expect(answer.status).toBe(422);
  const { rows } = await pool.query(
    'select raw_user_meta_data, raw_app_meta_data from auth.users where email = $1',
    [member.email],
  );
  expect(JSON.stringify(rows)).not.toContain('operator');
});

test('nothing is changed without a session, or with one that has ended', async () => {
  const body = { password: new_password, current_password: password };
  expect((await callAuth(server, 'PUT', 'user', body)).status).toBe(401);
  await callAuth(server, 'POST', 'logout?scope=local', undefined, member.token);
  const answer = await callAuth(server, 'PUT', 'user', body, member.token);
  expect(answer.status).toBe(403);
  expect(await answer.json()).toMatchObject({ error_code: 'session_not_found' });
});

describe('a new address', () => {
  test('holds when both mailboxes have confirmed it', async () => {
    const new_email = `new-${randomUUID()}@example.org`;
    const { data, error } = await client.updateUser({ email: new_email.toUpperCase() });
    expect(error).toBeNull();
    expect(data.user).toMatchObject({ email: member.email, new_email });
    const tokens = [
      readTokenHash(await findMail(server, member.email, /Confirm the new address/)),
      readTokenHash(await findMail(server, new_email, /Confirm this address/)),
    ];
    const anybody = await createAuthClient(server);
    const half = await anybody.verifyOtp({ token_hash: tokens[0]!, type: 'email_change' });
    expect(half).toMatchObject({ data: { user: null, session: null }, error: null });
    const waiting = { email: member.email, new_email, email_change_sent_at: expect.any(String) };
    expect((await client.getUser()).data.user).toMatchObject(waiting);
    const done = await anybody.verifyOtp({ token_hash: tokens[1]!, type: 'email_change' });
    expect(done).toMatchObject({ data: { user: { email: new_email }, session: null }, error: null });
    const { user } = (await client.getUser()).data;
    expect([user?.email, user?.new_email]).toEqual([new_email, undefined]);
    const signed_in = await anybody.signInWithPassword({ email: new_email, password });
    expect(signed_in.error).toBeNull();
  });

  test('cannot be confirmed by a token that is none', async () => {
    const { error } = await client.verifyOtp({ token_hash: 'x'.repeat(43), type: 'email_change' });
    expect(error).toMatchObject({ status: 403, code: 'otp_expired' });
  });

  test('is answered in the same way where it is taken', async () => {
    const taken = (await server.signUp()).email;
    const { data, error } = await client.updateUser({ email: taken });
    expect(error).toBeNull();
    expect(data.user).toMatchObject({ email: member.email, new_email: taken });
    expect((await listMailsTo(server, taken)).map(({ subject }) => subject).join()).toContain('already');
  });

  test('can be asked for five times an hour', async () => {
    for (let i = 0; i < 5; i++) {
      expect((await client.updateUser({ email: `new-${randomUUID()}@example.org` })).error).toBeNull();
    }
    const { error } = await client.updateUser({ email: `new-${randomUUID()}@example.org` });
    expect(error).toMatchObject({ status: 429, code: 'over_request_rate_limit' });
  });
});
