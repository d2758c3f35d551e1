import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { type Config, readConfig } from '../platform/config.ts';
import { insertMember } from '../testing/factories.ts';
import { openDatabase } from '../testing/open-database.ts';
import { createEmptyDatabase } from '../testing/test-postgres.ts';
import { checkDatabase } from './check-database.ts';

const root = join(import.meta.dirname, '..', '..');
const supabase = {
  SUPABASE_URL: 'https://project.supabase.co',
  SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_x',
};

async function check(settings: Record<string, string>) {
  const config: Config = readConfig(settings);
  const findings = await checkDatabase(config, root, []);
  return findings.map(({ verdict, about, sentence }) => `${verdict} ${about}: ${sentence}`);
}

test('a database that has everything is good all over', async () => {
  const database = await openDatabase();
  try {
    const { id } = await insertMember(database.pool);
    await database.pool.query(`insert into public.user_roles (user_id, role) values ($1, 'operator')`, [id]);
    const findings = await check({ DATABASE_URL: database.url });
    expect(findings).toHaveLength(8);
    expect(findings.filter((finding) => !finding.startsWith('good'))).toEqual([]);
    expect(findings[0]).toMatch(/^good database: PostgreSQL 17\.\d+ answers\.$/);
  } finally {
    await database.close();
  }
});

test('an empty database is told, with the command for each of the two modes', async () => {
  const DATABASE_URL = await createEmptyDatabase(inject('admin_url'));
  expect(await check({ DATABASE_URL })).toEqual([
    expect.stringMatching(/^good database: PostgreSQL/),
    expect.stringMatching(/^wrong database: It lacks the roles or the sign-in's tables: npm run migrate$/),
    expect.stringMatching(/^wrong database: .*01_users\.sql.*: npm run migrate$/),
    expect.stringMatching(/^good database: Row level security/),
  ]);
  expect(await check({ DATABASE_URL, ...supabase })).toContainEqual(
    expect.stringMatching(/^wrong database: It lacks .* copy DATABASE_URL from the dashboard/),
  );
});

test('what waits in the tables is counted', async () => {
  const { url, pool, close } = await openDatabase();
  try {
    const member = await insertMember(pool);
    const add_chat = `insert into public.chat_sessions (user_id, assistant_slug, title, thread_id) values ($1, 'carousel', 'A chat', $2)`;
    for (const thread_id of ['thread_1', 'thread_2', 'conv_1', 'threadless', null]) {
      await pool.query(add_chat, [member.id, thread_id]);
    }
    const add_store = `insert into public.vector_stores (store_id, user_id, name, status, expires_at) values ($1, $2, 'Files', $3, now() + $4::interval)`;
    await pool.query(add_store, ['vs_fresh', member.id, 'active', '1 day']);
    await pool.query(add_store, ['vs_over', member.id, 'active', '-1 day']);
    await pool.query('delete from public.erasures');
    const add_erasure = `insert into public.erasures (kind, external_id, attempts) values ($1, $2, $3)`;
    await pool.query(add_erasure, ['stored_file', randomUUID(), 0]);
    await pool.query(add_erasure, ['openai_file', 'file-1', 2]);

    expect((await check({ DATABASE_URL: url })).slice(4, -1)).toEqual([
      expect.stringMatching(/^note chats: 2 still name a thread of .*Nothing to do\.$/),
      expect.stringMatching(/^note vector stores: One has expired: /),
      expect.stringMatching(/^wrong erasures: 2 wait, 1 of them at OpenAI, .*OPENAI_API_KEY/),
    ]);
    expect((await check({ DATABASE_URL: url, OPENAI_API_KEY: 'sk-x' })).at(-2)).toMatch(
      /^note erasures: 2 wait, 1 of them after a failed attempt/,
    );
    await pool.query(add_erasure, ['stripe_customer', 'cus_1', 0]);
    expect((await check({ DATABASE_URL: url, OPENAI_API_KEY: 'sk-x' })).at(-2)).toMatch(
      /^note erasures: 3 wait, 1 of them at Stripe, .*delete from public\.erasures where kind = 'stripe_customer';$/,
    );
  } finally {
    await close();
  }
});

test('a table without row level security is told with the statement that mends it, whoever made it', async () => {
  const { url, pool, close } = await openDatabase();
  try {
    await pool.query(
      'create table public."Mailing List" (id int); alter table public.turns disable row level security',
    );
    const off = (await check({ DATABASE_URL: url })).find((finding) => finding.includes('security is off'))!;
    const statements = off.slice(off.indexOf('alter table'));
    expect(statements.match(/alter table/g)).toHaveLength(2);
    await pool.query(statements);
    expect(await check({ DATABASE_URL: url })).toContainEqual(
      'good database: Row level security is on for every table in public.',
    );
  } finally {
    await close();
  }
});

test('files of a newer version are told', async () => {
  const { url, pool, close } = await openDatabase();
  try {
    await pool.query(`insert into public.schema_files (name, checksum) values ('98_later.sql', 'x')`);
    expect(await check({ DATABASE_URL: url })).toContainEqual(
      expect.stringMatching(/^wrong database: .*newer Touchline.*98_later\.sql/),
    );
  } finally {
    await close();
  }
});

test('it changes nothing in the database', async () => {
  const url = await createEmptyDatabase(inject('admin_url'));
  await check({ DATABASE_URL: url });
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const { rows } = await pool.query(
    `select nspname from pg_namespace where nspname !~ '^pg_' union all select relname from pg_class where relnamespace = 'public'::regnamespace`,
  );
  await pool.end();
  expect(rows.map((row) => row.nspname).sort()).toEqual(['information_schema', 'public']);
});

test('why a database cannot be reached is told without its password', async () => {
  const wrong = (url: URL) => check({ DATABASE_URL: url.href });
  const url = new URL(inject('admin_url'));
  url.password = 'hunter2-hunter2';
  const findings = [await wrong(url)];
  expect(findings[0]).toEqual([expect.stringContaining('refuses the name or the password')]);

  url.href = inject('admin_url');
  url.pathname = '/no_such_database';
  findings.push(await wrong(url));
  expect(findings[1]).toEqual([expect.stringContaining('no database of the name')]);

  url.href = 'postgresql://coach:hunter2-hunter2@no.such.host.invalid/touchline';
  findings.push(await wrong(url));
  expect(findings[2]).toEqual([
    expect.stringMatching(/The host in DATABASE_URL (is not known|cannot be looked up)/),
  ]);

  // Somebody listens and says nothing.
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  url.href = `postgresql://coach:hunter2-hunter2@127.0.0.1:${port}/touchline`;
  const started_ms = performance.now();
  findings.push(await wrong(url));
  expect(findings[3]).toEqual([expect.stringContaining('(no answer within 5 seconds)')]);
  // Two silences, one after the other, would be ten.
  expect(performance.now() - started_ms).toBeLessThan(9_500);
  silent.close();
  findings.push(await wrong(url));
  expect(findings[4]).toEqual([expect.stringContaining('Nothing listens at the address')]);
  expect(findings.flat().every((finding) => finding.startsWith('wrong database: '))).toBe(true);
  expect(findings.join()).not.toMatch(/hunter2|no_such_database|invalid/);
});

test("the transaction pooler's port is told on Supabase, and only there", async () => {
  const DATABASE_URL = 'postgresql://postgres:hunter2@127.0.0.1:6543/postgres';
  const pooler = expect.stringMatching(/^wrong database: .* transaction pooler's \(port 6543\)/);
  expect(await check({ DATABASE_URL, ...supabase })).toContainEqual(pooler);
  expect(await check({ DATABASE_URL })).not.toContainEqual(pooler);
});
