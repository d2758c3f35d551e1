import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { readConfig } from '../server/platform/config.ts';
import { startServer } from '../server/start-server.ts';
import { startFakeOpenAI } from '../server/testing/fake-openai/fake-openai.ts';
import { startFakeS3 } from '../server/testing/fake-s3.ts';
import { startFakeSmtp } from '../server/testing/fake-smtp.ts';
import { startFakeStripeKeys } from '../server/testing/fake-stripe-keys.ts';
import { startFakeSupabaseAuth } from '../server/testing/fake-supabase-auth.ts';
import { no_settings } from '../server/testing/no-settings.ts';
import { cloneTemplate } from '../server/testing/test-postgres.ts';

const root = join(import.meta.dirname, '..');
const line =
  /^(good |note |wrong) {2}(settings|data folder|database|chats|vector stores|erasures|operators|supabase|storage|coaches|openai|mail|stripe): [^\n]+$/;

let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'touchline-doctor-'));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** `node scripts/doctor.ts` as a process of its own. */
async function runDoctor(settings: Record<string, string>) {
  const child = spawn(process.execPath, [join('scripts', 'doctor.ts')], {
    cwd: root,
    env: { ...process.env, ...no_settings, DATA_DIR: join(base, 'none'), ...settings },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const [code] = await once(child, 'close');
  const lines = stdout.trimEnd().split('\n');
  for (const one of lines) expect(one).toMatch(line);
  return { code, lines, stdout, stderr, wrong: lines.filter((one) => one.startsWith('wrong')) };
}

test('on Supabase with OpenAI, all that is set up well is good, and the exit code is 0', async () => {
  const [project, openai] = [await startFakeSupabaseAuth(), await startFakeOpenAI()];
  const [smtp, stripe, s3] = [await startFakeSmtp(), await startFakeStripeKeys(), await startFakeS3()];
  const doctor = await runDoctor({
    DATABASE_URL: await cloneTemplate(inject('admin_url')),
    SUPABASE_URL: project.url,
    SUPABASE_PUBLISHABLE_KEY: project.publishable_key,
    OPENAI_API_KEY: openai.api_key,
    OPENAI_BASE_URL: openai.url,
    ...{ SMTP_HOST: '127.0.0.1', SMTP_PORT: String(smtp.port), MAIL_FROM: 'hello@example.org' },
    ...{ STRIPE_SECRET_KEY: stripe.secret_key, STRIPE_API_URL: stripe.url },
    ...s3.settings,
  });
  expect(doctor).toMatchObject({ code: 0, stderr: '', wrong: [] });
  const about = new Set(doctor.lines.map((one) => one.slice(7, one.indexOf(':'))));
  expect([...about]).toEqual([
    ...['settings', 'data folder', 'database', 'chats', 'vector stores', 'erasures', 'operators'],
    ...['supabase', 'storage', 'coaches', 'openai', 'mail', 'stripe'],
  ]);
  for (const double of [project, openai, smtp, stripe, s3]) await double.close();
});

test('no line holds a secret, whatever is wrong', async () => {
  const [project, openai] = [await startFakeSupabaseAuth(), await startFakeOpenAI()];
  const [smtp, stripe, s3] = [await startFakeSmtp(), await startFakeStripeKeys(), await startFakeS3()];
  const secret = (name: string) => `hush-${name}-7f3a91c2`;
  const planted = {
    SUPABASE_PUBLISHABLE_KEY: secret('publishable'),
    SUPABASE_JWT_SECRET: secret('supabase-jwt'),
    AUTH_JWT_SECRET: secret('auth-jwt-that-is-long-enough'),
    OPENAI_API_KEY: secret('openai'),
    OPENAI_MODEL: secret('model'),
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(smtp.port),
    SMTP_USER: secret('smtp-user'),
    SMTP_PASSWORD: secret('smtp-password'),
    MAIL_FROM: `${secret('sender')} <${secret('sender')}@example.org>`,
    STRIPE_SECRET_KEY: `sk_test_${secret('stripe')}`,
    STRIPE_WEBHOOK_SECRET: secret('webhook'),
    STRIPE_API_URL: stripe.url,
    S3_ENDPOINT: s3.settings.S3_ENDPOINT,
    S3_REGION: secret('region'),
    S3_BUCKET: secret('bucket'),
    S3_ACCESS_KEY_ID: secret('key-id'),
    S3_SECRET_ACCESS_KEY: secret('access-key'),
  };
  const database = new URL(inject('admin_url'));
  database.password = secret('database');
  const withPassword = (url: string) => url.replace('//', `//${secret('name')}:${secret('password')}@`);
  const cases: Record<string, string>[] = [
    // Everything answers, and refuses.
    { DATABASE_URL: database.href, SUPABASE_URL: project.url, OPENAI_BASE_URL: openai.url },
    // Secrets in the addresses, which cannot be asked so.
    {
      DATABASE_URL: `postgresql://${secret('account')}:x@127.0.0.1:9/${secret('database-name')}`,
      SUPABASE_URL: withPassword(project.url),
      OPENAI_BASE_URL: withPassword(openai.url),
      SMTP_HOST: `${secret('mail-host')}.invalid`,
      STRIPE_API_URL: withPassword(stripe.url),
      S3_ENDPOINT: withPassword(s3.settings.S3_ENDPOINT),
    },
    // The key is good, the model is not.
    {
      DATABASE_URL: await cloneTemplate(inject('admin_url')),
      SUPABASE_URL: project.url,
      SUPABASE_PUBLISHABLE_KEY: project.publishable_key,
      OPENAI_BASE_URL: openai.url,
      OPENAI_API_KEY: openai.api_key,
    },
    // A secret key where the public one belongs.
    {
      DATABASE_URL: database.href,
      SUPABASE_URL: project.url,
      SUPABASE_PUBLISHABLE_KEY: `sb_secret_${secret('key')}`,
    },
    { DATABASE_URL: secret('no-address') },
    { SUPABASE_URL: `https://${secret('project')}.supabase.co`, DATABASE_URL: '' },
    { OPENAI_BASE_URL: secret('base') },
    { PORT: secret('port') },
  ];
  const runs = await Promise.all(cases.map((settings) => runDoctor({ ...planted, ...settings })));
  for (const { stdout, stderr } of runs) {
    expect(stdout + stderr).not.toContain('hush');
    expect(stdout + stderr).not.toContain(openai.api_key);
    expect(stderr).toBe('');
  }
  expect(runs[0]!.code).toBe(1);
  expect(runs[0]!.wrong).toHaveLength(7);
  expect(runs[1]!.wrong).toHaveLength(7);
  expect(runs[2]!.wrong).toHaveLength(5);
  expect(runs[3]).toMatchObject({ code: 1, lines: [expect.stringContaining('holds a secret key')] });
  expect(runs[4]).toMatchObject({ code: 1, lines: [expect.stringContaining('The setting DATABASE_URL')] });
  for (const double of [project, openai, smtp, stripe, s3]) await double.close();
}, 60_000);

test('the embedded database is looked at where it is: not made, running, or at rest', async () => {
  const folder = join(base, 'embedded');
  const settings = { DATA_DIR: folder };
  const before = await runDoctor(settings);
  expect(before).toMatchObject({ code: 0, wrong: [] });
  expect(before.stdout).toContain('note   database: There is none yet');
  expect(existsSync(folder)).toBe(false);

  const server = await startServer(readConfig({ ...settings, PORT: '0', LOG_LEVEL: 'silent' }), root);
  const secrets = Object.values(JSON.parse(readFileSync(join(folder, 'auth-secrets.json'), 'utf8')));
  secrets.push(readFileSync(join(folder, 'postgres-password'), 'utf8'));
  const running = await runDoctor(settings);
  expect(running).toMatchObject({ code: 0, stderr: '', wrong: [] });
  expect((await fetch(`http://127.0.0.1:${server.port}/readyz`)).status).toBe(200);
  await server.stop(0);

  const resting = await runDoctor(settings);
  expect(resting).toMatchObject({ code: 0, stderr: '', wrong: [] });
  expect(existsSync(join(folder, 'postgres', 'postmaster.pid'))).toBe(false);
  for (const doctor of [running, resting]) {
    expect(doctor.stdout).toMatch(/^good {3}database: All \d+ schema files are applied\.$/m);
    for (const secret of secrets) expect(doctor.stdout).not.toContain(secret);
  }
  // The folder is free again.
  expect(
    readdirSync(folder)
      .filter((name) => name.endsWith('.lock'))
      .map((name) => readFileSync(join(folder, name), 'utf8')),
  ).toEqual(['']);
}, 60_000);
