import { parentPort, workerData } from 'node:worker_threads';
import { App } from '@supabase/lite';
import { createPostgresConnection } from '@supabase/lite/postgres';
import type { LocalAuthMail, LocalAuthOptions, LocalAuthRequest, LocalAuthResponse } from './local-auth.ts';
import { guardAuth, only_checks } from './local-auth-guard.ts';

const options = workerData as LocalAuthOptions;

/**
 * Lite hands JSON over as text, which the driver would write as JSON once more: a string with an object in it, where our
 * triggers look for an object.
 */
const written_once = {
  to: 3802,
  from: [3802],
  serialize: (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)),
  parse: JSON.parse,
};

const app = new App({
  connection: createPostgresConnection({
    url: options.database_url,
    postgresOptions: { max: 3, onnotice: () => {}, types: { jsonb: written_once } },
  }),
  auth: {
    jwt_secret: options.jwt_secret,
    publishable_key: options.publishable_key,
    secret_key: options.secret_key,
    site_url: options.site_url,
    jwt_expiry: 3600,
    minimum_password_length: 8,
    enable_signup: true,
    // Confirmation is our own mail; Auth's would hold the sign-in back. The token of a link is the SHA-256 of the address
    // and this many random digits: with the usual six it could be guessed.
    email: { enable_signup: true, enable_confirmations: false, otp_length: 40, otp_expiry: 3600 },
    external: Object.fromEntries(
      Object.entries(options.sign_in_providers ?? {}).map(([name, { client_id, client_secret, url }]) => [
        name,
        {
          enabled: true,
          client_id,
          secret: client_secret,
          redirect_uri: `${options.site_url}/auth/v1/callback`,
          ...(url ? { url } : {}),
        },
      ]),
    ),
  },
  options: { server: { middlewares: [guardAuth] } },
});

// Mails are rendered and sent by the main thread.
const post = (mail: LocalAuthMail) => parentPort!.postMessage({ mail });
const none = async () => {};
app._mailer = {
  sendRecovery: async (to, token_hash) => post({ kind: 'recovery', to, token_hash }),
  sendMagicLink: async (to, token_hash) => post({ kind: 'magiclink', to, token_hash }),
  sendConfirmation: none,
  sendEmailChange: none,
  sendReauthentication: none,
};

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

async function respond({ id, path, checks_only, ...init }: LocalAuthRequest): Promise<LocalAuthResponse> {
  const request = new Request(`http://touchline.internal${path}`, init);
  request.headers.delete(only_checks);
  if (checks_only) request.headers.set(only_checks, 'yes');
  const response = await app.fetch(request);
  return { id, status: response.status, headers: [...response.headers], body: await response.text() };
}
