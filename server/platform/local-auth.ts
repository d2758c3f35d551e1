import { Worker } from 'node:worker_threads';
import { AppError } from './errors.ts';
import type { LocalAuthSecrets } from './supabase.ts';

/** What the worker is started with. */
export type LocalAuthOptions = LocalAuthSecrets & { database_url: string; site_url: string };
export type LocalAuthRequest = {
  id: number;
  method: string;
  path: string;
  headers: [string, string][];
  body: string | null;
};
export type LocalAuthResponse = { id: number; status: number; headers: [string, string][]; body: string };

export type LocalAuth = {
  /** Resolves when the schema `auth` stands in the database. */
  ready: Promise<void>;
  /** Passes a request below `/auth/v1/` on and returns its answer. */
  fetch: (request: Request) => Promise<Response>;
  stop: () => Promise<void>;
};

const answer_timeout_ms = 30_000;

/**
 * Supabase Auth in a worker thread of ours (Supabase Lite). It hashes passwords in JavaScript, 0.1 to 0.25 s each:
 * on the main thread every stream would wait for that.
 */
export function startLocalAuth(options: LocalAuthOptions): LocalAuth {
  const waiting = new Map<number, (response: LocalAuthResponse) => void>();
  let lastId = 0;
  const worker = new Worker(new URL('./local-auth-worker.ts', import.meta.url), { workerData: options });
  const ready = new Promise<void>((resolve, reject) => {
    worker.on('message', (message: 'ready' | LocalAuthResponse) => {
      if (message === 'ready') resolve();
      else {
        waiting.get(message.id)?.(message);
        waiting.delete(message.id);
      }
    });
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the auth worker has ended')));
  });
  ready.catch(() => {});

  async function fetch(request: Request) {
    await ready;
    const url = new URL(request.url);
    const message: LocalAuthRequest = {
      id: ++lastId,
      method: request.method,
      path: url.pathname + url.search,
      headers: [...request.headers],
      body: request.method === 'GET' || request.method === 'HEAD' ? null : await request.text(),
    };
    const response = await new Promise<LocalAuthResponse>((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(message.id);
        reject(
          new AppError('unavailable', 'Signing in does not answer at the moment. Try again in a minute.'),
        );
      }, answer_timeout_ms);
      waiting.set(message.id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      worker.postMessage(message);
    });
    const bodyless = response.status === 204 || response.status === 304;
    return new Response(bodyless ? null : response.body, {
      status: response.status,
      headers: response.headers,
    });
  }

  return {
    ready,
    fetch,
    async stop() {
      worker.removeAllListeners('exit');
      await worker.terminate();
    },
  };
}
