import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { runErasures } from '../accounts/run-erasures.ts';
import { createDatabase } from '../platform/database.ts';
import { createLogger } from '../platform/logger.ts';
import { createDiskStorage } from '../platform/storage.ts';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';
import { noteStoring } from './queries.ts';

const fixtures = join(import.meta.dirname, '..', 'testing', 'fixtures');

let server: Awaited<ReturnType<typeof startTestServer>>;
let pool: pg.Pool;
let member: TestClient;
beforeAll(async () => {
  server = await startTestServer({ MAX_FILE_MB: '1' });
  pool = new pg.Pool({ connectionString: server.database_url, max: 2 });
  member = await server.signUp();
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});

async function filesUsed(client: TestClient) {
  return (await client.json('/api/me')).subscription_usage.files;
}

it.each([
  ['ridgeway-bakery-review.pdf', 'application/pdf', 6],
  ['founder-notes.md', 'text/markdown', null],
  ['interview-transcript.txt', 'text/plain', null],
  ['brand-voice.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', null],
  ['prices.xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', null],
  ['orders.csv', 'text/csv', null],
  ['opening-hours.html', 'text/html', null],
  ['suppliers.json', 'application/json', null],
])('%s is taken in, counted once, and comes back byte for byte', async (name, file_type, pages) => {
  const sender = await server.signUp();
  const answer = await sender.upload(join(fixtures, name));
  expect(answer.status).toBe(201);
  const file = (await answer.json()) as any;
  expect(file).toMatchObject({ file_name: name, file_type, pages });
  expect(file.words).toBeGreaterThan(20);
  expect(file).toMatchObject({ kind: 'document', width: null, height: null });
  expect(await filesUsed(sender)).toBe(1);
  const content = await sender.fetch(`/api/files/${file.id}/content`);
  expect(content.headers.get('content-disposition')).toBe(`attachment; filename*=UTF-8''${name}`);
  expect(Buffer.from(await content.arrayBuffer()).equals(readFileSync(join(fixtures, name)))).toBe(true);
});

it.each([
  ['encrypted.pdf', 422, 'unreadable_file'],
  ['broken.pdf', 422, 'unreadable_file'],
  ['scanned.pdf', 422, 'empty_file'],
  ['empty.txt', 422, 'empty_file'],
  ['not-really.pdf', 415, 'unsupported_file_type'],
  ['zip-bomb.docx', 422, 'unreadable_file'],
  ['zip-bomb.xlsx', 422, 'unreadable_file'],
  ['encrypted.xlsx', 422, 'unreadable_file'],
  ['broken.json', 422, 'unreadable_file'],
  ['cut-off.png', 422, 'unreadable_file'],
  ['not-really.png', 415, 'unsupported_file_type'],
])('%s is refused with the reason, and nothing is counted or kept', async (name, status, code) => {
  const sender = await server.signUp();
  const answer = await sender.upload(join(fixtures, name));
  expect(answer.status).toBe(status);
  expect(await answer.json()).toMatchObject({ code, detail: expect.stringMatching(/^[A-Z].*\.$/) });
  expect(await filesUsed(sender)).toBe(0);
  expect(readdirSync(join(server.folder, 'uploads'))).toEqual([]);
});

it.each([
  ['shopfront.png', 'image/png', 1600, 1200],
  ['shopfront.jpg', 'image/jpeg', 1600, 1200],
  ['shopfront.webp', 'image/webp', 800, 600],
  ['shopfront.gif', 'image/gif', 120, 90],
])(
  'the picture %s is taken in, counted once, and comes back byte for byte',
  async (name, file_type, width, height) => {
    const sender = await server.signUp();
    const answer = await sender.upload(join(fixtures, name));
    expect(answer.status).toBe(201);
    const file = (await answer.json()) as any;
    expect(file).toMatchObject({
      file_name: name,
      file_type,
      kind: 'image',
      width,
      height,
      pages: null,
      words: 0,
    });
    expect(await filesUsed(sender)).toBe(1);
    const { rows } = await pool.query(
      `select kind, width, height, (select count(*)::int from public.file_passages where original_id = file_originals.id) as passages
     from public.file_originals join public.chat_files on original_id = file_originals.id where chat_files.id = $1`,
      [file.id],
    );
    expect(rows).toEqual([{ kind: 'image', width, height, passages: 0 }]);
    const content = await sender.fetch(`/api/files/${file.id}/content`);
    expect(Buffer.from(await content.arrayBuffer()).equals(readFileSync(join(fixtures, name)))).toBe(true);
  },
);

it.each([
  ['interview-transcript.txt', 'german', 'Gespräche'],
  ['founder-notes.md', 'english', 'resting'],
])('%s is found by another form of its words in %s', async (name, language, form) => {
  const { id } = (await (await member.upload(join(fixtures, name))).json()) as any;
  const { rows } = await pool.query(
    `select language, count(*) filter (where search @@ plainto_tsquery($2::regconfig, $3))::int as found
     from public.file_originals join public.chat_files on original_id = file_originals.id
     join public.file_passages on file_passages.original_id = file_originals.id where chat_files.id = $1 group by 1`,
    [id, language, form],
  );
  expect(rows).toEqual([{ language, found: expect.any(Number) }]);
  expect(rows[0].found).toBeGreaterThan(0);
});

function post(body: RequestInit['body'], headers: Record<string, string> = {}) {
  return member.fetch('/api/files', { method: 'POST', body, headers });
}

it('a file over the limit is refused while it arrives, and nothing is kept', async () => {
  const form = new FormData();
  form.set('file', new File(['a'.repeat(1024 * 1024 + 1)], 'long.txt'));
  const answer = await post(form);
  expect(answer.status).toBe(413);
  expect(await answer.json()).toMatchObject({
    code: 'file_too_large',
    detail: expect.stringContaining('1 MB'),
  });
  expect(readdirSync(join(server.folder, 'uploads'))).toEqual([]);
});

/** Opens an upload of which the test sends as much as it wants. */
function openUpload(sender: TestClient, headers: Record<string, string | number> = {}) {
  const opened = request(`${server.url}/api/files`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${sender.token}`,
      'content-type': 'multipart/form-data; boundary=x',
      ...headers,
    },
  });
  opened.flushHeaders();
  const answer = new Promise<{ status: number; headers: IncomingMessage['headers']; body: any }>(
    (resolve, reject) => {
      opened.on('error', reject).on('response', async (response) => {
        const chunks = await response.toArray();
        const body = JSON.parse(Buffer.concat(chunks).toString());
        resolve({ status: response.statusCode!, headers: response.headers, body });
      });
    },
  );
  answer.catch(() => {});
  return { opened, answer };
}

const opening = '--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\n';

it('a file whose announced length is over the limit is refused before it arrives', async () => {
  const { opened, answer } = openUpload(member, { 'content-length': 50_000_000 });
  expect(await answer).toMatchObject({ status: 413, body: { code: 'file_too_large' } });
  opened.destroy();
});

it('a file that turns out to be over the limit is refused while its sender goes on', async () => {
  const { opened, answer } = openUpload(member);
  opened.write(opening + 'words '.repeat(200_000));
  expect(await answer).toMatchObject({ status: 413, body: { code: 'file_too_large' } });
  opened.destroy();
});

it.each([
  ['an account that is paused', 'is_active = false', 403, { code: 'account_inactive' }],
  [
    'a plan without a file left',
    `subscription_quota = '{"files": 0}'`,
    429,
    { code: 'quota_exhausted', counter: 'files' },
  ],
])('%s is refused before a byte of the file is received', async (_, change, status, body) => {
  const sender = await server.signUp();
  await pool.query(`update public.profiles set ${change} where email = $1`, [sender.email]);
  const { opened, answer } = openUpload(sender);
  expect(await answer).toMatchObject({ status, body });
  opened.destroy();
});

it('a member’s eleventh upload at once is told when to come back, and does not keep others waiting', async () => {
  const sender = await server.signUp();
  const open: ClientRequest[] = [];
  for (let n = 0; n < 10; n++) {
    const { opened } = openUpload(sender);
    opened.write(opening + 'words '.repeat(100));
    open.push(opened);
  }
  const uploads = join(server.folder, 'uploads');
  await vi.waitFor(() => expect(readdirSync(uploads)).toHaveLength(10), { timeout: 20_000 });
  const { status, headers, body } = await openUpload(sender).answer;
  expect({ status, wait: headers['retry-after'], code: body.code }).toEqual({
    status: 429,
    wait: '5',
    code: 'too_many_requests',
  });
  expect((await member.upload(join(fixtures, 'founder-notes.md'))).status).toBe(201);
  for (const opened of open) opened.destroy();
  await vi.waitFor(() => expect(readdirSync(uploads)).toEqual([]), { timeout: 20_000 });
  expect((await sender.upload(join(fixtures, 'founder-notes.md'))).status).toBe(201);
});

it('a sender who leaves while the file is read has sent nothing', async () => {
  const sender = await server.signUp();
  const uploads = join(server.folder, 'uploads');
  const form = `${opening}${'words '.repeat(150_000)}\r\n--x--\r\n`;
  const { opened } = openUpload(sender, { 'content-length': form.length });
  opened.end(form);
  const received = () => readdirSync(uploads).some((name) => statSync(join(uploads, name)).size === 900_000);
  await vi.waitFor(() => expect(received()).toBe(true), { timeout: 20_000, interval: 2 });
  opened.destroy();
  await vi.waitFor(() => expect(readdirSync(uploads)).toEqual([]), { timeout: 20_000 });
  expect(await filesUsed(sender)).toBe(0);
  const { rowCount } = await pool.query(
    'select 1 from public.chat_files join public.profiles on user_id = profiles.id where email = $1',
    [sender.email],
  );
  expect(rowCount).toBe(0);
});

it.runIf(existsSync('/proc/self/fd'))('HEAD tells what GET would, and leaves no file open', async () => {
  const sender = await server.signUp();
  const form = new FormData();
  form.set('file', new File(['words '.repeat(150_000)], 'long.txt'));
  const uploaded = await sender.fetch('/api/files', { method: 'POST', body: form });
  const { id } = (await uploaded.json()) as any;
  for (let n = 0; n < 20; n++) {
    const answer = await sender.fetch(`/api/files/${id}/content`, { method: 'HEAD' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-length')).toBe('900000');
    expect(answer.headers.get('content-disposition')).toContain('long.txt');
  }
  // A file is opened behind the scenes: give it the time.
  await delay(100);
  const open = readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(join(server.folder, 'files'));
    } catch {
      return false;
    }
  });
  expect(open).toEqual([]);
});

it('the time of an upload is told as everywhere else', async () => {
  const { id, created_at } = (await (await member.upload(join(fixtures, 'founder-notes.md'))).json()) as any;
  expect(created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
  const { rows } = await pool.query('select 1 from public.chat_files where id = $1 and created_at = $2', [
    id,
    created_at,
  ]);
  expect(rows).toHaveLength(1);
});

it.each([
  ['JSON', '{}', { 'content-type': 'application/json' }],
  ['a form without a file', new URLSearchParams({ file: 'x' }), {}],
  [
    'a form that breaks off',
    '--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf',
    { 'content-type': 'multipart/form-data; boundary=x' },
  ],
])('%s is no upload', async (_, body, headers) => {
  const answer = await post(body as RequestInit['body'], headers as Record<string, string>);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code: 'invalid_request' });
});

it('when the plan has no file left it says so, and keeps nothing', async () => {
  const sender = await server.signUp();
  await pool.query(
    `update public.profiles set subscription_quota = '{"messages": 5, "files": 3, "tokens": null}' where email = $1`,
    [sender.email],
  );
  const answers = await Promise.all(
    Array.from({ length: 6 }, () => sender.upload(join(fixtures, 'founder-notes.md'))),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 429, 429, 429]);
  expect(await filesUsed(sender)).toBe(3);
  const { rows } = await pool.query(
    `select profiles.id, count(file_originals.id)::int from public.profiles join public.file_originals on user_id = profiles.id where email = $1 group by profiles.id`,
    [sender.email],
  );
  expect(rows[0].count).toBe(3);
  expect(readdirSync(join(server.folder, 'files', rows[0].id))).toHaveLength(3);
});

it('an upload that was not sent can be taken back once: count, rows and bytes', async () => {
  const sender = await server.signUp();
  const { id } = (await (await sender.upload(join(fixtures, 'founder-notes.md'))).json()) as any;
  const { rows } = await pool.query(
    'select storage_key from public.file_originals join public.chat_files on original_id = file_originals.id where chat_files.id = $1',
    [id],
  );
  expect((await sender.fetch(`/api/files/${id}`, { method: 'DELETE' })).status).toBe(204);
  expect((await sender.fetch(`/api/files/${id}`, { method: 'DELETE' })).status).toBe(404);
  expect(await filesUsed(sender)).toBe(0);
  await vi.waitFor(
    async () => {
      const waiting = await pool.query('select 1 from public.erasures where external_id = $1', [
        rows[0].storage_key,
      ]);
      expect(waiting.rowCount).toBe(0);
      expect(readdirSync(join(server.folder, 'files', rows[0].storage_key.split('/')[0]))).toEqual([]);
    },
    { timeout: 15_000, interval: 200 },
  );
});

it('bytes that were stored by a process that died before it wrote their row are erased, and no others', async () => {
  const kept = (await (await member.upload(join(fixtures, 'founder-notes.md'))).json()) as any;
  const { rows } = await pool.query(
    'select storage_key from public.file_originals join public.chat_files on original_id = file_originals.id where chat_files.id = $1',
    [kept.id],
  );
  const noted = await pool.query('select 1 from public.erasures where external_id = $1', [
    rows[0].storage_key,
  ]);
  expect(noted.rowCount).toBe(0);

  // What such a process leaves: the note, and the bytes.
  const folder = rows[0].storage_key.split('/')[0];
  const lost = `${folder}/${randomUUID()}`;
  const database = createDatabase(pool);
  await noteStoring(database, lost);
  writeFileSync(join(server.folder, 'files', lost), 'Flour');
  const { rows: waiting } = await pool.query(
    `select next_attempt_at > now() + interval '50 minutes' as later from public.erasures where external_id = $1`,
    [lost],
  );
  expect(waiting).toEqual([{ later: true }]);
  await pool.query('update public.erasures set next_attempt_at = now() where external_id = $1', [lost]);
  const storage = createDiskStorage(server.folder);
  await runErasures(database, { stored_file: (key) => storage.delete(key) }, createLogger('silent'));
  expect(existsSync(join(server.folder, 'files', lost))).toBe(false);
  expect((await member.fetch(`/api/files/${kept.id}/content`)).status).toBe(200);
});

it('another member’s file is not found by any route', async () => {
  const { id } = (await (await member.upload(join(fixtures, 'founder-notes.md'))).json()) as any;
  const { rows } = await pool.query(
    'select file_passages.id from public.file_passages join public.chat_files using (original_id) where chat_files.id = $1',
    [id],
  );
  const passage = `/api/files/${id}/passages/${rows[0].id}`;
  expect((await member.fetch(passage)).status).toBe(200);
  const stranger = await server.signUp();
  expect((await stranger.fetch(`/api/files/${id}/content`)).status).toBe(404);
  expect((await stranger.fetch(passage)).status).toBe(404);
  expect((await stranger.fetch(`/api/files/${id}`, { method: 'DELETE' })).status).toBe(404);
  expect((await stranger.send({ content: 'Read this', file_ids: [id] })).status).toBe(404);
  expect((await member.fetch(`/api/files/${id}/content`)).status).toBe(200);
});

it('a passage of another file of one’s own is not found under this one', async () => {
  const one = (await (await member.upload(join(fixtures, 'founder-notes.md'))).json()) as any;
  const other = (await (await member.upload(join(fixtures, 'brand-voice.docx'))).json()) as any;
  const { rows } = await pool.query(
    'select file_passages.id from public.file_passages join public.chat_files using (original_id) where chat_files.id = $1 limit 1',
    [other.id],
  );
  expect((await member.fetch(`/api/files/${one.id}/passages/${rows[0].id}`)).status).toBe(404);
});

it.each([
  ['POST', '/api/files'],
  ['DELETE', `/api/files/${randomUUID()}`],
  ['GET', `/api/files/${randomUUID()}/content`],
  ['GET', `/api/files/${randomUUID()}/passages/${randomUUID()}`],
])('%s %s wants a token', async (method, path) => {
  expect((await fetch(server.url + path, { method })).status).toBe(401);
});

it('a name is kept as typed, and made safe', async () => {
  const form = new FormData();
  form.set('file', new File(['Some words for a test.'], '../../Jürgens „Notizen“ 🥨.txt'));
  const answer = await post(form);
  expect(((await answer.json()) as any).file_name).toBe('Jürgens „Notizen“ 🥨.txt');
});

it('a name with quotation marks and line breaks is shown with them, not with what the browser made of them', async () => {
  const form = new FormData();
  form.set('file', new File(['Some words for a test.'], 'The "big"\r\nplan 100%.txt'));
  const answer = await post(form);
  expect(((await answer.json()) as any).file_name).toBe('The "big" plan 100%.txt');
});
