import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type FakeStripeKeys = {
  /** For STRIPE_API_URL. */
  url: string;
  secret_key: string;
  /** May read what `readable` holds, and nothing else. */
  restricted_key: string;
  readable: Set<string>;
  /** Method and address of every request. */
  requests: string[];
  /** Answered to everything in place of the truth: a status; 0 for no answer at all. */
  outage: number | undefined;
  close: () => Promise<void>;
};

const lists = [
  ...['prices', 'customers', 'subscriptions', 'checkout/sessions', 'invoices', 'charges', 'refunds'],
  'payment_intents',
];

/** Stripe's lists, empty, and what it says to keys: its errors quote a part of the key, as the real one does. */
export async function startFakeStripeKeys(): Promise<FakeStripeKeys> {
  const server = createServer((request, response) => {
    const send = (status: number, body: object) =>
      response
        .writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_fake' })
        .end(JSON.stringify(body));
    const fail = (status: number, message: string, code?: string) =>
      send(status, { error: { type: 'invalid_request_error', message, code } });
    const url = new URL(request.url!, 'http://stripe.internal');
    double.requests.push(`${request.method} ${request.url}`);
    if (double.outage === 0) return;
    if (double.outage !== undefined) return fail(double.outage, 'An error occurred.');
    const key = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (!key) return fail(401, 'You did not provide an API key.');
    const part = lists.find((name) => url.pathname === `/v1/${name}`);
    if (key.startsWith('pk_')) return fail(403, 'This API call cannot be made with a publishable API key.');
    if (key !== double.secret_key && key !== double.restricted_key) {
      return fail(401, `Invalid API Key provided: ${key.slice(0, 8)}****${key.slice(-4)}`);
    }
    if (!part || request.method !== 'GET') {
      return fail(404, `Unrecognized request URL (${request.method}: ${url.pathname}).`);
    }
    for (const [name, value] of url.searchParams) {
      if (name !== 'limit') return fail(400, `Received unknown parameter: ${name}`, 'parameter_unknown');
      if (!/^([1-9]\d?|100)$/.test(value)) return fail(400, 'limit must be from 1 to 100');
    }
    if (key === double.restricted_key && !double.readable.has(part)) {
      return fail(403, `The provided key '${key.slice(0, 8)}****' does not have the required permissions.`);
    }
    send(200, { object: 'list', data: [], has_more: false, url: url.pathname });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const double: FakeStripeKeys = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    secret_key: 'sk_test_4eC39HqLyjWDarjtT1zdp7dc',
    restricted_key: 'rk_test_9kT1zdp7dc4eC39HqLyjWDar',
    readable: new Set(lists),
    requests: [],
    outage: undefined,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  return double;
}
