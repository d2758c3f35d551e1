import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { callAuth } from '../testing/auth-client.ts';
import { signInAgain } from '../testing/sign-in-again.ts';
import { startTestServer } from '../testing/start-test-server.ts';

const AUTH_JWT_SECRET = 'a secret of at least thirty-two characters';

type Server = Awaited<ReturnType<typeof startTestServer>>;
let server: Server;
/** Another process on the same database. */
let other: Server;
beforeAll(async () => {
  server = await startTestServer({ AUTH_JWT_SECRET });
  other = await startTestServer({ AUTH_JWT_SECRET, DATABASE_URL: server.database_url });
});
afterAll(async () => {
  await other.stop();
  await server.stop();
});

const statusAt = async (at: Server, client: Parameters<Server['signedIn']>[0]) =>
  (await at.signedIn(client).fetch('/api/me')).status;

/** A process hears within ten seconds of what another has ended. */
const withinTenSeconds = { timeout: 15_000, interval: 250 };

test('signing out everywhere ends every token, at once here and soon in every process', async () => {
  const member = await server.signUp();
  const second = await signInAgain(server, member);
  // Both processes have taken the token for good before.
  expect(await statusAt(server, member)).toBe(200);
  expect(await statusAt(other, member)).toBe(200);
  expect((await callAuth(server, 'POST', 'logout?scope=global', undefined, second.token)).status).toBe(204);
  expect(await statusAt(server, member)).toBe(401);
  expect(await statusAt(server, second)).toBe(401);
  await vi.waitFor(async () => expect(await statusAt(other, member)).toBe(401), withinTenSeconds);
  expect(await statusAt(other, second)).toBe(401);
});

test('whoever signs in again right after that is in, in every process', async () => {
  const member = await server.signUp();
  await callAuth(server, 'POST', 'logout?scope=global', undefined, member.token);
  const again = await signInAgain(server, member);
  expect(await statusAt(server, again)).toBe(200);
  await vi.waitFor(async () => expect(await statusAt(other, member)).toBe(401), withinTenSeconds);
  expect(await statusAt(other, again)).toBe(200);
});

test('signing out the others leaves the session that asks', async () => {
  const member = await server.signUp();
  const second = await signInAgain(server, member);
  expect((await callAuth(server, 'POST', 'logout?scope=others', undefined, second.token)).status).toBe(204);
  expect(await statusAt(server, member)).toBe(401);
  expect(await statusAt(server, second)).toBe(200);
  await vi.waitFor(async () => expect(await statusAt(other, member)).toBe(401), withinTenSeconds);
  expect(await statusAt(other, second)).toBe(200);
  // Which does not protect it from the next time.
  await callAuth(server, 'POST', 'logout?scope=global', undefined, second.token);
  expect(await statusAt(server, second)).toBe(401);
});

test('a process that starts later knows it from the start', async () => {
  const member = await server.signUp();
  await callAuth(server, 'POST', 'logout?scope=global', undefined, member.token);
  const late = await startTestServer({ AUTH_JWT_SECRET, DATABASE_URL: server.database_url });
  try {
    expect(await statusAt(late, member)).toBe(401);
  } finally {
    await late.stop();
  }
});

test('nobody is signed out by somebody else who signs out everywhere, or with a token that is no good', async () => {
  const member = await server.signUp();
  const stranger = await server.signUp();
  await callAuth(server, 'POST', 'logout?scope=global', undefined, stranger.token);
  const forged = `${member.token.slice(0, -4)}AAAA`;
  expect((await callAuth(server, 'POST', 'logout?scope=global', undefined, forged)).status).toBe(403);
  expect(await statusAt(server, member)).toBe(200);
});

test('signing out on one device leaves the others', async () => {
  const member = await server.signUp();
  const second = await signInAgain(server, member);
  await callAuth(server, 'POST', 'logout?scope=local', undefined, second.token);
  expect(await statusAt(server, member)).toBe(200);
});
