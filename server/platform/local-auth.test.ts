import { randomUUID } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openDatabase, type TestDatabase } from '../testing/open-database.ts';
import { createTokenVerifier } from './auth.ts';
import { readConfig } from './config.ts';
import { type LocalAuth, type LocalAuthMail, startLocalAuth } from './local-auth.ts';
import { nobodys_hash } from './local-auth-guard.ts';

/** Every worker that was started, so that a test can let one die. */
const workers = vi.hoisted(() => [] as Worker[]);
vi.mock('node:worker_threads', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:worker_threads')>();
  class RecordedWorker extends original.Worker {
    constructor(...parameters: ConstructorParameters<typeof original.Worker>) {
      super(...parameters);
      workers.push(this);
    }
  }
  return { ...original, Worker: RecordedWorker };
});

const password = 'a long password';
const secrets = {
  jwt_secret: 'a secret of at least thirty-two characters',
  publishable_key: 'sb_publishable_test',
  secret_key: 'sb_secret_test',
};
const site_url = 'http://localhost:3000';

let test_database: TestDatabase;
let auth: LocalAuth;
beforeAll(async () => {
  test_database = await openDatabase();
  auth = startLocalAuth({ ...secrets, database_url: test_database.url, site_url });
  await auth.ready;
});
afterAll(async () => {
  await auth.stop();
  await test_database.close();
});

async function post(path: string, body: object, token?: string) {
  const answer = await auth.fetch(
    new Request(`${site_url}/auth/v1/${path}`, {
      method: 'POST',
      headers: {
        apikey: secrets.publishable_key,
        'content-type': 'application/json',
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      body: JSON.stringify(body),
    }),
  );
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : undefined };
}

const newEmail = () => `member-${randomUUID()}@example.org`;
const signUp = (email: string) => post('signup', { email, password });
const signIn = (email: string, given = password) =>
  post('token?grant_type=password', { email, password: given });

describe('a member', () => {
  let email: string;
  beforeEach(() => {
    email = newEmail();
  });

  test('signs up and is signed in at once, with a token that the server takes, and has a profile', async () => {
    const { status, headers, body } = await signUp(email);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('application/json');
    const verify = createTokenVerifier(readConfig({}), secrets);
    expect(await verify(`Bearer ${body.access_token}`)).toEqual({ auth_id: body.user.id, email });
    const { rows } = await test_database.pool.query('select email from profiles where auth_id = $1', [
      body.user.id,
    ]);
    expect(rows).toEqual([{ email }]);
  });

  test('signs in with the password, and not with another one', async () => {
    await signUp(email);
    const signed_in = await signIn(email);
    expect(signed_in.status).toBe(200);
    expect(signed_in.body.user.email).toBe(email);
    const refused = await signIn(email, 'another password');
    expect(refused.status).toBe(400);
    expect(refused.body.access_token).toBeUndefined();
    // Nobody learns whether an address has an account.
    const unknown = await signIn(newEmail());
    expect({ ...unknown.body }).toEqual({ ...refused.body });
  });

  test('cannot sign up with a password shorter than eight characters, or twice', async () => {
    expect((await post('signup', { email, password: 'seven77' })).status).toBe(422);
    expect((await signUp(email)).status).toBe(200);
    expect((await signUp(email)).status).toBe(422);
  });

  test('stays signed in by the refresh token', async () => {
    const { body } = await signUp(email);
    const refreshed = await post('token?grant_type=refresh_token', { refresh_token: body.refresh_token });
    expect(refreshed.status).toBe(200);
    expect(refreshed.body.user.id).toBe(body.user.id);
    const guessed = await post('token?grant_type=refresh_token', { refresh_token: randomUUID() });
    expect(guessed.status).toBe(400);
  });

  test('signs out, and the refresh token is worth nothing any more', async () => {
    const { body } = await signUp(email);
    const signed_out = await post('logout', {}, body.access_token);
    expect(signed_out.status).toBe(204);
    const refreshed = await post('token?grant_type=refresh_token', { refresh_token: body.refresh_token });
    expect(refreshed.status).toBe(400);
  });
});

test('nobody is let in without the public key', async () => {
  const answer = await auth.fetch(new Request(`${site_url}/auth/v1/settings`));
  expect(answer.status).toBe(401);
});

test('a password can be looked at without signing anybody in', async () => {
  const email = newEmail();
  await signUp(email);
  const count = async () => (await test_database.pool.query('select 1 from auth.sessions')).rowCount;
  const before = await count();
  expect(await auth.checkPassword(email, password)).toBe(true);
  expect(await auth.checkPassword(email, 'another password')).toBe(false);
  expect(await auth.checkPassword(newEmail(), password)).toBe(false);
  expect(await count()).toBe(before);
});

test('nobody can ask for that from outside, nor sign in to an account without a password', async () => {
  const email = newEmail();
  await signUp(email);
  const answer = await auth.fetch(
    new Request(`${site_url}/auth/v1/token?grant_type=password`, {
      method: 'POST',
      headers: { apikey: secrets.publishable_key, 'x-touchline-only-checks': 'yes' },
      body: JSON.stringify({ email, password }),
    }),
  );
  expect(await answer.json()).toMatchObject({ access_token: expect.any(String) });
  await test_database.pool.query('update auth.users set encrypted_password = null where email = $1', [email]);
  expect((await signIn(email)).body).toMatchObject({ error_code: 'invalid_credentials' });
});

test('an address without an account is looked at as long as a wrong password: with the same hash', () => {
  // Whatever is no hash of bcrypt's is refused at once, and one with another cost takes another time.
  expect(nobodys_hash).toMatch(/^\$2b\$10\$[./A-Za-z0-9]{53}$/);
});

test('what Auth notes of a person is JSON that our triggers can read', async () => {
  const { body } = await post('signup', { email: newEmail(), password, data: { user_name: 'Nora' } });
  const { rows } = await test_database.pool.query(
    `select user_name, jsonb_typeof(raw_user_meta_data) as user_meta, jsonb_typeof(identity_data) as identity
     from profiles join auth.users on auth_id = users.id join auth.identities on user_id = users.id
     where users.id = $1`,
    [body.user.id],
  );
  expect(rows).toEqual([{ user_name: 'Nora', user_meta: 'object', identity: 'object' }]);
});

test('mails are handed to whoever sends them, with a secret in them that nobody guesses', async () => {
  const email = newEmail();
  await signUp(email);
  const mails: LocalAuthMail[] = [];
  auth.onMail((mail) => mails.push(mail));
  await post('recover', { email });
  await post('otp', { email, create_user: false });
  await vi.waitFor(() => expect(mails).toHaveLength(2), { timeout: 20_000 });
  expect(mails).toEqual([
    { kind: 'recovery', to: email, token_hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    { kind: 'magiclink', to: email, token_hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
  ]);
});

test('passwords are not kept as they were typed', async () => {
  const { body } = await signUp(newEmail());
  const { rows } = await test_database.pool.query('select encrypted_password from auth.users where id = $1', [
    body.user.id,
  ]);
  expect(rows[0].encrypted_password).toMatch(/^\$2[aby]\$1\d\$/);
});

test('while eight people sign up at once the main thread keeps on answering', async () => {
  await signUp(newEmail());
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const [started_ms, ours, everybodys] = [performance.now(), process.threadCpuUsage(), process.cpuUsage()];
  const answers = await Promise.all(Array.from({ length: 8 }, () => signUp(newEmail())));
  const spent = process.threadCpuUsage(ours);
  const spent_by_all = process.cpuUsage(everybodys);
  const took_ms = performance.now() - started_ms;
  delay.disable();
  expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
  // One password costs 100 ms or more; on this thread eight of them would be most of what all threads spend, and one silence
  // after the other, each an eighth of the whole. Shares hold while other programs keep the machine busy, too.
  expect(spent.user + spent.system).toBeLessThan((spent_by_all.user + spent_by_all.system) / 2);
  expect(delay.percentile(50) / 1e6).toBeLessThan(took_ms / 16);
});

describe('a worker that dies', () => {
  const settings = () =>
    auth.fetch(new Request(`${site_url}/auth/v1/settings`, { headers: { apikey: secrets.publishable_key } }));

  test('answers those who wait with an error at once, and the next request has a new worker', async () => {
    const worker = workers.at(-1)!;
    // Nothing reaches the worker any more, so that it goes before it has answered anybody, however busy the machine is.
    const handed_over = vi.spyOn(worker, 'postMessage').mockReturnValue();
    const waiting = [signUp(newEmail()), signUp(newEmail()), settings()].map((answer) =>
      expect(answer).rejects.toMatchObject({ code: 'unavailable', status: 503 }),
    );
    await vi.waitFor(() => expect(handed_over).toHaveBeenCalledTimes(waiting.length), {
      interval: 1,
      timeout: 10_000,
    });
    const count = workers.length;
    await worker.terminate();
    await Promise.all(waiting);
    expect((await settings()).status).toBe(200);
    expect(workers).toHaveLength(count + 1);
    const email = newEmail();
    expect((await signUp(email)).status).toBe(200);
    expect((await signIn(email)).status).toBe(200);
  });

  test('at its start answers with an error, too', async () => {
    const nowhere = startLocalAuth({
      ...secrets,
      database_url: 'postgresql://postgres@127.0.0.1:1/postgres',
      site_url,
    });
    await expect(nowhere.ready).rejects.toThrow();
    await expect(nowhere.fetch(new Request(`${site_url}/auth/v1/settings`))).rejects.toMatchObject({
      code: 'unavailable',
    });
    await nowhere.stop();
  });

  test('is none, and nothing is printed, for a request that cannot be understood', async () => {
    const count = workers.length;
    const printed = vi.spyOn(process.stderr, 'write');
    const trace = { method: 'TRACE', url: `${site_url}/auth/v1/settings`, headers: new Headers() };
    const answer = await auth.fetch({ ...trace, text: async () => '' } as unknown as Request);
    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual({ error_code: 'unexpected_failure', msg: 'Signing in failed.' });
    for (const body of ['', '{', 'null', '[]', '"text"', '{"email":{}}']) {
      const request = new Request(`${site_url}/auth/v1/signup`, {
        method: 'POST',
        headers: { apikey: secrets.publishable_key, 'content-type': 'application/json' },
        body,
      });
      expect((await auth.fetch(request)).status).toBeGreaterThanOrEqual(400);
    }
    expect((await settings()).status).toBe(200);
    expect(workers).toHaveLength(count);
    expect(printed).not.toHaveBeenCalled();
    printed.mockRestore();
  });
});

test('after stopping, those who wait and those who come are answered with an error', async () => {
  const stopped = startLocalAuth({ ...secrets, database_url: test_database.url, site_url });
  await stopped.ready;
  const request = () => new Request(`${site_url}/auth/v1/settings`);
  const waiting = expect(stopped.fetch(request())).rejects.toMatchObject({ code: 'unavailable' });
  await stopped.stop();
  await waiting;
  const count = workers.length;
  await expect(stopped.fetch(request())).rejects.toMatchObject({ code: 'unavailable' });
  expect(workers).toHaveLength(count);
});
