import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

type GitHubEmail = { email: string; verified: boolean; primary: boolean };

export type FakeGitHub = {
  /** For GITHUB_URL. */
  url: string;
  client_id: string;
  client_secret: string;
  /** Who is signed in there, and says yes. */
  person: { id: number; login: string; name: string; emails: GitHubEmail[] };
  /** Addresses that browsers were sent to. */
  authorized: URL[];
  /** Follows a redirect there, as a browser would, and returns where it leads back to. */
  agree: (location: string) => Promise<string>;
  close: () => Promise<void>;
};

/** A GitHub Enterprise server, as far as signing in goes: OAuth with codes that work once, and its REST API for people. */
export async function startFakeGitHub(): Promise<FakeGitHub> {
  const codes = new Map<string, string>();
  const tokens = new Set<string>();
  const server = createServer(async (request, response) => {
    const send = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const url = new URL(request.url!, double.url);
    if (url.pathname === '/login/oauth/authorize') {
      double.authorized.push(url);
      const back = new URL(url.searchParams.get('redirect_uri')!);
      const code = randomUUID();
      codes.set(code, back.href);
      back.searchParams.set('code', code);
      back.searchParams.set('state', url.searchParams.get('state')!);
      return response.writeHead(302, { location: back.href }).end();
    }
    if (url.pathname === '/login/oauth/access_token') {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      const code = form.get('code') ?? '';
      const redirect_uri = codes.get(code);
      codes.delete(code);
      // GitHub says what went wrong with status 200.
      if (
        form.get('client_id') !== double.client_id ||
        form.get('client_secret') !== double.client_secret ||
        redirect_uri === undefined ||
        form.get('redirect_uri') !== redirect_uri
      ) {
        return send(200, { error: 'bad_verification_code' });
      }
      const access_token = `gho_${randomUUID()}`;
      tokens.add(access_token);
      return send(200, { access_token, token_type: 'bearer', scope: 'user:email' });
    }
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (!token || !tokens.has(token)) return send(401, { message: 'Bad credentials' });
    const { emails, ...person } = double.person;
    if (url.pathname === '/api/v3/user') return send(200, person);
    if (url.pathname === '/api/v3/user/emails') return send(200, emails);
    send(404, { message: 'Not Found' });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const double: FakeGitHub = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    client_id: 'Iv1.4f2a9c7d1e8b3056',
    client_secret: 'quiet-harbour-lantern-copper',
    person: { id: 4711, login: 'nora', name: 'Nora', emails: [] },
    authorized: [],
    async agree(location) {
      const answer = await fetch(location, { redirect: 'manual' });
      return answer.headers.get('location')!;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  return double;
}
