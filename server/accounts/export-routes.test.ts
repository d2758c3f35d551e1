import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import pg from 'pg';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../platform/config.ts';
import { createDatabase, createPool, type Database } from '../platform/database.ts';
import { createLogger } from '../platform/logger.ts';
import { createMailer, type Mailer } from '../platform/mail/mailer.ts';
import { createOutbox } from '../platform/mail/outbox.ts';
import { createDiskStorage, type Storage } from '../platform/storage.ts';
import { endSchedule } from '../testing/end-schedule.ts';
import { readTurn } from '../testing/read-turn.ts';
import { readZip } from '../testing/read-zip.ts';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';
import type { Exporter } from './export.ts';
import { insertExport as askForExport } from './export-queries.ts';
import { type ExportParts, makeExports } from './make-export.ts';
import { runErasures } from './run-erasures.ts';

const fixtures = join(import.meta.dirname, '..', 'testing', 'fixtures');
const report = join(fixtures, 'ridgeway-bakery-review.pdf');
const notes = join(fixtures, 'founder-notes.md');
const logger = createLogger('silent');

let server: Awaited<ReturnType<typeof startTestServer>>;
let pool: pg.Pool;
beforeAll(async () => {
  server = await startTestServer();
  pool = new pg.Pool({ connectionString: server.database_url, max: 3 });
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});

const ask = (member: TestClient) => member.fetch('/api/me/exports', { method: 'POST' });

async function waitUntilReady(member: TestClient) {
  return await vi.waitFor(
    async () => {
      const { exports } = await member.json('/api/me/exports');
      expect(exports[0].status).toBe('ready');
      return exports[0];
    },
    { timeout: 18_000, interval: 100 },
  );
}

async function listMails(to: string) {
  return (await createOutbox(server.folder).list()).filter((mail) => mail.to === to);
}

it('an export holds everything of its member, the files byte for byte, and nothing secret', async () => {
  const member = await server.signUp();
  const session_id = randomUUID();
  const file_ids: string[] = [];
  for (const path of [report, notes]) file_ids.push(((await (await member.upload(path)).json()) as any).id);
  const sent = { session_id, content: 'Read these: CON/../x?', file_ids };
  const { text } = await readTurn(await member.send(sent));
  const { messages } = await member.json(`/api/chat-sessions/${session_id}/messages`);
  await readTurn(await member.send({ session_id, repeats_message_id: messages[0].id, content: '' }));
  const picture = await sharp({ create: { width: 300, height: 200, channels: 3, background: '#123456' } })
    .png()
    .toBuffer();
  const pictured = await member.fetch('/api/me/avatar', { method: 'PUT', body: new Uint8Array(picture) });
  expect(pictured.status).toBe(200);
  const other = await server.signUp();
  await readTurn(await other.send({ content: 'Something of somebody else' }));

  const asked = await ask(member);
  expect(asked.status).toBe(202);
  expect(await asked.json()).toMatchObject({ status: 'queued', parts_done: 0, size_bytes: null });
  const made = await waitUntilReady(member);
  expect(made.parts_done).toBe(made.parts_total);
  const answer = await member.fetch(`/api/me/exports/${made.id}/file`);
  expect(answer.headers.get('content-type')).toBe('application/zip');
  expect(answer.headers.get('content-disposition')).toMatch(
    /^attachment; filename="touchline-\d{4}-\d\d-\d\d\.zip"$/,
  );
  expect(answer.headers.get('content-length')).toBe(String(made.size_bytes));
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect(bytes).toHaveLength(made.size_bytes);

  const zip = await readZip(bytes);
  const paths = [...zip.keys()];
  const chat_path = paths.find((path) => path.startsWith('chats/'))!;
  expect(paths.filter((path) => !path.startsWith('files/'))).toEqual([
    'profile.json',
    'picture.webp',
    chat_path,
    'chats.json',
    'usage.json',
    'usage-entries.json',
    'README.txt',
  ]);
  expect(chat_path).toMatch(/^chats\/\d{4}-\d\d-\d\d-[^/\\?]+-[0-9a-f]{8}\.md$/);
  for (const original of [report, notes]) {
    const stem = basename(original).replace(/\.\w+$/, '');
    const path = paths.find((name) => name.startsWith(`files/${stem}-`))!;
    expect(zip.get(path)!.equals(readFileSync(original))).toBe(true);
    expect(zip.get(chat_path)!.toString()).toContain(`(<../${path}>)`);
  }
  expect(zip.get(chat_path)!.toString()).toContain(text.slice(0, 40).trim());
  expect(zip.get(chat_path)!.toString()).toContain('# Replaced');
  const [chat, ...more] = JSON.parse(zip.get('chats.json')!.toString());
  expect(more).toEqual([]);
  expect(chat).toMatchObject({ id: session_id, assistant_slug: 'carousel' });
  expect(chat.messages.map(({ is_chosen }: any) => is_chosen)).toEqual([true, false, true]);
  expect(chat.messages[2].turn).toMatchObject({ status: 'done', incomplete: false });
  const shown = await member.fetch('/api/me/avatar');
  expect(zip.get('picture.webp')!.equals(Buffer.from(await shown.arrayBuffer()))).toBe(true);
  const profile = JSON.parse(zip.get('profile.json')!.toString());
  expect(profile).toMatchObject({
    role: 'member',
    profile: { email: member.email },
    sign_in: { email: member.email },
  });
  expect(profile.sessions).toHaveLength(1);
  expect(JSON.parse(zip.get('usage.json')!.toString())).toMatchObject({
    subscription_plan: 'free',
    subscription_usage: { messages: 2, files: 2, tokens: 0 },
    message_credits: 0,
    subscriptions: [],
    purchases: [],
    grants: [],
  });
  const entries = JSON.parse(zip.get('usage-entries.json')!.toString());
  expect(entries.map(({ counter, reason }: any) => `${reason} ${counter}`).sort()).toEqual([
    ...['reserved files', 'reserved files'],
    ...['reserved messages', 'reserved messages'],
  ]);

  const all = [...zip.values()].map((content) => content.toString()).join('\n');
  expect(all).not.toContain('Something of somebody else');
  const { rows } = await pool.query(
    `select encrypted_password as secret from auth.users where email = $1
     union select token from auth.refresh_tokens where user_id = (select id from auth.users where email = $1)`,
    [member.email],
  );
  expect(rows.length).toBeGreaterThan(1);
  for (const { secret } of rows) expect(all).not.toContain(secret);

  await vi.waitFor(
    async () => {
      const [mail] = (await listMails(member.email)).filter(({ subject }) => subject.includes('is ready'));
      expect(mail!.text).toContain(`${server.url.replace('127.0.0.1', 'localhost')}/settings/data`);
    },
    { timeout: 20_000 },
  );
});

it('an export is its owner’s alone, for 7 days', async () => {
  const member = await server.signUp();
  await ask(member);
  const { id, expires_at } = await waitUntilReady(member);
  expect(Date.parse(expires_at) - Date.now()).toBeGreaterThan(6.9 * 24 * 3600_000);
  const stranger = await server.signUp();
  expect((await stranger.fetch(`/api/me/exports/${id}/file`)).status).toBe(404);
  expect((await stranger.json('/api/me/exports')).exports).toEqual([]);
  expect((await fetch(`${server.url}/api/me/exports/${id}/file`)).status).toBe(401);
  const head = await member.fetch(`/api/me/exports/${id}/file`, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
  await pool.query(`update public.account_exports set expires_at = now() where id = $1`, [id]);
  expect((await member.fetch(`/api/me/exports/${id}/file`)).status).toBe(404);
  expect((await member.json('/api/me/exports')).exports).toEqual([]);
});

it('one at a time and five a day; the answer says when the next may be asked for', async () => {
  const member = await server.signUp();
  // One that another server makes.
  await pool.query(
    `insert into public.account_exports (user_id, status, storage_key, next_attempt_at)
     select id, 'running', 'elsewhere', now() + interval '1 hour' from public.profiles where email = $1`,
    [member.email],
  );
  const answers = await Promise.all([ask(member), ask(member), ask(member)]);
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
  const ids = await Promise.all(answers.map(async (answer) => ((await answer.json()) as any).id));
  expect(new Set(ids).size).toBe(1);
  await pool.query(`update public.account_exports set status = 'failed' where id = $1`, [ids[0]]);
  await pool.query(
    `insert into public.account_exports (user_id, status, created_at)
     select user_id, 'failed', now() - interval '23 hours' from public.account_exports where id = $1
     union all select user_id, 'failed', now() - interval '1 hour' from public.account_exports, generate_series(1, 3) where id = $1`,
    [ids[0]],
  );
  const refused = await ask(member);
  expect(refused.status).toBe(429);
  const retry_after_s = Number(refused.headers.get('retry-after'));
  expect(retry_after_s).toBeGreaterThan(3_500);
  expect(retry_after_s).toBeLessThanOrEqual(3_600);
  await pool.query(
    `update public.account_exports set created_at = now() - interval '24 hours' where created_at < now() - interval '22 hours'`,
  );
  expect((await ask(member)).status).toBe(202);
});

it('an address that is not confirmed, and a pause, are no reason to withhold what is theirs', async () => {
  const member = await server.signUp({ is_confirmed: false });
  await pool.query('update public.profiles set is_active = false where email = $1', [member.email]);
  expect((await ask(member)).status).toBe(202);
  await waitUntilReady(member);
});

describe('the making', () => {
  let database: Database;
  let storage: Storage;
  let mailer: Mailer;
  let own: Awaited<ReturnType<typeof startTestServer>>;
  let ownPool: pg.Pool;
  let member: TestClient;
  let user_id: string;

  beforeAll(async () => {
    own = await startTestServer();
    ownPool = new pg.Pool({ connectionString: own.database_url, max: 3 });
    database = createDatabase(createPool(own.database_url, 4, logger));
    storage = createDiskStorage(own.folder);
    mailer = createMailer(readConfig({ DATA_DIR: own.folder }), logger);
    await endSchedule(ownPool);
  });
  afterAll(async () => {
    await mailer.close();
    await database.destroy();
    await ownPool.end();
    await own.stop();
  });
  beforeEach(async () => {
    await ownPool.query('delete from public.account_exports');
    member = await own.signUp();
    const { rows } = await ownPool.query('select id from public.profiles where email = $1', [member.email]);
    user_id = rows[0].id;
  });

  async function insertExport() {
    const { rows } = await ownPool.query(
      'insert into public.account_exports (user_id) values ($1) returning id',
      [user_id],
    );
    return rows[0].id as string;
  }

  async function findExport(id: string) {
    return (await ownPool.query('select * from public.account_exports where id = $1', [id])).rows[0];
  }

  function exporting(content: () => Readable | string | undefined): Exporter {
    return {
      describe: ['words.txt'],
      count: async () => 1,
      async *entries() {
        yield {
          path: 'words.txt',
          content: async () => {
            const given = content();
            return typeof given === 'string' ? Readable.from([given]) : given;
          },
        };
      },
    };
  }

  const make = (exporter: Exporter, changed: Partial<ExportParts> = {}) =>
    makeExports({ database, storage, exporters: [exporter], mailer, logger, site_url: own.url, ...changed });

  const listStored = () => {
    const folder = join(own.folder, 'files', user_id);
    return existsSync(folder) ? readdirSync(folder) : [];
  };

  const erase = () => runErasures(database, { stored_file: (key) => storage.delete(key) }, logger);

  it('closing the account in the middle ends it, and leaves nothing in the storage', async () => {
    const id = await insertExport();
    let opened!: () => void;
    const open = new Promise<void>((resolve) => {
      opened = resolve;
    });
    let destroyed = false;
    const making = make(
      exporting(() => {
        opened();
        // Never ends by itself.
        const endless = new Readable({ read() {} });
        endless.push('the first words');
        endless.once('close', () => {
          destroyed = true;
        });
        return endless;
      }),
    );
    await open;
    await member.fetch('/api/me/close', {
      method: 'POST',
      body: JSON.stringify({ confirmation: member.email }),
    });
    await making;
    expect(destroyed).toBe(true);
    expect(await findExport(id)).toBeUndefined();
    await erase();
    expect(listStored()).toEqual([]);
  });

  it('one whose server was killed is made anew by another, and what was half written goes', async () => {
    const id = await insertExport();
    let opened!: () => void;
    const open = new Promise<void>((resolve) => {
      opened = resolve;
    });
    const endless = new Readable({ read() {} });
    endless.push('the first words');
    const stuck = exporting(() => {
      opened();
      return endless;
    });
    const killed = createDatabase(createPool(own.database_url, 2, logger));
    const first = make(stuck, { database: killed });
    await open;
    // While its server is heard of, nobody else takes it.
    await make(exporting(() => 'the second'));
    expect(await findExport(id)).toMatchObject({ status: 'running', attempts: 1 });
    await killed.destroy();
    await ownPool.query('update public.account_exports set next_attempt_at = now() where id = $1', [id]);
    await make(exporting(() => 'all the words'));
    const row = await findExport(id);
    expect(row).toMatchObject({ status: 'ready', attempts: 2 });
    await erase();
    expect(listStored()).toEqual([basename(row.storage_key)]);
    const zip = await readZip(readFileSync(join(own.folder, 'files', row.storage_key)));
    expect(zip.get('words.txt')!.toString()).toBe('all the words');
    endless.destroy(new Error('the end'));
    await expect(first).rejects.toThrow();
  });

  it('one whose servers die again and again is given up, and another can be asked for', async () => {
    const id = await insertExport();
    await ownPool.query(
      `update public.account_exports
       set status = 'running', attempts = 6, storage_key = 'left', next_attempt_at = now() where id = $1`,
      [id],
    );
    await make(exporting(() => 'words'));
    expect(await findExport(id)).toMatchObject({ status: 'failed', attempts: 6 });
    expect((await ask(member)).status).toBe(202);
  });

  it('one that fails is tried three times, then it has failed and leaves nothing, and another can be asked for', async () => {
    const id = await insertExport();
    let tries = 0;
    const failing = exporting(() => {
      tries++;
      return new Readable({
        read() {
          this.push('half');
          this.destroy(new Error('the disk is away'));
        },
      });
    });
    for (let attempt = 1; attempt <= 3; attempt++) {
      await make(failing);
      await make(failing);
      expect(tries).toBe(attempt);
      expect(await findExport(id)).toMatchObject({ status: attempt < 3 ? 'queued' : 'failed' });
      await ownPool.query('update public.account_exports set next_attempt_at = now() where id = $1', [id]);
    }
    await make(failing);
    expect(tries).toBe(3);
    await erase();
    expect(listStored()).toEqual([]);
    expect((await ask(member)).status).toBe(202);
  });

  it('asked for at once on several servers, one is begun', async () => {
    const asked = await Promise.all([1, 2, 3, 4].map(() => askForExport(database, user_id, 5)));
    expect(new Set(asked.filter(Boolean).map((row) => row!.id)).size).toBe(1);
    const { rowCount } = await ownPool.query('select from public.account_exports where user_id = $1', [
      user_id,
    ]);
    expect(rowCount).toBe(1);
  });

  it('on four servers at once it is made once, and one mail is sent', async () => {
    await insertExport();
    let made = 0;
    const counting = exporting(() => {
      made++;
      return 'words';
    });
    await Promise.all([make(counting), make(counting), make(counting), make(counting)]);
    await make(counting);
    expect(made).toBe(1);
    const mails = (await createOutbox(own.folder).list()).filter(
      ({ to, subject }) => to === member.email && subject.includes('is ready'),
    );
    expect(mails).toHaveLength(1);
  });

  it('no more is read than the storage takes', async () => {
    await insertExport();
    let read_bytes = 0;
    const chunk = Buffer.alloc(64 * 1024, 'a');
    const gigabytes: Exporter = {
      describe: [],
      count: async () => 1,
      async *entries() {
        for (let number = 0; ; number++) {
          yield {
            path: `file-${number}`,
            is_compressed: true,
            content: async () =>
              Readable.from(
                (async function* () {
                  for (let part = 0; part < 1_000; part++) {
                    read_bytes += chunk.length;
                    yield chunk;
                  }
                })(),
              ),
          };
        }
      },
    };
    let stop!: (error: Error) => void;
    const stopped = new Promise<never>((_, reject) => {
      stop = reject;
    });
    const making = make(gigabytes, {
      // Takes nothing at all.
      storage: { ...storage, putStream: () => stopped },
    });
    let before = -1;
    await vi.waitFor(
      () => {
        const settled = read_bytes > 0 && read_bytes === before;
        before = read_bytes;
        expect(settled).toBe(true);
      },
      { timeout: 15_000, interval: 500 },
    );
    expect(read_bytes).toBeLessThan(4 * 1024 * 1024);
    stop(new Error('the disk is full'));
    await making;
  });

  it('a file that is missing in the storage is named, and all else is there', async () => {
    await member.upload(report);
    rmSync(join(own.folder, 'files', user_id), { recursive: true });
    const asked = await ask(member);
    expect(asked.status).toBe(202);
    await waitUntilReady(member);
    const row = (await ownPool.query('select * from public.account_exports where user_id = $1', [user_id]))
      .rows[0];
    const zip = await readZip(readFileSync(join(own.folder, 'files', row.storage_key)));
    expect([...zip.keys()].some((path) => path.startsWith('files/'))).toBe(false);
    expect(zip.get('README.txt')!.toString()).toMatch(/could not be found.*\n {2}files\/ridgeway/);
  });

  it('what is over is deleted, file and row', async () => {
    const id = await insertExport();
    await make(exporting(() => 'words'));
    expect(listStored()).toHaveLength(1);
    await ownPool.query('update public.account_exports set expires_at = now() where id = $1', [id]);
    await make(exporting(() => 'words'));
    await erase();
    expect(await findExport(id)).toBeUndefined();
    expect(listStored()).toEqual([]);
  });
});
