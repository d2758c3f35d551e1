import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, inject, it } from 'vitest';
import { startFakeOpenAI } from './testing/fake-openai/fake-openai.ts';
import { no_settings } from './testing/no-settings.ts';
import { cloneTemplate } from './testing/test-postgres.ts';

it('at the loudest level, no log holds a member’s words, file, password or token, or a key', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'touchline-logs-'));
  const database_url = await cloneTemplate(inject('admin_url'));
  const openai = await startFakeOpenAI();
  const server = spawn(process.execPath, ['server/main.ts'], {
    cwd: join(import.meta.dirname, '..'),
    env: {
      ...process.env,
      ...no_settings,
      ...{ LOG_LEVEL: 'debug', PORT: '0', DATA_DIR: folder, DATABASE_URL: database_url },
      ...{ OPENAI_API_KEY: openai.api_key, OPENAI_BASE_URL: openai.url },
    },
  });
  let printed = '';
  server.stderr.on('data', (chunk) => {
    printed += chunk;
  });
  const url = await new Promise<string>((resolve, reject) => {
    server.stdout.on('data', (chunk) => {
      printed += chunk;
      const found = /http:\/\/\S+/.exec(String(chunk));
      if (found) resolve(found[0]);
    });
    server.on('exit', () => reject(new Error(printed)));
  });
  const secrets = {
    password: 'pw-lantern-4417',
    words: 'velvet-harbour-9921',
    file: 'copper-meadow-3308',
    name: 'amber-quarry-7754',
  };
  let token = '';
  try {
    const { auth_key } = (await (await fetch(`${url}/api/config`)).json()) as any;
    const account = JSON.stringify({ email: `${randomUUID()}@example.org`, password: secrets.password });
    const headers = { apikey: auth_key, 'content-type': 'application/json' };
    const signUp = await fetch(`${url}/auth/v1/signup`, { method: 'POST', headers, body: account });
    token = ((await signUp.json()) as any).access_token;
    // A sign-in that fails, an upload, a turn, a turn that fails, and requests that break in every way.
    await fetch(`${url}/auth/v1/token?grant_type=password`, {
      method: 'POST',
      headers,
      body: account.replace('pw-', 'xx-'),
    });
    const call = (path: string, init: RequestInit = {}) =>
      fetch(url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } }).then(
        (answer) => answer.text(),
      );
    const form = new FormData();
    form.set('file', new File([`All about ${secrets.file}.`], `${secrets.name}.txt`));
    const file = JSON.parse(await call('/api/files', { method: 'POST', body: form }));
    const json = { 'content-type': 'application/json' };
    const send = (turn: object) =>
      call(`/api/chat-sessions/${randomUUID()}/turns`, {
        method: 'POST',
        headers: json,
        body: JSON.stringify({
          id: randomUUID(),
          assistant_slug: 'carousel',
          content: `What of ${secrets.words}?`,
          ...turn,
        }),
      });
    expect(await send({ file_ids: [file.id] })).toContain('"done"');
    openai.faults.next('/v1/responses', { status: 400, error: { message: `bad input: ${secrets.words}` } });
    expect(await send({})).toContain('model_misconfigured');
    openai.faults.next('POST /v1/conversations', {
      status: 400,
      error: { message: `bad input: ${secrets.words}` },
    });
    expect(await send({})).toContain('model_misconfigured');
    await call(`/api/chat-sessions/${secrets.words}/messages`);
    await call(`/api/${secrets.words}?q=${secrets.words}`);
    await call(`/api/chat-sessions/${randomUUID()}/turns`, {
      method: 'POST',
      headers: json,
      body: `{"content": "${secrets.words}`,
    });
    // A database that refuses a row quotes it in its error.
    const pool = new pg.Pool({ connectionString: database_url, max: 1 });
    await pool.query(
      `alter table public.chat_messages add constraint no_words check (content not like '%harbour%') not valid`,
    );
    expect(await send({})).toContain('internal_error');
    await pool.end();
  } finally {
    server.kill('SIGTERM');
    await once(server, 'exit');
    await openai.close();
    rmSync(folder, { recursive: true, force: true });
  }
  expect(printed).toContain('a turn failed');
  expect(printed).toContain('a request failed');
  for (const [kind, secret] of Object.entries({
    ...secrets,
    token,
    key: openai.api_key,
    database: new URL(database_url).password,
  })) {
    expect(secret.length, kind).toBeGreaterThan(8);
    expect(printed.includes(secret), `the log holds the ${kind}`).toBe(false);
  }
});
