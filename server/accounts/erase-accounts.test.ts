import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { PgBoss } from 'pg-boss';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { listErasers } from '../list-erasers.ts';
import { readConfig } from '../platform/config.ts';
import { createDatabase, createPool, type Database } from '../platform/database.ts';
import { createLogger } from '../platform/logger.ts';
import { createMailer } from '../platform/mail/mailer.ts';
import { createOutbox } from '../platform/mail/outbox.ts';
import { createOpenAIUpstream } from '../platform/models/openai-client.ts';
import { createDiskStorage } from '../platform/storage.ts';
import { endSchedule } from '../testing/end-schedule.ts';
import { startFakeOpenAI } from '../testing/fake-openai/fake-openai.ts';
import { type FakeSmtp, startFakeSmtp } from '../testing/fake-smtp.ts';
import { readTurn } from '../testing/read-turn.ts';
import { signInAgain } from '../testing/sign-in-again.ts';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';
import { eraseClosedAccounts } from './erase-accounts.ts';
import type { Erasers } from './run-erasures.ts';

const report = join(import.meta.dirname, '..', 'testing', 'fixtures', 'ridgeway-bakery-review.pdf');
const logger = createLogger('silent');
const site_url = 'https://coach.example.org';

let openai: Awaited<ReturnType<typeof startFakeOpenAI>>;
let server: Awaited<ReturnType<typeof startTestServer>>;
let smtp: FakeSmtp;
let pool: pg.Pool;
let database: Database;
let erasers: Erasers;
let mailer: ReturnType<typeof createMailer>;

beforeAll(async () => {
  openai = await startFakeOpenAI({ token_delay_ms: 1 });
  smtp = await startFakeSmtp();
  const settings = { OPENAI_API_KEY: openai.api_key, OPENAI_BASE_URL: openai.url };
  server = await startTestServer(settings);
  pool = new pg.Pool({ connectionString: server.database_url, max: 3 });
  database = createDatabase(createPool(server.database_url, 4, logger));
  const storage = createDiskStorage(server.folder);
  const upstream = createOpenAIUpstream(readConfig(settings).openai!);
  erasers = listErasers({ database, storage, upstream, stripe: undefined });
  mailer = mailerTo(smtp.port);
  await endSchedule(pool);
});
afterAll(async () => {
  await mailer.close();
  await database.destroy();
  await pool.end();
  await server.stop();
  await smtp.close();
  await openai.close();
});

function mailerTo(port: number) {
  const settings = { SMTP_HOST: '127.0.0.1', SMTP_PORT: String(port), MAIL_FROM: 'coach@example.org' };
  return createMailer(readConfig({ ...settings, SMTP_TLS: 'off', PUBLIC_URL: site_url }), logger);
}

const run = (changed: Partial<Parameters<typeof eraseClosedAccounts>[0]> = {}) =>
  eraseClosedAccounts({ database, erasers, mailer, logger, site_url, ...changed });

async function close(member: TestClient, days_ago = 30) {
  const answer = await member.fetch('/api/me/close', {
    method: 'POST',
    body: JSON.stringify({ confirmation: member.email }),
  });
  if (!answer.ok) throw new Error(`not closed: ${answer.status}`);
  const { rows } = await pool.query(
    `update public.profiles set deleted_at = now() - $2 * interval '1 day' where email = $1 returning id, auth_id`,
    [member.email, days_ago],
  );
  return rows[0] as { id: string; auth_id: string };
}

/** A member with a chat, a file and what OpenAI keeps of both. */
async function signUpAndWork() {
  const member = await server.signUp();
  const { id: file_id } = (await (await member.upload(report)).json()) as any;
  const session_id = randomUUID();
  await readTurn(
    await member.send({ session_id, content: 'What did the review of Ridgeway find?', file_ids: [file_id] }),
  );
  return { member, session_id };
}

function receiptsTo(email: string) {
  return smtp.mails.filter(
    ({ recipients, parsed }) => recipients.includes(email) && parsed.subject?.includes('is erased'),
  );
}

/** How many rows anywhere in the database, Auth's tables with it, still hold one of the words. */
async function countTraces(words: string[]) {
  const { rows: tables } = await pool.query(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_schema in ('public', 'auth') and table_type = 'BASE TABLE'`,
  );
  const traces: string[] = [];
  for (const { name } of tables) {
    for (const word of words) {
      const { rows } = await pool.query(`select from ${name} as t where strpos(t::text, $1) > 0`, [word]);
      if (rows.length > 0) traces.push(`${name}: ${word}`);
    }
  }
  return traces;
}

async function dueNow() {
  await pool.query('update public.erasures set next_attempt_at = now()');
  await pool.query('update public.account_erasures set receipt_due_at = now()');
}

it('after 30 days, and not a day before, everything is gone everywhere, and the receipt says what was where', async () => {
  const { member } = await signUpAndWork();
  await signInAgain(server, member);
  const bystander = await signUpAndWork();
  const held = {
    conversations: openai.state.conversations.size,
    files: openai.state.files.size,
    stores: openai.state.vectorStores.size,
  };
  const { id, auth_id } = await close(member, 29);
  await run();
  expect(existsSync(join(server.folder, 'files', id))).toBe(true);
  expect((await pool.query('select from public.profiles where id = $1', [id])).rowCount).toBe(1);

  await pool.query(`update public.profiles set deleted_at = now() - interval '30 days' where id = $1`, [id]);
  await run();
  expect(existsSync(join(server.folder, 'files', id))).toBe(false);
  expect(openai.state.conversations.size).toBe(held.conversations - 1);
  expect(openai.state.files.size).toBe(held.files - 1);
  expect(openai.state.vectorStores.size).toBe(held.stores - 1);
  // The row that says when it was erased names the profile's id, and nothing else of the person.
  expect(await countTraces([id, auth_id, member.email])).toEqual([`public.account_erasures: ${id}`]);

  const [receipt, ...more] = receiptsTo(member.email);
  expect(more).toEqual([]);
  const text = receipt!.parsed.text!;
  expect(text).toContain('In our database: your profile, 1 chat, 2 messages');
  expect(text).toMatch(/In our file storage: 1 file \([\d.]+ kB\)/);
  expect(text).toContain('At OpenAI: 1 conversation, 1 file, 1 search index');
  expect(text).toContain('For signing in: your sign-in');
  expect(text).not.toContain('Stripe');

  const { messages } = await bystander.member.json(`/api/chat-sessions/${bystander.session_id}/messages`);
  expect(messages).toHaveLength(2);
});

it('a token that is still good finds nothing, brings nothing back, and the address can sign up again', async () => {
  const member = await server.signUp();
  const { auth_id } = await close(member);
  const back = await signInAgain(server, member);
  await run();
  expect((await back.fetch('/api/me')).status).toBe(401);
  expect((await back.send({ content: 'Still here?' })).status).toBe(401);
  expect((await back.fetch('/api/me/restore', { method: 'POST' })).status).toBe(401);
  expect(await countTraces([auth_id])).toEqual([]);
  await expect(signInAgain(server, member)).rejects.toThrow(/refused with 400/);
});

it('somebody who signs up with the address while the erasing still runs keeps all of the new account', async () => {
  const { member } = await signUpAndWork();
  await close(member);
  const fails = { ...erasers, openai_file: async () => Promise.reject(new Error('OpenAI is away')) };
  await run({ erasers: fails });
  const again = await signUpAs(member.email);
  const session_id = randomUUID();
  await readTurn(await again.send({ session_id, content: 'A new beginning' }));
  await dueNow();
  await run();
  expect(receiptsTo(member.email)).toHaveLength(1);
  expect(await again.json('/api/me')).toMatchObject({ email: member.email });
  const { messages } = await again.json(`/api/chat-sessions/${session_id}/messages`);
  expect(messages).toHaveLength(2);
});

async function signUpAs(email: string) {
  const { auth_key } = (await (await fetch(`${server.url}/api/config`)).json()) as { auth_key: string };
  const answer = await fetch(`${server.url}/auth/v1/signup`, {
    method: 'POST',
    headers: { apikey: auth_key, 'content-type': 'application/json' },
    body: JSON.stringify({ email, password: 'a long password' }),
  });
  expect(answer.status).toBe(200);
  const { access_token } = (await answer.json()) as { access_token: string };
  return server.signedIn({ email, token: access_token } as TestClient);
}

it.each(['stored_folder', 'openai_conversation', 'openai_vector_store'])(
  'while %s cannot be erased, for days, there is no receipt; then there is one',
  async (kind) => {
    const { member } = await signUpAndWork();
    const { id } = await close(member);
    const fails = { ...erasers, [kind]: async () => Promise.reject(new Error('away')) };
    for (let day = 0; day < 3; day++) {
      await run({ erasers: fails });
      await dueNow();
    }
    // As after two months of failing.
    await pool.query('update public.erasures set attempts = 60 where user_id = $1', [id]);
    await run({ erasers: fails });
    expect(receiptsTo(member.email)).toEqual([]);
    const left = await pool.query('select kind from public.erasures where user_id = $1', [id]);
    expect(left.rows).toEqual([{ kind }]);
    await dueNow();
    await run();
    expect(receiptsTo(member.email)).toHaveLength(1);
  },
);

it('a kind that nobody erases here keeps the receipt back, and nobody else’s', async () => {
  const [member, other] = [await server.signUp(), await server.signUp()];
  await pool.query(`update public.profiles set stripe_customer_id = 'cus_waits' where email = $1`, [
    member.email,
  ]);
  await close(member);
  await close(other);
  await run();
  await dueNow();
  await run();
  expect(receiptsTo(member.email)).toEqual([]);
  expect(receiptsTo(other.email)).toHaveLength(1);
  const erased: string[] = [];
  await dueNow();
  await run({ erasers: { ...erasers, stripe_customer: async (id) => void erased.push(id) } });
  expect(erased).toEqual(['cus_waits']);
  expect(receiptsTo(member.email)[0]!.parsed.text).toContain('At Stripe: your customer record');
});

it('what was deleted before the account, and is not gone upstream yet, keeps the receipt back too', async () => {
  const { member, session_id } = await signUpAndWork();
  const { rows } = await pool.query('select thread_id from public.chat_sessions where id = $1', [session_id]);
  await pool.query('delete from public.chat_sessions where id = $1', [session_id]);
  await pool.query(
    `insert into public.erasures (kind, external_id, user_id)
     select 'openai_conversation', $1, id from public.profiles where email = $2
     on conflict (kind, external_id) do nothing`,
    [rows[0].thread_id, member.email],
  );
  await close(member);
  await run({ erasers: { ...erasers, openai_conversation: async () => Promise.reject(new Error('away')) } });
  expect(receiptsTo(member.email)).toEqual([]);
  await dueNow();
  await run();
  expect(receiptsTo(member.email)[0]!.parsed.text).toContain('1 conversation');
});

it('erased by four servers at once, each thing is erased and one receipt is sent', async () => {
  const members = await Promise.all([1, 2, 3].map(() => signUpAndWork()));
  for (const { member } of members) await close(member);
  await Promise.all([run(), run(), run(), run()]);
  await dueNow();
  await Promise.all([run(), run()]);
  for (const { member } of members) {
    expect(receiptsTo(member.email)).toHaveLength(1);
    expect(await countTraces([member.email])).toEqual([]);
  }
});

it('wherever it is broken off, the next run goes on and nothing is left or said twice', async () => {
  const { member } = await signUpAndWork();
  const { id } = await close(member);
  /** Ends the run at its n-th statement, as a server that is killed does; the statement itself may have been done. */
  const broken = (after: number) => {
    let count = 0;
    return createDatabase(
      new Proxy(pool, {
        get(target, name) {
          const value = Reflect.get(target, name);
          if (name !== 'connect') return typeof value === 'function' ? value.bind(target) : value;
          return async () => {
            if (++count > after) throw new Error('killed');
            return target.connect();
          };
        },
      }) as pg.Pool,
    );
  };
  let runs = 0;
  for (; runs < 60 && receiptsTo(member.email).length === 0; runs++) {
    await run({ database: broken(runs) }).catch(() => {});
    await pool.query('update public.erasures set next_attempt_at = now() where user_id = $1', [id]);
  }
  expect(runs).toBeGreaterThan(3);
  await run();
  expect(receiptsTo(member.email)).toHaveLength(1);
  expect(existsSync(join(server.folder, 'files', id))).toBe(false);
  expect(await countTraces([member.email])).toEqual([]);
});

it('a restore and the erasing at the same moment: one of them, whole', async () => {
  for (let round = 0; round < 5; round++) {
    const member = await server.signUp();
    const { id } = await close(member, 0);
    const back = await signInAgain(server, member);
    const [restored] = await Promise.all([
      back.fetch('/api/me/restore', { method: 'POST' }),
      pool.query(
        `update public.profiles set deleted_at = now() - interval '31 days' where id = $1 and is_deleted`,
        [id],
      ),
      run(),
    ]);
    await run();
    const { rows } = await pool.query('select is_deleted from public.profiles where id = $1', [id]);
    if (restored.status === 204) expect(rows).toEqual([{ is_deleted: false }]);
    else expect(rows).toEqual([]);
  }
});

it('while the mail server is down the receipt waits; where it refuses the address for good, the address is forgotten', async () => {
  const [member, refused] = [await server.signUp(), await server.signUp()];
  await close(member);
  await close(refused);
  const nowhere = mailerTo(1);
  try {
    await run({ mailer: nowhere });
  } finally {
    await nowhere.close();
  }
  expect((await countTraces([member.email])).length).toBe(1);
  smtp.refused.set(refused.email, 550);
  await dueNow();
  await run();
  expect(receiptsTo(member.email)).toHaveLength(1);
  expect(await countTraces([member.email, refused.email])).toEqual([]);
});

it('an address to which no receipt could be sent for 30 days is forgotten', async () => {
  const member = await server.signUp();
  const { id } = await close(member);
  const nowhere = mailerTo(1);
  try {
    await run({ mailer: nowhere });
    await pool.query(
      `update public.account_erasures set erased_at = now() - interval '31 days' where profile_id = $1`,
      [id],
    );
    await run({ mailer: nowhere });
  } finally {
    await nowhere.close();
  }
  expect(await countTraces([member.email])).toEqual([]);
});

it('where something holds the user at Auth, all else is erased, no profile comes back, and the receipt waits', async () => {
  const member = await server.signUp();
  const { id, auth_id } = await close(member);
  const back = await signInAgain(server, member);
  await pool.query('create table public.held (user_id uuid primary key references auth.users (id))');
  try {
    await pool.query('insert into public.held values ($1)', [auth_id]);
    await run();
    expect((await pool.query('select from public.profiles where id = $1', [id])).rowCount).toBe(0);
    expect((await back.fetch('/api/me')).status).toBe(401);
    expect((await pool.query('select from public.profiles where auth_id = $1', [auth_id])).rowCount).toBe(0);
    expect(receiptsTo(member.email)).toEqual([]);
  } finally {
    await pool.query('drop table public.held');
  }
  await dueNow();
  await run();
  expect(receiptsTo(member.email)).toHaveLength(1);
  expect(await countTraces([auth_id, member.email])).toEqual([]);
});

it('a user who is deleted at Auth while the account is closed is erased with the account, without a receipt', async () => {
  const { member } = await signUpAndWork();
  const { id, auth_id } = await close(member, 3);
  await pool.query('delete from auth.users where id = $1', [auth_id]);
  await run();
  expect((await pool.query('select from public.profiles where id = $1', [id])).rowCount).toBe(0);
  expect(existsSync(join(server.folder, 'files', id))).toBe(false);
  expect(receiptsTo(member.email)).toEqual([]);
});

it('the server does it by itself', async () => {
  const local = await startTestServer();
  const own = new pg.Pool({ connectionString: local.database_url, max: 1 });
  try {
    const member = await local.signUp();
    await member.fetch('/api/me/close', {
      method: 'POST',
      body: JSON.stringify({ confirmation: member.email }),
    });
    await own.query(`update public.profiles set deleted_at = now() - interval '30 days' where email = $1`, [
      member.email,
    ]);
    const boss = new PgBoss(local.database_url);
    boss.on('error', () => {});
    await boss.start();
    await vi.waitFor(
      async () => {
        await boss.send('erase_closed_accounts');
        const subjects = (await createOutbox(local.folder).list()).map(({ subject }) => subject);
        expect(subjects.some((subject) => subject.includes('is erased'))).toBe(true);
      },
      { timeout: 18_000, interval: 500 },
    );
    await boss.stop({ graceful: false });
  } finally {
    await own.end();
    await local.stop();
  }
});
