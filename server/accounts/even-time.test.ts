import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createTokenVerifier } from '../platform/auth.ts';
import { readConfig } from '../platform/config.ts';
import { type LocalAuth, startLocalAuth } from '../platform/local-auth.ts';
import { createLogger } from '../platform/logger.ts';
import type { Mail } from '../platform/mail/mail.ts';
import { createRateLimits } from '../platform/rate-limit.ts';
import { openDatabase, type TestDatabase } from '../testing/open-database.ts';
import { authGate } from './auth-gate.ts';
import { createEvenTime, least_answer_ms } from './even-time.ts';
import { createSignOuts } from './sign-outs.ts';

const secrets = {
  jwt_secret: 'a secret of at least thirty-two characters',
  publishable_key: 'sb_publishable_test',
  secret_key: 'sb_secret_test',
};
const site_url = 'http://localhost:3000';
const password = 'a long password';

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

/** A gate whose waiting ends when the test says so, and whose mails never arrive. */
function openGate(settings: Record<string, string> = {}) {
  const config = readConfig(settings);
  const logger = createLogger('silent');
  const warn = vi.spyOn(logger, 'warn');
  const { database, pool } = test_database;
  const sign_outs = createSignOuts(config, database, logger);
  const waits: { wait_ms: number; end: () => void }[] = [];
  const mails: Mail[] = [];
  const gate = authGate(
    {
      config,
      logger,
      database,
      site_url,
      sign_outs,
      mailer: {
        outbox: undefined,
        close: async () => {},
        send(mail) {
          mails.push(mail);
          return new Promise(() => {});
        },
      },
      rate_limits: createRateLimits(pool),
      verifyToken: createTokenVerifier(config, secrets, sign_outs.hasEnded),
    },
    auth,
    (wait_ms) => new Promise((end) => waits.push({ wait_ms, end: () => end(undefined) })),
  );
  const app = new Hono().route('/', gate as never);
  async function call(path: string, body: object, forwarded_for?: string) {
    const init = {
      method: 'POST',
      headers: {
        apikey: secrets.publishable_key,
        ...(forwarded_for ? { 'x-forwarded-for': forwarded_for } : {}),
      },
      body: JSON.stringify(body),
    };
    const from = { incoming: { socket: { remoteAddress: '127.0.0.1' } } };
    return app.request(`/auth/v1/${path}`, init, from);
  }
  return { call, waits, mails, warn, close: () => sign_outs.stop() };
}

async function signUp() {
  const gate = openGate();
  const email = `member-${randomUUID()}@example.org`;
  expect((await gate.call('signup', { email, password })).status).toBe(200);
  gate.close();
  return email;
}

/** Whether an answer has come by the time that everything that could make it has been done. */
async function hasCome(answer: Promise<unknown>) {
  let come = false;
  answer.then(() => {
    come = true;
  });
  // Whatever Auth and the database were asked for this answer is done once they have answered another question.
  await auth.checkPassword('nobody@example.org', password);
  await test_database.pool.query('select 1');
  await new Promise((resolve) => setImmediate(resolve));
  return come;
}

test.each([
  ['a wrong password', 'token?grant_type=password'],
  ['a link to set a new one', 'recover'],
  ['a link to sign in', 'otp'],
])('the answer to %s waits the same time whether the address has an account or not', async (_, path) => {
  for (const email of [await signUp(), `nobody-${randomUUID()}@example.org`]) {
    const gate = openGate();
    const answer = gate.call(path, { email, password: 'wrong' });
    await vi.waitFor(() => expect(gate.waits).toHaveLength(1), { timeout: 20_000 });
    expect(gate.waits[0]!.wait_ms).toBe(least_answer_ms);
    expect(await hasCome(answer)).toBe(false);
    gate.waits[0]!.end();
    expect((await answer).status).toBe(path.startsWith('token') ? 400 : 200);
    gate.close();
  }
});

test('a right password waits for nothing', async () => {
  const email = await signUp();
  const gate = openGate();
  expect((await gate.call('token?grant_type=password', { email, password })).status).toBe(200);
  gate.close();
});

test('no answer waits for a mail', async () => {
  const email = await signUp();
  const gate = openGate();
  const answer = gate.call('recover', { email });
  await vi.waitFor(() => expect(gate.waits).toHaveLength(1), { timeout: 20_000 });
  gate.waits[0]!.end();
  expect((await answer).status).toBe(200);
  await vi.waitFor(() => expect(gate.mails).toMatchObject([{ to: email }]), { timeout: 20_000 });
  // Nor does the one that tells an owner of a sign-up.
  expect((await gate.call('signup', { email, password })).status).toBe(422);
  await vi.waitFor(() => expect(gate.mails).toHaveLength(2), { timeout: 20_000 });
  gate.close();
});

test('an error takes its time, too', async () => {
  const waits: (() => void)[] = [];
  const inEvenTime = createEvenTime(() => new Promise((end) => waits.push(() => end(undefined))));
  let failed = false;
  const going = inEvenTime(async () => {
    throw new Error('no');
  }).catch(() => {
    failed = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(failed).toBe(false);
  waits[0]!();
  await going;
  expect(failed).toBe(true);
});

test('a proxy that the settings do not know of is warned about, once; where it is known it is not', async () => {
  const link = { type: 'magiclink', token_hash: 'none' };
  for (const [TRUST_PROXY, times] of [
    ['0', 1],
    ['1', 0],
  ] as const) {
    const gate = openGate({ PUBLIC_URL: 'https://coach.example.org', TRUST_PROXY });
    for (let i = 0; i < 2; i++) await gate.call('verify', link, '192.0.2.1');
    const warned = gate.warn.mock.calls.filter(([message]) => String(message).includes('TRUST_PROXY'));
    expect(warned).toHaveLength(times);
    gate.close();
  }
});
