import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { getRequestListener } from '@hono/node-server';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { AppError } from './errors.ts';
import { createRouter } from './routes.ts';
import { serveWebApp } from './serve-web-app.ts';

const page = '<!doctype html><title>Touchline</title>';
const script = 'console.log("hello");'.repeat(50);

let base: string;
let folder: string;
let server: Server;
let port: number;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'touchline-web-'));
  folder = join(base, 'dist');
  const files: Record<string, string | Buffer> = {
    'secret.txt': 'secret',
    // A neighbour whose name begins like the folder's.
    'dist-old/secret.js': 'secret',
    'dist/index.html': page,
    'dist/favicon.svg': '<svg/>',
    'dist/.sources': 'secret',
    'dist/assets/app-1a2b3c.js': script,
    'dist/assets/app-1a2b3c.js.br': brotliCompressSync(script),
    'dist/assets/app-1a2b3c.js.gz': gzipSync(script),
    'dist/assets/plain-1a2b3c.css': 'body {}',
    'dist/assets/large-1a2b3c.png': Buffer.alloc(1_000_000),
    'dist/assets/Größe 1.png': 'png',
    'dist/assets/app-1a2b3c.js.map': 'secret',
  };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(base, name, '..'), { recursive: true });
    writeFileSync(join(base, name), content);
  }
  const app = createRouter();
  serveWebApp(app, folder);
  app.onError((error, c) => {
    if (!(error instanceof AppError)) throw error;
    return c.json({ code: error.code, detail: error.message }, error.status);
  });
  server = createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as { port: number }).port;
});
afterAll(() => {
  server.close();
  rmSync(base, { recursive: true, force: true });
});

/** Asks for exactly this path: `fetch` would tidy it up before it is sent. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number; headers: Record<string, string | undefined>; body: Buffer }>(
    (resolve, reject) => {
      request({ host: '127.0.0.1', port, path, headers, method }, async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk);
        resolve({
          status: response.statusCode!,
          headers: response.headers as Record<string, string | undefined>,
          body: Buffer.concat(chunks),
        });
      })
        .on('error', reject)
        .end();
    },
  );
}

test.each([
  '/',
  '/c/7f0c',
  '/sign-in?next=%2Fc%2F1',
  '/index',
  '/über/uns',
  '/%E2%82%AC',
  '/a//b',
  '/assets/',
])('the one page answers at %s, and is asked for anew each time', async (path) => {
  const answer = await get(encodeURI(decodeURI(path)));
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toMatch(/^text\/html; charset=utf-8$/i);
  expect(answer.headers['cache-control']).toBe('no-cache');
  expect(answer.body.toString()).toBe(page);
});

test('an asset is kept for a year; a file without a hash in its name for an hour', async () => {
  const asset = await get('/assets/plain-1a2b3c.css');
  expect(asset.headers).toMatchObject({
    'content-type': 'text/css; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable',
    'content-length': '7',
    vary: 'accept-encoding',
  });
  expect(asset.headers['content-encoding']).toBeUndefined();
  const icon = await get('/favicon.svg');
  expect(icon.headers).toMatchObject({
    'content-type': 'image/svg+xml',
    'cache-control': 'public, max-age=3600',
  });
});

describe('the smallest copy that the browser takes is sent', () => {
  test.each([
    ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
    ['br', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['br;q=0, gzip;q=0.5', 'gzip', gunzipSync],
    ['GZIP', 'gzip', gunzipSync],
    ['gzip;q=1.0, br;q=0.9', 'br', brotliDecompressSync],
    ['', undefined, (body: Buffer) => body],
    ['identity', undefined, (body: Buffer) => body],
    ['br;q=0, gzip;q=0.000', undefined, (body: Buffer) => body],
    ['vibrant, x-gzip-like', undefined, (body: Buffer) => body],
  ])('accept-encoding: %s', async (accepted, encoding, decompress) => {
    const answer = await get('/assets/app-1a2b3c.js', accepted ? { 'accept-encoding': accepted } : {});
    expect(answer.headers['content-encoding']).toBe(encoding);
    expect(answer.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(Number(answer.headers['content-length'])).toBe(answer.body.length);
    expect(decompress(answer.body).toString()).toBe(script);
  });

  test('a file without copies is sent as it is', async () => {
    const answer = await get('/assets/plain-1a2b3c.css', { 'accept-encoding': 'br, gzip' });
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.body.toString()).toBe('body {}');
  });
});

test('a name with spaces and umlauts is found', async () => {
  const answer = await get(`/assets/${encodeURIComponent('Größe 1.png')}`);
  expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'image/png' } });
});

test('HEAD tells what GET would, without the bytes', async () => {
  const answer = await get('/assets/app-1a2b3c.js', {}, 'HEAD');
  expect(answer).toMatchObject({ status: 200, headers: { 'content-length': String(script.length) } });
  expect(answer.body).toHaveLength(0);
});

function openAssets() {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      return false;
    }
  });
}

test.runIf(existsSync('/proc/self/fd'))('HEAD leaves no file open', async () => {
  for (let n = 0; n < 20; n++) await get('/assets/large-1a2b3c.png', {}, 'HEAD');
  // A file is opened behind the scenes: give it the time.
  await delay(100);
  await vi.waitFor(() => expect(openAssets()).toEqual([]), { timeout: 20_000 });
});

test.each([
  '/../secret.txt',
  '/assets/../../secret.txt',
  '/%2e%2e/secret.txt',
  '/%2e%2e%2fsecret.txt',
  '/..%2fsecret.txt',
  '/..%5csecret.txt',
  '/assets/..%2f..%2fsecret.txt',
  '/%252e%252e%252fsecret.txt',
  '/..%2fdist-old%2fsecret.js',
  '/%2e%2e/dist-old/secret.js',
  '/....//secret.txt',
  '//secret.txt',
  '/%2fetc%2fhostname.txt',
  '/assets/app-1a2b3c.js%00.txt',
  '/%00.js',
  '/secret%00.js',
  '/.sources',
  '/assets/app-1a2b3c.js.map',
  '/assets/%c0%ae%c0%ae/secret.txt',
])('%s leads nowhere: to the page or to 404, never out of the folder', async (path) => {
  const answer = await get(path);
  expect(answer.body.toString()).not.toContain('secret');
  if (answer.status === 200) expect(answer.body.toString()).toBe(page);
  else expect(answer.status).toBe(404);
});

test.each(['/assets/gone-1a2b3c.js', '/gone.png', '/assets/%E0%A4%A.js', '/assets/app-1a2b3c.js.br'])(
  'what is not there (%s) is told as not_found, so that an old page does not run a page of HTML as a script',
  async (path) => {
    const answer = await get(path);
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body.toString()).code).toBe('not_found');
  },
);

test('a web app that was not built says how to build it', async () => {
  const app = createRouter();
  serveWebApp(app, join(base, 'nothing'));
  app.onError((error, c) => c.text(error.message, (error as AppError).status));
  const answer = await app.request('/');
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain('npm start');
});
