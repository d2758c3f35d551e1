import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addToLibrary } from '../testing/library-client.ts';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';

const fixtures = join(import.meta.dirname, '..', 'testing', 'fixtures');

let server: Awaited<ReturnType<typeof startTestServer>>;
let pool: pg.Pool;
beforeAll(async () => {
  server = await startTestServer();
  pool = new pg.Pool({ connectionString: server.database_url, max: 4 });
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});

async function signUp(storage_mb: number | null = 1) {
  const member = await server.signUp();
  await pool.query(
    `update public.profiles set subscription_quota = subscription_quota || jsonb_build_object('storage_mb', $2::int) where email = $1`,
    [member.email, storage_mb],
  );
  return member;
}

function upload(member: TestClient, path: '/api/library' | '/api/files', size: number) {
  const form = new FormData();
  form.set('file', new File(['word '.repeat(size / 5)], 'words.txt'));
  return member.fetch(path, { method: 'POST', body: form });
}

const usedFiles = async (member: TestClient) => (await member.json('/api/me')).subscription_usage.files;

describe('what a member’s files may weigh together', () => {
  it('is kept to the byte, whichever way files come and however many at once; what is refused counts nothing', async () => {
    const member = await signUp();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        upload(member, index % 2 ? '/api/library' : '/api/files', 250_000),
      ),
    );
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused).toHaveLength(6);
    for (const answer of refused) {
      expect(answer.status).toBe(429);
      expect(await answer.json()).toMatchObject({
        code: 'quota_exhausted',
        counter: 'storage',
        detail: expect.stringContaining('Nothing was saved or counted'),
      });
    }
    expect(await usedFiles(member)).toBe(4);
    const storage = { used_bytes: 1_000_000, limit_bytes: 1_000_000 };
    expect((await member.json('/api/me')).storage).toEqual(storage);
    expect((await member.json('/api/billing')).storage).toEqual(storage);
    expect((await member.json('/api/library')).storage).toEqual(storage);
    const { rows } = await pool.query('select id from public.profiles where email = $1', [member.email]);
    expect(readdirSync(join(server.folder, 'files', rows[0].id))).toHaveLength(4);
    expect((await upload(member, '/api/library', 5)).status).toBe(429);
  });

  it('has room again for what is deleted, and for a draft that is taken back', async () => {
    const member = await signUp();
    const { id } = (await (await upload(member, '/api/library', 600_000)).json()) as any;
    const draft = (await (await upload(member, '/api/files', 400_000)).json()) as any;
    expect((await upload(member, '/api/library', 300_000)).status).toBe(429);
    await member.fetch(`/api/files/${draft.id}`, { method: 'DELETE' });
    expect((await upload(member, '/api/library', 300_000)).status).toBe(201);
    await member.fetch(`/api/library/${id}`, { method: 'DELETE' });
    expect((await member.json('/api/me')).storage.used_bytes).toBe(300_000);
    expect((await upload(member, '/api/library', 700_000)).status).toBe(201);
  });

  it('refuses a file that is announced as too large before a byte of it comes', async () => {
    const member = await signUp();
    await upload(member, '/api/library', 500_000);
    for (const path of ['/api/library', '/api/files']) {
      const sending = request(server.url + path, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${member.token}`,
          'content-type': 'multipart/form-data; boundary=x',
          'content-length': 600_000,
        },
      });
      sending.flushHeaders();
      const status = await new Promise((resolve, reject) => {
        sending.on('error', reject).on('response', (response) => resolve(response.statusCode));
      });
      sending.destroy();
      expect(status).toBe(429);
    }
    expect(await usedFiles(member)).toBe(1);
  });

  it('is nothing in a plan that gives none, and anything where it is null', async () => {
    expect((await upload(await signUp(0), '/api/files', 5)).status).toBe(429);
    const free = await signUp(null);
    expect((await upload(free, '/api/files', 1_000_000)).status).toBe(201);
    expect((await free.json('/api/me')).storage).toEqual({ used_bytes: 1_000_000, limit_bytes: null });
  });

  it('comes from plans.yaml', async () => {
    const member = await server.signUp();
    expect((await member.json('/api/me')).storage).toEqual({ used_bytes: 0, limit_bytes: 100_000_000 });
    const { plans } = await member.json('/api/plans');
    expect(plans.map((plan: any) => plan.includes.storage_mb)).toEqual([100, 1000, 5000, null]);
  });
});

describe('a picture of the library or of a message', () => {
  it('comes as WebP for its owner, is kept by that browser only, and is not sent again', async () => {
    const member = await server.signUp();
    const picture = new Uint8Array(readFileSync(join(fixtures, 'shopfront.jpg')));
    const { id, file_id } = await addToLibrary(member, picture, 'front.jpg');
    for (const path of [`/api/library/${id}/picture`, `/api/files/${file_id}/picture`]) {
      const answer = await member.fetch(`${path}?width=1280`);
      expect(answer.status).toBe(200);
      const told = Object.fromEntries(answer.headers);
      expect(told).toMatchObject({
        'content-type': 'image/webp',
        'x-content-type-options': 'nosniff',
        'cache-control': expect.stringMatching(/^private, max-age=\d+$/),
        vary: 'authorization',
      });
      const bytes = Buffer.from(await answer.arrayBuffer());
      expect(bytes.toString('latin1', 8, 12)).toBe('WEBP');
      const again = await member.fetch(`${path}?width=1280`, { headers: { 'if-none-match': told.etag! } });
      expect([again.status, await again.text()]).toEqual([304, '']);
      const small = await member.fetch(path, { headers: { 'if-none-match': told.etag! } });
      expect(small.status).toBe(200);
      expect((await small.arrayBuffer()).byteLength).toBeLessThan(bytes.length);
      expect((await member.fetch(path, { method: 'HEAD' })).headers.get('etag')).toBe(
        small.headers.get('etag'),
      );
      expect((await member.fetch(`${path}?width=5000`)).status).toBe(400);
      const stranger = await server.signUp();
      for (const headers of [{}, { 'if-none-match': told.etag! }])
        expect((await stranger.fetch(`${path}?width=1280`, { headers })).status).toBe(404);
    }
    await member.fetch(`/api/library/${id}`, { method: 'DELETE' });
    expect((await member.fetch(`/api/library/${id}/picture`)).status).toBe(404);
  });

  it('is none of a document', async () => {
    const member = await server.signUp();
    const { id, file_id } = await addToLibrary(member, 'Words.', 'words.txt');
    for (const path of [`/api/library/${id}/picture`, `/api/files/${file_id}/picture`])
      expect((await member.fetch(path)).status).toBe(404);
    const image = new Uint8Array(readFileSync(join(fixtures, 'shopfront.gif')));
    const shown = await addToLibrary(member, image, 'front.gif');
    expect(await member.json(`/api/library/${shown.id}/preview`)).toEqual({
      passages: [],
      is_shortened: false,
    });
  });
});
