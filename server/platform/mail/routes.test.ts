import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer } from '../../testing/start-test-server.ts';
import { readConfig } from '../config.ts';
import { createLogger } from '../logger.ts';
import { createMailer, type Mailer } from './mailer.ts';

let server: Awaited<ReturnType<typeof startTestServer>>;
/** As of another process on the same data folder: a command beside the server. */
let mailer: Mailer;
let port: number;
beforeAll(async () => {
  server = await startTestServer();
  port = Number(new URL(server.url).port);
  mailer = createMailer(readConfig({ DATA_DIR: server.folder }), createLogger('silent'));
});
afterAll(async () => {
  await mailer.close();
  await server.stop();
});

/** A request with exactly these headers; fetch would not send some of them. */
async function ask(path: string, headers: Record<string, string> = {}, to = port) {
  const sent = request({
    host: '127.0.0.1',
    port: to,
    path,
    headers: { host: `localhost:${to}`, ...headers },
  }).end();
  const [answer] = await new Promise<[import('node:http').IncomingMessage]>((resolve, reject) => {
    sent.once('response', (response) => resolve([response])).once('error', reject);
  });
  return { status: answer.statusCode, headers: answer.headers, body: JSON.parse(await text(answer)) };
}

const letter = (subject: string) => ({
  to: 'member@example.org',
  subject,
  paragraphs: [`${subject} to you.`],
});

test('who is signed out reads the mails of this machine, the newest first, and each of them whole', async () => {
  expect((await ask('/api/outbox')).body).toEqual({ mails: [] });
  await mailer.send(letter('One'));
  await mailer.send(letter('Two'));
  const { status, body, headers } = await ask('/api/outbox');
  expect(status).toBe(200);
  expect(headers['cache-control']).toBe('no-store');
  const entry = (subject: string) => ({
    ...{ id: expect.any(String), to: 'member@example.org', subject },
    sent_at: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  expect(body).toEqual({ mails: [entry('Two'), entry('One')] });
  const mail = await ask(`/api/outbox/${body.mails[1].id}`);
  expect(mail.status).toBe(200);
  expect(mail.body).toEqual({
    ...body.mails[1],
    text: 'One to you.\n',
    html: expect.stringContaining('<p'),
  });
});

test.each([
  'nothing',
  '000000000000000-0123456789abcdef',
  '..%2fauth-secrets',
  '%2e%2e%2fauth-secrets',
  '%00',
  '%',
])('a mail that is not there is not found: %s', async (id) => {
  const { status, body } = await ask(`/api/outbox/${id}`);
  expect(status).toBe(404);
  expect(body).toMatchObject({ code: 'not_found' });
});

describe('for whoever is not on this machine there is no outbox', () => {
  const own = () => `localhost:${port}`;
  test.each<[string, () => Record<string, string>]>([
    ['a name that was made to lead here', () => ({ host: `rebound.example.org:${port}` })],
    ['a name that begins like this machine', () => ({ host: `localhost.example.org:${port}` })],
    ['an address of another machine', () => ({ host: `192.0.2.1:${port}` })],
    ['a proxy: X-Forwarded-For', () => ({ host: own(), 'x-forwarded-for': '192.0.2.1' })],
    ['a proxy: X-Forwarded-Proto', () => ({ host: own(), 'X-Forwarded-Proto': 'https' })],
    ['a proxy: an empty X-Forwarded-Host', () => ({ host: own(), 'x-forwarded-host': '' })],
    ['a proxy: Forwarded', () => ({ host: own(), forwarded: 'for=192.0.2.1' })],
    ['a proxy: Via', () => ({ host: own(), via: '1.1 proxy' })],
    ['a proxy: X-Real-IP', () => ({ host: own(), 'x-real-ip': '192.0.2.1' })],
    ['a tunnel: CF-Connecting-IP', () => ({ host: own(), 'cf-connecting-ip': '192.0.2.1' })],
  ])('%s', async (_whom, headers) => {
    await mailer.send(letter('Secret'));
    const { id } = (await mailer.outbox!.list())[0]!;
    for (const path of ['/api/outbox', `/api/outbox/${id}`]) {
      const { status, body } = await ask(path, headers());
      expect(status).toBe(404);
      expect(JSON.stringify(body)).not.toContain('Secret');
    }
    expect((await ask('/api/config', headers())).body.outbox).toBe(false);
  });

  test.each([
    [
      'a proxy that speaks HTTP/1.0, as nginx long did',
      (port: number) => `HTTP/1.0\r\nHost: localhost:${port}`,
    ],
    ['an empty name', () => 'HTTP/1.1\r\nHost:'],
    ['a name before an @', (port: number) => `HTTP/1.1\r\nHost: localhost:${port}@example.org`],
    ['two names', (port: number) => `HTTP/1.1\r\nHost: example.org\r\nHost: localhost:${port}`],
  ])('%s', async (_whom, head) => {
    const socket = connect(port, '127.0.0.1');
    socket.end(`GET /api/outbox ${head(port)}\r\nConnection: close\r\n\r\n`);
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(answer).not.toContain('Secret');
  });
});

test.each(['localhost', '127.0.0.1', '[::1]', 'LOCALHOST'])('this machine is %s, too', async (name) => {
  const headers = { host: `${name}:${port}` };
  expect((await ask('/api/outbox', headers)).status).toBe(200);
  expect((await ask('/api/config', headers)).body.outbox).toBe(true);
});

test('nothing but reading is there', async () => {
  for (const method of ['POST', 'DELETE', 'PUT']) {
    expect((await fetch(`${server.url}/api/outbox`, { method })).status).toBe(404);
  }
});

test('with a mail server there is no outbox, and old mails in the folder are not shown', async () => {
  await mailer.send(letter('Old'));
  const { id } = (await mailer.outbox!.list())[0]!;
  const sending = await startTestServer({
    ...{ SMTP_HOST: '127.0.0.1', SMTP_PORT: '9', MAIL_FROM: 'hello@example.org', DATA_DIR: server.folder },
  });
  const at = Number(new URL(sending.url).port);
  expect((await ask('/api/outbox', {}, at)).status).toBe(404);
  expect((await ask(`/api/outbox/${id}`, {}, at)).status).toBe(404);
  expect((await ask('/api/config', {}, at)).body.outbox).toBe(false);
  await sending.stop();
});
