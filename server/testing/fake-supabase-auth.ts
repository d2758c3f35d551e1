import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type FakeSupabaseAuth = {
  /** For SUPABASE_URL. */
  url: string;
  publishable_key: string;
  /** What `/auth/v1/settings` answers; a test changes it. */
  settings: Record<string, unknown>;
  /** What the JWKS holds. */
  keys: object[];
  /** When true, requests are read and never answered. */
  silent: boolean;
  close: () => Promise<void>;
};

/** The two public pages of a hosted project's Auth that can be read with the publishable key, behind its gateway. */
export async function startFakeSupabaseAuth(): Promise<FakeSupabaseAuth> {
  const server = createServer((request, response) => {
    if (double.silent) return;
    const send = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    // The gateway lets anybody read the public keys.
    if (request.url === '/auth/v1/.well-known/jwks.json') return send(200, { keys: double.keys });
    if (request.headers.apikey !== double.publishable_key) {
      return send(401, { message: 'Invalid API key', hint: `not ${request.headers.apikey}` });
    }
    if (request.url === '/auth/v1/settings') return send(200, double.settings);
    send(404, { message: 'no Route matched with those values' });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const double: FakeSupabaseAuth = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    publishable_key: 'sb_publishable_4vQ0Zz8rJd2nY6pTt1xKcw',
    settings: { external: { email: true }, disable_signup: false, mailer_autoconfirm: true },
    keys: [{ kty: 'EC', crv: 'P-256', alg: 'ES256', kid: 'one' }],
    silent: false,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  return double;
}
