import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { readConfig } from '../platform/config.ts';
import { startServer } from '../start-server.ts';
import { cloneTemplate } from './test-postgres.ts';

const root = join(import.meta.dirname, '..', '..');

export type TestClient = {
  email: string;
  token: string;
  fetch: (path: string, init?: RequestInit) => Promise<Response>;
  json: (path: string, init?: RequestInit) => Promise<any>;
  upload: (path: string, name?: string) => Promise<Response>;
  send: (turn: {
    session_id?: string;
    id?: string;
    content: string;
    file_ids?: string[];
    edits_message_id?: string;
    repeats_message_id?: string;
    assistant_slug?: string;
  }) => Promise<Response>;
};

/**
 * The whole product over a real socket, on a database of its own (own-PostgreSQL mode). `settings`: environment
 * variables that differ.
 */
export async function startTestServer(settings: Record<string, string> = {}, { word_delay_ms = 0 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'touchline-server-'));
  const database_url = settings.DATABASE_URL ?? (await cloneTemplate(inject('admin_url')));
  const config = readConfig({
    PORT: '0',
    DATA_DIR: folder,
    LOG_LEVEL: 'silent',
    ...settings,
    DATABASE_URL: database_url,
  });
  const server = await startServer(config, root, { word_delay_ms });
  const url = `http://127.0.0.1:${server.port}`;

  /** `is_confirmed`: whether the address counts as confirmed, which lets the member write more than three messages. */
  async function signUp({ is_confirmed = true } = {}): Promise<TestClient> {
    const { auth_key } = (await (await fetch(`${url}/api/config`)).json()) as { auth_key: string };
    const email = `member-${randomUUID()}@example.org`;
    const answer = await fetch(`${url}/auth/v1/signup`, {
      method: 'POST',
      headers: { apikey: auth_key, 'content-type': 'application/json' },
      body: JSON.stringify({ email, password: 'a long password' }),
    });
    if (!answer.ok) throw new Error(`the sign-up failed with ${answer.status}`);
    const { access_token } = (await answer.json()) as { access_token: string };
    if (is_confirmed) await confirmEmail(database_url, email);
    return createClient(url, email, access_token);
  }

  return {
    url,
    database_url,
    folder,
    signUp,
    /** A member of this database, signed in elsewhere with the same AUTH_JWT_SECRET, at this server. */
    signedIn: (client: TestClient) => createClient(url, client.email, client.token),
    async stop() {
      await server.stop(0);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function confirmEmail(database_url: string, email: string) {
  const client = new pg.Client({ connectionString: database_url });
  await client.connect();
  await client.query('update public.profiles set email_confirmed = true where email = $1', [email]);
  await client.end();
}

function createClient(url: string, email: string, token: string): TestClient {
  const client: TestClient = {
    email,
    token,
    fetch: (path, init) =>
      fetch(`${url}${path}`, {
        ...init,
        headers: {
          authorization: `Bearer ${token}`,
          ...(typeof init?.body === 'string' ? { 'content-type': 'application/json' } : {}),
          ...init?.headers,
        },
      }),
    async json(path, init) {
      const answer = await client.fetch(path, init);
      const body = (await answer.json()) as any;
      if (!answer.ok) throw new Error(`${path} answered ${answer.status} ${body.code}`);
      return body;
    },
    upload(path, name = basename(path)) {
      const form = new FormData();
      form.set('file', new File([readFileSync(path)], name));
      return client.fetch('/api/files', { method: 'POST', body: form });
    },
    send: ({ session_id = randomUUID(), id = randomUUID(), assistant_slug = 'carousel', ...turn }) =>
      client.fetch(`/api/chat-sessions/${session_id}/turns`, {
        method: 'POST',
        body: JSON.stringify({ id, assistant_slug, ...turn }),
      }),
  };
  return client;
}
