import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { errorStatuses } from './platform/errors.ts';
import { startTestServer } from './testing/start-test-server.ts';

let server: Awaited<ReturnType<typeof startTestServer>>;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

it('says that it is alive and that it can serve', async () => {
  for (const path of ['/healthz', '/readyz']) {
    const answer = await fetch(server.url + path);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ status: 'ok' });
  }
});

it('is not ready while the database is away, and stays alive', async () => {
  const own = await startTestServer();
  const admin = new pg.Client(own.database_url.replace(/\/[^/]+$/, '/postgres'));
  await admin.connect();
  const name = own.database_url.split('/').at(-1)!;
  await admin.query(`alter database ${name} allow_connections false`);
  await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
  try {
    expect((await fetch(`${own.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${own.url}/healthz`)).status).toBe(200);
  } finally {
    await admin.query(`alter database ${name} allow_connections true`);
    await admin.end();
    await own.stop();
  }
});

it('describes every route in OpenAPI 3.1, and says which want a token', async () => {
  const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as any;
  expect(document.openapi).toBe('3.1.0');
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods as object).map(([method, operation]) => [
      method.toUpperCase(),
      path,
      operation.security?.length > 0,
    ]),
  );
  expect(described.sort()).toEqual([
    ['DELETE', '/api/admin/grants/{id}', true],
    ['DELETE', '/api/chat-sessions/{id}', true],
    ['DELETE', '/api/files/{id}', true],
    ['DELETE', '/api/library/{id}', true],
    ['DELETE', '/api/me/avatar', true],
    ['GET', '/api/admin/grants', true],
    ['GET', '/api/billing', true],
    ['GET', '/api/billing/change-preview', true],
    ['GET', '/api/billing/next-invoice', true],
    ['GET', '/api/billing/usage', true],
    ['GET', '/api/chat-sessions', true],
    ['GET', '/api/chat-sessions/{id}', true],
    ['GET', '/api/chat-sessions/{id}/messages', true],
    ['GET', '/api/coaches', false],
    ['GET', '/api/config', false],
    ['GET', '/api/files/{id}/content', true],
    ['GET', '/api/files/{id}/passages/{passage_id}', true],
    ['GET', '/api/files/{id}/picture', true],
    ['GET', '/api/library', true],
    ['GET', '/api/library/{id}', true],
    ['GET', '/api/library/{id}/content', true],
    ['GET', '/api/library/{id}/picture', true],
    ['GET', '/api/library/{id}/preview', true],
    ['GET', '/api/me', true],
    ['GET', '/api/me/avatar', true],
    ['GET', '/api/me/exports', true],
    ['GET', '/api/me/exports/{id}/file', true],
    ['GET', '/api/me/sign-in-methods', true],
    ['GET', '/api/outbox', false],
    ['GET', '/api/outbox/{id}', false],
    ['GET', '/api/plans', false],
    ['GET', '/api/turns/{id}/events', true],
    ['GET', '/healthz', false],
    ['GET', '/readyz', false],
    ['PATCH', '/api/chat-sessions/{id}', true],
    ['PATCH', '/api/library/{id}', true],
    ['PATCH', '/api/me', true],
    ['POST', '/api/admin/grants', true],
    ['POST', '/api/billing/cancel', true],
    ['POST', '/api/billing/change', true],
    ['POST', '/api/billing/checkout', true],
    ['POST', '/api/billing/confirm', true],
    ['POST', '/api/billing/keep', true],
    ['POST', '/api/billing/portal', true],
    ['POST', '/api/chat-sessions/{id}/turns', true],
    ['POST', '/api/email-verification', false],
    ['POST', '/api/files', true],
    ['POST', '/api/library', true],
    ['POST', '/api/me/close', true],
    ['POST', '/api/me/email-verification', true],
    ['POST', '/api/me/exports', true],
    ['POST', '/api/me/restore', true],
    ['POST', '/api/turns/{id}/stop', true],
    ['PUT', '/api/library/{id}/kept', true],
    ['PUT', '/api/me/avatar', true],
  ]);
});

it('every API route that is not public refuses a request without a token', async () => {
  const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as any;
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods as Record<string, any>)) {
      if (!operation.security) continue;
      const address = server.url + path.replace(/\{\w+\}/g, '00000000-0000-4000-8000-000000000000');
      expect((await fetch(address, { method: method.toUpperCase() })).status, `${method} ${path}`).toBe(401);
    }
  }
});

it('errors are problem documents with a permanent code and the request’s id', async () => {
  const answer = await fetch(`${server.url}/api/nothing`, { headers: { authorization: 'Bearer x' } });
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  const problem = (await answer.json()) as any;
  expect(problem).toMatchObject({
    status: answer.status,
    code: 'sign_in_required',
    detail: expect.any(String),
  });
  expect(Object.keys(errorStatuses)).toContain(problem.code);
  expect(answer.headers.get('x-request-id')).toBe(problem.request_id);
});

it('broken JSON is refused in words', async () => {
  const member = await server.signUp();
  const answer = await member.fetch('/api/chat-sessions/00000000-0000-4000-8000-000000000000/turns', {
    method: 'POST',
    body: '{',
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code: 'invalid_request' });
});

it('a body that is too long, or of unknown length, is refused before it is read', async () => {
  const member = await server.signUp();
  const path = '/api/chat-sessions/00000000-0000-4000-8000-000000000000/turns';
  const long = await member.fetch(path, {
    method: 'POST',
    body: JSON.stringify({ content: 'a'.repeat(600_000) }),
  });
  expect(long.status).toBe(413);
  const chunked = await member.fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{}'));
        controller.close();
      },
    }),
    duplex: 'half',
  } as RequestInit);
  expect(chunked.status).toBe(413);
});

it('every page comes with a strict content security policy', async () => {
  for (const path of ['/', '/api/config', '/openapi.json']) {
    const policy = (await fetch(server.url + path)).headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe-|\*/);
  }
  const data = await fetch(`${server.url}/api/config`);
  expect(data.headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
  expect(data.headers.get('x-content-type-options')).toBe('nosniff');
  expect(data.headers.get('cache-control')).toBe('no-store');
});

it('only Auth’s own paths are passed on to it', async () => {
  for (const path of [
    '/rest/v1/profiles',
    '/storage/v1/bucket',
    '/auth/v1/../rest/v1/profiles',
    '/auth/v1/%2e%2e/%2e%2e/rest/v1/profiles',
  ]) {
    const answer = await fetch(server.url + path);
    expect(await answer.text()).not.toContain('subscription');
    expect([200, 401, 404]).toContain(answer.status);
    if (answer.status === 200) expect(answer.headers.get('content-type')).toContain('text/html');
  }
});

it('an answer of Auth, which holds tokens, is kept by nobody and carries every header', async () => {
  const { auth_key } = (await (await fetch(`${server.url}/api/config`)).json()) as any;
  const answer = await fetch(`${server.url}/auth/v1/signup`, {
    method: 'POST',
    headers: { apikey: auth_key, 'content-type': 'application/json' },
    body: JSON.stringify({ email: `${Date.now()}@example.org`, password: 'a long password' }),
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(answer.headers.get('x-request-id')).toBeTruthy();
});

it.each([
  ['POST', '/'],
  ['PUT', '/anything'],
  ['DELETE', '/api/config'],
])('%s %s is a problem document like every other error', async (method, path) => {
  const answer = await fetch(server.url + path, { method });
  expect([401, 404]).toContain(answer.status);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
});
