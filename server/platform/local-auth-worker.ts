import { parentPort, workerData } from 'node:worker_threads';
import { App } from '@supabase/lite';
import { createPostgresConnection } from '@supabase/lite/postgres';
import type { LocalAuthOptions, LocalAuthRequest, LocalAuthResponse } from './local-auth.ts';

const options = workerData as LocalAuthOptions;

const app = new App({
  connection: createPostgresConnection({
    url: options.database_url,
    postgresOptions: { max: 3, onnotice: () => {} },
  }),
  auth: {
    jwt_secret: options.jwt_secret,
    publishable_key: options.publishable_key,
    secret_key: options.secret_key,
    site_url: options.site_url,
    minimum_password_length: 8,
    enable_signup: true,
    // Confirmation is our own mail; Auth's would hold the sign-in back.
    email: { enable_signup: true, enable_confirmations: false },
  },
});

await app.ensureSystemSchema();
parentPort!.postMessage('ready');

parentPort!.on('message', async (request: LocalAuthRequest) => {
  let answer: LocalAuthResponse;
  try {
    answer = await respond(request);
  } catch {
    const body = JSON.stringify({ error_code: 'unexpected_failure', msg: 'Signing in failed.' });
    answer = { id: request.id, status: 500, headers: [['content-type', 'application/json']], body };
  }
  parentPort!.postMessage(answer);
});

async function respond({ id, path, ...request }: LocalAuthRequest): Promise<LocalAuthResponse> {
  const response = await app.fetch(new Request(`http://touchline.internal${path}`, request));
  return { id, status: response.status, headers: [...response.headers], body: await response.text() };
}
