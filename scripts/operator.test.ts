import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { readConfig } from '../server/platform/config.ts';
import { findEmbeddedPostgres } from '../server/platform/embedded-postgres.ts';
import { startServer } from '../server/start-server.ts';
import { insertMember } from '../server/testing/factories.ts';
import { startFakeSmtp } from '../server/testing/fake-smtp.ts';
import { no_settings } from '../server/testing/no-settings.ts';
import { openDatabase, type TestDatabase } from '../server/testing/open-database.ts';
import { createEmptyDatabase } from '../server/testing/test-postgres.ts';

const root = join(import.meta.dirname, '..');
const none_yet = 'There is no operator yet: npm run operator -- add someone@example.org\n';

let folder: string;
let database: TestDatabase;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'touchline-operator-'));
  database = await openDatabase();
});
afterAll(async () => {
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

/** `npm run operator -- …` as a process of its own; says what it printed and how it ended. */
async function run(words: string, settings: Record<string, string> = {}) {
  const child = spawn(
    process.execPath,
    [join('scripts', 'operator.ts'), ...words.split(' ').filter(Boolean)],
    {
      cwd: root,
      env: { ...process.env, ...no_settings, DATA_DIR: folder, DATABASE_URL: database.url, ...settings },
    },
  );
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (output.stdout += chunk));
  child.stderr.on('data', (chunk) => (output.stderr += chunk));
  const [code] = await once(child, 'close');
  return { code, ...output };
}

const confirm = (pool: pg.Pool, id: string) =>
  pool.query('update public.profiles set email_confirmed = true where id = $1', [id]);
const said = (stdout: string) => ({ code: 0, stdout, stderr: '' });
const listOutbox = (data_folder = folder) =>
  readdirSync(join(data_folder, 'outbox')).map((name) =>
    JSON.parse(readFileSync(join(data_folder, 'outbox', name), 'utf8')),
  );

test('it makes an operator and a member again, says what it did, and the second time changes nothing', async () => {
  const { email } = await insertMember(database.pool);
  expect(await run('list')).toEqual(said(none_yet));
  expect(await run(`add ${email.toUpperCase()}`)).toEqual(
    said(`${email} is an operator now. The mail that says so lies in the outbox.\n`),
  );
  expect(listOutbox()).toMatchObject([{ to: email }]);
  expect(await run(`add ${email}`)).toEqual(said(`${email} is an operator already. Nothing was changed.\n`));
  expect(listOutbox()).toHaveLength(1);
  expect((await run('list')).stdout).toMatch(new RegExp(`^${email}  since \\d{4}-\\d\\d-\\d\\d\n$`));

  const { email: second } = await insertMember(database.pool, { email_confirmed: false });
  expect(await run(`remove ${second}`)).toEqual(said(`${second} is not an operator. Nothing was changed.\n`));
  await run(`add ${second}`);
  expect((await run('list')).stdout).toMatch(
    new RegExp(`^${email}  since .*\n${second}  since .*  \\(address not confirmed\\)\n$`),
  );
  expect(await run(`remove ${email.toUpperCase()}`)).toEqual(said(`${email} is not an operator any more.\n`));
  expect(await run(`remove ${second}`)).toEqual(
    said(
      `${second} is not an operator any more.\nThere is no operator left: npm run operator -- add someone@example.org\n`,
    ),
  );
  expect(await run('list')).toEqual(said(none_yet));
}, 120_000);

test('an address that was not confirmed is told each time', async () => {
  const { email } = await insertMember(database.pool, { email_confirmed: false });
  for (const state of ['now', 'already']) {
    const { code, stdout } = await run(`add ${email}`);
    expect(code).toBe(0);
    expect(stdout).toContain(`${email} is an operator ${state}.`);
    expect(stdout).toContain('\nThis address has not been confirmed: make sure ');
  }
}, 120_000);

test('an address that no account has, and a closed account, are refused in a sentence', async () => {
  const { email, id } = await insertMember(database.pool);
  await database.pool.query(
    'update public.profiles set is_deleted = true, deleted_at = now() where id = $1',
    [id],
  );
  const nobody = `${randomUUID()}@example.org`;
  const refused = (start: string) => ({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(new RegExp(`^${start}[^\n]* Nothing was changed\\.\n$`)),
  });
  expect(await run(`add ${nobody}`)).toEqual(
    refused(`No account has the address ${nobody}: sign up with it first`),
  );
  expect(await run(`remove ${nobody}`)).toEqual(refused('No account has the address'));
  expect(await run(`add ${email}`)).toEqual(refused(`The account ${email} is closed`));
  const { rowCount } = await database.pool.query('select 1 from public.user_roles where user_id = $1', [id]);
  expect(rowCount).toBe(0);
}, 120_000);

test('what cannot be understood is answered with how it is called, and exit code 2', async () => {
  const cases = [
    '',
    'add',
    'remove',
    'show',
    'list a@example.org',
    'add a@example.org b@example.org',
    'add a',
    'add a@b@c',
  ];
  // Before anything is looked at: these settings would be refused.
  const ends = await Promise.all(cases.map((words) => run(words, { PORT: 'x' })));
  for (const [index, end] of ends.entries()) {
    expect(end, cases[index]).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^Usage:\n( {2}npm run operator -- (add|remove|list).*\n){3}$/),
    });
  }
}, 60_000);

test('a mail that cannot be sent undoes nothing, and is told', async () => {
  const { email, id } = await insertMember(database.pool);
  await confirm(database.pool, id);
  const { code, stdout, stderr } = await run(`add ${email}`, {
    PUBLIC_URL: 'https://coach.example.org',
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: '9',
    MAIL_FROM: 'hello@example.org',
  });
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: `${email} is an operator now. The mail that says so could not be sent: tell them yourself.\n`,
  });
  expect(stderr).not.toContain(email);
  expect((await run('list')).stdout).toContain(email);
}, 120_000);

test('with a mail server, the mail goes out and names the site', async () => {
  const smtp = await startFakeSmtp();
  const { email, id } = await insertMember(database.pool);
  await confirm(database.pool, id);
  const settings = {
    PUBLIC_URL: 'https://coach.example.org',
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(smtp.port),
    MAIL_FROM: 'hello@example.org',
  };
  expect(await run(`add ${email}`, settings)).toEqual(
    said(`${email} is an operator now. A mail tells them.\n`),
  );
  await run(`add ${email}`, settings);
  expect(smtp.mails).toMatchObject([{ recipients: [email] }]);
  expect(smtp.mails[0]!.parsed.text).toContain('https://coach.example.org/');
  await smtp.close();
}, 60_000);

test('what keeps it from working is one sentence and exit code 1', async () => {
  const refused = (sentence: RegExp) => ({ code: 1, stdout: '', stderr: expect.stringMatching(sentence) });
  const empty = await createEmptyDatabase(inject('admin_url'));
  expect(await run('list', { DATABASE_URL: empty })).toEqual(
    refused(
      /^The database does not have the present form of 01_users\.sql[^\n]*: npm run migrate, [^\n]*\n$/,
    ),
  );
  expect(await run('list', { DATABASE_URL: 'postgresql://coach:hunter2@127.0.0.1:9/touchline' })).toEqual(
    refused(/^Nothing listens at the address in DATABASE_URL[^\n]*\n$/),
  );
  expect(await run('list', { PORT: 'x' })).toEqual(refused(/^The setting PORT is not usable[^\n]*\n$/));
  const made_by_nobody = join(folder, 'none');
  expect(await run('list', { DATABASE_URL: '', DATA_DIR: made_by_nobody })).toEqual(
    refused(/^There is no database yet: [^\n]*\n$/),
  );
  expect(existsSync(made_by_nobody)).toBe(false);
}, 120_000);

test('the embedded database is used as it is: while the server runs, and at rest', async () => {
  const DATA_DIR = join(folder, 'embedded');
  const settings = { DATABASE_URL: '', DATA_DIR };
  const server = await startServer(readConfig({ DATA_DIR, PORT: '0', LOG_LEVEL: 'silent' }), root);
  const { url } = await findEmbeddedPostgres(DATA_DIR);
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const { email, id } = await insertMember(pool);
  await confirm(pool, id);
  await pool.end();
  expect((await run(`add ${email}`, settings)).stdout).toContain('is an operator now');
  expect((await fetch(`http://127.0.0.1:${server.port}/readyz`)).status).toBe(200);
  await server.stop(0);

  expect((await run('list', settings)).stdout).toContain(email);
  expect((await run(`remove ${email}`, settings)).stdout).toContain('is not an operator any more');
  expect(listOutbox(DATA_DIR)).toMatchObject([{ to: email }]);
  // It is at rest again, and the folder is free.
  expect(await findEmbeddedPostgres(DATA_DIR)).toEqual({ made: true, url: undefined });
  const locks = readdirSync(DATA_DIR).filter((name) => name.endsWith('.lock'));
  expect(locks.map((name) => readFileSync(join(DATA_DIR, name), 'utf8'))).toEqual(['']);
}, 120_000);
