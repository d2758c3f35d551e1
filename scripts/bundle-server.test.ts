import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { no_settings } from '../server/testing/no-settings.ts';
import { readTurn } from '../server/testing/read-turn.ts';
import { cloneTemplate } from '../server/testing/test-postgres.ts';

const root = join(import.meta.dirname, '..');
let folder: string;
let database_url: string;
let server: ChildProcess;
let url: string;
let errors = '';

beforeAll(async () => {
  // Plain JavaScript, without types: it runs on whatever Node a machine has.
  const { bundleServer } = (await import(join(root, 'scripts', 'prepare.mjs'))) as {
    bundleServer: () => string | undefined;
  };
  const bundle = bundleServer();
  expect(bundle).toMatch(/server\.js$/);
  folder = mkdtempSync(join(tmpdir(), 'touchline-bundle-'));
  database_url = await cloneTemplate(inject('admin_url'));
  server = spawn(process.execPath, [bundle!], {
    // Nothing may depend on where it is started.
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      ...no_settings,
      PORT: '0',
      DATA_DIR: folder,
      DATABASE_URL: database_url,
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  server.stderr!.on('data', (chunk) => (errors += chunk));
  const [line] = await Promise.race([once(server.stdout!, 'data'), once(server, 'exit')]);
  url = /http:\/\/\S+/.exec(String(line))?.[0] ?? '';
  expect(url, errors).not.toBe('');
});

afterAll(async () => {
  server.kill('SIGTERM');
  await once(server, 'exit');
  rmSync(folder, { recursive: true, force: true });
});

test('it signs up, reads a file and answers: its worker threads are found', async () => {
  const { auth_key } = (await (await fetch(`${url}/api/config`)).json()) as { auth_key: string };
  const signedUp = await fetch(`${url}/auth/v1/signup`, {
    method: 'POST',
    headers: { apikey: auth_key, 'content-type': 'application/json' },
    body: JSON.stringify({ email: `member-${randomUUID()}@example.org`, password: 'a long password' }),
  });
  const { access_token } = (await signedUp.json()) as { access_token: string };
  const authorization = `Bearer ${access_token}`;

  const form = new FormData();
  const notes = readFileSync(join(root, 'server', 'testing', 'fixtures', 'founder-notes.md'));
  form.set('file', new File([notes], 'founder-notes.md'));
  const uploaded = await fetch(`${url}/api/files`, {
    method: 'POST',
    headers: { authorization },
    body: form,
  });
  expect(uploaded.status).toBe(201);

  const answer = await fetch(`${url}/api/chat-sessions/${randomUUID()}/turns`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ id: randomUUID(), assistant_slug: 'carousel', content: 'A carousel about bread' }),
  });
  const { end, text } = await readTurn(answer);
  expect(end?.data.status).toBe('done');
  expect(text).not.toBe('');
});

test('the stack of an error names the sources and not the bundle', async () => {
  const client = new pg.Client({ connectionString: database_url });
  await client.connect();
  await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'touchline'`,
  );
  await client.end();
  await expect.poll(() => errors, { timeout: 10_000 }).toContain('a database connection was lost');
  const { error } = JSON.parse(errors.split('\n').find((line) => line.includes('a database connection'))!);
  expect(error.stack.join('\n')).toMatch(/node_modules[\\/]pg-protocol[\\/]dist[\\/]parser\.js:\d+:\d+/);
  expect(error.stack.join('\n')).not.toContain('server.js');
});
