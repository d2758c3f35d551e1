import { Worker } from 'node:worker_threads';
import type { Config } from './config.ts';
import { AppError } from './errors.ts';
import type { LocalAuthSecrets } from './supabase.ts';

/** What the worker is started with. */
export type LocalAuthOptions = LocalAuthSecrets & {
  database_url: string;
  site_url: string;
  sign_in_providers?: Config['sign_in_providers'];
};
export type LocalAuthRequest = {
  id: number;
  method: string;
  path: string;
  headers: [string, string][];
  body: string | null;
  checks_only: boolean;
};
export type LocalAuthResponse = { id: number; status: number; headers: [string, string][]; body: string };

/** A mail that Auth wants sent; its link carries `token_hash`. */
export type LocalAuthMail = { kind: 'recovery' | 'magiclink'; to: string; token_hash: string };

export type LocalAuth = {
  /** Resolves when the schema `auth` stands in the database; rejects while no worker could be started. */
  readonly ready: Promise<void>;
  /** Passes a request below `/auth/v1/` on and returns its answer. Throws `unavailable`. */
  fetch: (request: Request) => Promise<Response>;
  /** Whether this is the password of the account with an address; signs nobody in. Throws `unavailable`. */
  checkPassword: (email: string, password: string) => Promise<boolean>;
  /** Says who sends the mails; until then they are lost. */
  onMail: (send: (mail: LocalAuthMail) => void) => void;
  stop: () => Promise<void>;
};

const answer_timeout_ms = 30_000;

/**
 * Supabase Auth in a worker thread of ours (Supabase Lite). It hashes passwords in JavaScript, 0.1 to 0.25 s each:
 * on the main thread every stream would wait for that. A worker that dies is replaced at the next request.
 */
export function startLocalAuth(options: LocalAuthOptions): LocalAuth {
  let send = (_mail: LocalAuthMail) => {};
  const start = () => startWorker(options, (mail) => send(mail));
  let current = start();
  let stopped = false;

  function ask(message: Omit<LocalAuthRequest, 'id'>) {
    if (current.hasEnded() && !stopped) current = start();
    return current.ask(message);
  }

  async function fetch(request: Request) {
    const url = new URL(request.url);
    const response = await ask({
      method: request.method,
      path: url.pathname + url.search,
      headers: [...request.headers],
      body: request.method === 'GET' || request.method === 'HEAD' ? null : await request.text(),
      checks_only: false,
    });
    const bodyless = response.status === 204 || response.status === 304;
    return new Response(bodyless ? null : response.body, {
      status: response.status,
      headers: response.headers,
    });
  }

  return {
    get ready() {
      return current.ready;
    },
    fetch,
    async checkPassword(email, password) {
      const { status } = await ask({
        method: 'POST',
        path: '/auth/v1/token?grant_type=password',
        headers: [
          ['apikey', options.publishable_key],
          ['content-type', 'application/json'],
        ],
        body: JSON.stringify({ email, password }),
        checks_only: true,
      });
      if (status >= 500) throw unavailable();
      return status === 200;
    },
    onMail(given) {
      send = given;
    },
    stop() {
      stopped = true;
      return current.stop();
    },
  };
}

function startWorker(options: LocalAuthOptions, send: (mail: LocalAuthMail) => void) {
  type Waiting = { resolve: (response: LocalAuthResponse) => void; reject: (error: AppError) => void };
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let ended = false;
  const worker = new Worker(new URL('./local-auth-worker.ts', import.meta.url), {
    workerData: options,
    stdout: true,
    stderr: true,
  });
  // Supabase Lite prints its errors, and a driver's error can quote an address or a name.
  worker.stdout.resume();
  worker.stderr.resume();
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  ready.catch(() => {});
  worker.on('message', (message: 'ready' | { mail: LocalAuthMail } | LocalAuthResponse) => {
    if (message === 'ready') resolve();
    else if ('mail' in message) send(message.mail);
    else waiting.get(message.id)?.resolve(message);
  });
  worker.once('error', end);
  worker.once('exit', () => end(new Error('the auth worker has ended')));

  function end(cause: unknown) {
    ended = true;
    reject(cause);
    for (const { reject } of waiting.values()) reject(unavailable(cause));
  }

  return {
    ready,
    hasEnded: () => ended,
    async ask(message: Omit<LocalAuthRequest, 'id'>): Promise<LocalAuthResponse> {
      await ready.catch((cause) => {
        throw unavailable(cause);
      });
      const id = ++lastId;
      let timer: NodeJS.Timeout | undefined;
      try {
        return await new Promise<LocalAuthResponse>((resolve, reject) => {
          if (ended) throw unavailable();
          timer = setTimeout(() => reject(unavailable()), answer_timeout_ms);
          waiting.set(id, { resolve, reject });
          worker.postMessage({ id, ...message } satisfies LocalAuthRequest);
        });
      } finally {
        clearTimeout(timer);
        waiting.delete(id);
      }
    },
    async stop() {
      await worker.terminate();
    },
  };
}

function unavailable(cause?: unknown) {
  return new AppError(
    'unavailable',
    'Signing in does not answer at the moment. Nothing was changed; try again in a minute.',
    { cause },
  );
}
