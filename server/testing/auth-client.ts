import { AuthClient } from '@supabase/auth-js';
import { vi } from 'vitest';
import type { OutboxMail } from '../platform/mail/outbox.ts';

type Server = { url: string };

/** A browser of its own that signs in at a server, by the library that the web app uses. */
export async function createAuthClient(server: Server) {
  const { auth_key } = (await (await fetch(`${server.url}/api/config`)).json()) as { auth_key: string };
  const kept = new Map<string, string>();
  return new AuthClient({
    url: `${server.url}/auth/v1`,
    headers: { apikey: auth_key },
    autoRefreshToken: false,
    detectSessionInUrl: false,
    flowType: 'pkce',
    storage: {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
      removeItem: (key) => void kept.delete(key),
    },
  });
}

/** Calls Auth without the library. `token`: of the member who calls. */
export async function callAuth(
  server: Server,
  method: string,
  path: string,
  body?: unknown,
  token?: string,
): Promise<Response> {
  const { auth_key } = (await (await fetch(`${server.url}/api/config`)).json()) as { auth_key: string };
  return fetch(`${server.url}/auth/v1/${path}`, {
    method,
    redirect: 'manual',
    headers: {
      apikey: auth_key,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** The mails in the outbox to an address, the newest first. */
export async function listMailsTo(server: Server, to: string): Promise<OutboxMail[]> {
  const { mails } = (await (await fetch(`${server.url}/api/outbox`)).json()) as { mails: OutboxMail[] };
  const whole = mails
    .filter((mail) => mail.to === to)
    .map(async ({ id }) => (await (await fetch(`${server.url}/api/outbox/${id}`)).json()) as OutboxMail);
  return Promise.all(whole);
}

/** Waits for the newest mail to an address whose subject fits; mails go out behind the answers. */
export function findMail(server: Server, to: string, subject: RegExp): Promise<OutboxMail> {
  return vi.waitFor(
    async () => {
      const mail = (await listMailsTo(server, to)).find((mail) => subject.test(mail.subject));
      if (!mail) throw new Error(`no mail ${subject} yet`);
      return mail;
    },
    { timeout: 10_000, interval: 50 },
  );
}

/** The secret in the link of a mail. */
export function readTokenHash({ text }: OutboxMail): string {
  return /#token_hash=([^&\s]+)/.exec(text)![1]!;
}
