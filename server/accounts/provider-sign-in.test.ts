import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { callAuth, createAuthClient, findMail } from '../testing/auth-client.ts';
import { type FakeGitHub, startFakeGitHub } from '../testing/fake-github.ts';
import { signInAgain } from '../testing/sign-in-again.ts';
import { startTestServer } from '../testing/start-test-server.ts';

let github: FakeGitHub;
let server: Awaited<ReturnType<typeof startTestServer>>;
let pool: pg.Pool;
beforeAll(async () => {
  github = await startFakeGitHub();
  server = await startTestServer({
    GITHUB_CLIENT_ID: github.client_id,
    GITHUB_CLIENT_SECRET: github.client_secret,
    GITHUB_URL: github.url,
  });
  pool = new pg.Pool({ connectionString: server.database_url, max: 2 });
});
afterAll(async () => {
  await pool.end();
  await server.stop();
  await github.close();
});

let email: string;
let next_id = 1;
beforeEach(() => {
  email = `nora-${randomUUID()}@example.org`;
  github.person = {
    id: next_id++,
    login: 'nora',
    name: 'Nora',
    emails: [
      { email: `other-${email}`, verified: false, primary: false },
      { email, verified: true, primary: true },
    ],
  };
});

const locationOf = (answer: Response) => answer.headers.get('location')!;

/** Goes to GitHub and back, as a browser does; returns where our site sends it then. */
async function goRound(client: Awaited<ReturnType<typeof createAuthClient>>) {
  const { data } = await client.signInWithOAuth({
    provider: 'github',
    options: { skipBrowserRedirect: true, redirectTo: `${server.url}/auth/callback` },
  });
  const away = await fetch(data.url!, { redirect: 'manual' });
  expect(away.status).toBe(302);
  const back = await github.agree(locationOf(away));
  const landing = await fetch(back.replace('localhost', '127.0.0.1'), { redirect: 'manual' });
  expect(landing.status).toBe(302);
  return new URL(locationOf(landing));
}

async function signInWithGitHub() {
  const client = await createAuthClient(server);
  const landing = await goRound(client);
  expect(landing.searchParams.get('error_code')).toBeNull();
  const { data, error } = await client.exchangeCodeForSession(landing.searchParams.get('code')!);
  expect(error).toBeNull();
  return { landing, session: data.session!, client };
}

test('a stranger signs in with GitHub: an account with a confirmed address and a name', async () => {
  const { landing, session } = await signInWithGitHub();
  expect(landing.href).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/auth\/callback\?code=[0-9a-f-]+$/);
  const member = server.signedIn({ email, token: session.access_token } as never);
  expect(await member.json('/api/me')).toMatchObject({ email, email_confirmed: true, user_name: 'nora' });
  // GitHub's own token stays with us, and there it is gone.
  expect(session.provider_token).toBeFalsy();
  expect(
    (await pool.query('select 1 from auth.flow_state where provider_access_token is not null')).rowCount,
  ).toBe(0);
});

test('the settings say which providers there are, for the buttons', async () => {
  const settings = (await (await callAuth(server, 'GET', 'settings')).json()) as any;
  expect(settings.external).toMatchObject({ github: true, google: false, email: true });
  expect((await callAuth(server, 'GET', 'authorize?provider=google')).status).toBe(400);
});

test('a member signs in with GitHub to the same account, which keeps its password and its sessions', async () => {
  const member = await server.signUp();
  github.person.emails = [{ email: member.email, verified: true, primary: true }];
  const { session } = await signInWithGitHub();
  const { id } = await member.json('/api/me');
  const again = server.signedIn({ ...member, token: session.access_token });
  expect((await again.json('/api/me')).id).toBe(id);
  expect((await member.fetch('/api/me')).status).toBe(200);
  await expect(signInAgain(server, member)).resolves.toBeTruthy();
});

test('whoever signed up with the address before its owner came loses the password and every session', async () => {
  const stranger = await server.signUp({ is_confirmed: false });
  github.person.emails = [{ email: stranger.email, verified: true, primary: true }];
  const client = await createAuthClient(server);
  const landing = await goRound(client);
  // Before the owner's browser has even got its session.
  expect((await stranger.fetch('/api/me')).status).toBe(401);
  await expect(signInAgain(server, stranger)).rejects.toThrow('400');
  const { data } = await client.exchangeCodeForSession(landing.searchParams.get('code')!);
  const owner = server.signedIn({ ...stranger, token: data.session!.access_token });
  expect(await owner.json('/api/me')).toMatchObject({ email: stranger.email, email_confirmed: true });
  await findMail(server, stranger.email, /no password/);
});

describe('an address that GitHub has not verified', () => {
  const tell = async () => {
    const landing = await goRound(await createAuthClient(server));
    return {
      path: landing.pathname,
      code: landing.searchParams.get('error_code'),
      got: landing.searchParams.get('code'),
    };
  };
  const refused = { path: '/auth/callback', code: 'provider_email_needs_verification', got: null };

  test('opens nobody’s account', async () => {
    const member = await server.signUp();
    github.person.emails = [{ email: member.email, verified: false, primary: true }];
    expect(await tell()).toEqual(refused);
    const { rows } = await pool.query(
      `select provider from auth.identities join auth.users on user_id = users.id where users.email = $1`,
      [member.email],
    );
    expect(rows).toEqual([{ provider: 'email' }]);
  });

  test('makes no account, not even where another address is verified', async () => {
    const count = async () => (await pool.query('select count(*)::integer from auth.users')).rows[0].count;
    const before = await count();
    github.person.emails = [
      { email, verified: false, primary: true },
      { email: `other-${email}`, verified: true, primary: false },
    ];
    expect(await tell()).toEqual(refused);
    expect(await count()).toBe(before);
  });
});

test('a profile that GitHub has no address for is told so on our page', async () => {
  github.person.emails = [];
  const landing = await goRound(await createAuthClient(server));
  expect(landing.pathname).toBe('/auth/callback');
  expect(landing.searchParams.get('error')).toBe('server_error');
});

describe('the way to GitHub', () => {
  const challenge = 'code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=s256';

  test.each([
    'https://evil.example.org/',
    'http://127.0.0.1:1/auth/callback',
    'http://localhost/auth/callback',
    '//evil.example.org',
    'javascript:alert(1)',
    'http://localhost@evil.example.org/',
  ])('does not lead back to %s', async (redirect_to) => {
    const query = `provider=github&${challenge}&redirect_to=${encodeURIComponent(redirect_to)}`;
    const answer = await callAuth(server, 'GET', `authorize?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('location')).toBeNull();
  });

  test('takes no word of the address to GitHub but the ones that it knows', async () => {
    const answer = await callAuth(
      server,
      'GET',
      `authorize?provider=github&${challenge}&client_id=evil&state=evil&redirect_uri=https://evil.example.org&scopes=repo`,
    );
    const location = new URL(locationOf(answer));
    expect(location.origin).toBe(github.url);
    expect(location.searchParams.get('client_id')).toBe(github.client_id);
    expect(location.searchParams.get('redirect_uri')).toMatch(/^http:\/\/localhost:\d+\/auth\/v1\/callback$/);
    expect(location.searchParams.get('scope')).toBe('user:email');
    expect(location.href).not.toContain('evil');
  });

  test.each(['', 'code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=plain'])(
    'goes by a code whose other half stays in the browser, and not with %j',
    async (query) => {
      expect((await callAuth(server, 'GET', `authorize?provider=github&${query}`)).status).toBe(400);
    },
  );

  test.each(['code=a', 'code=a&state=nothing', `code=a&state=${randomUUID()}`, 'error=access_denied', ''])(
    'leads back from it with %j to our page, which is told an error',
    async (query) => {
      const answer = await callAuth(server, 'GET', `callback?${query}`);
      expect(answer.status).toBe(302);
      const landing = new URL(locationOf(answer));
      expect(landing.origin).toMatch(/^http:\/\/localhost:\d+$/);
      expect(landing.pathname).toBe('/auth/callback');
      expect(landing.searchParams.get('error')).toBeTruthy();
      expect(landing.searchParams.get('code')).toBeNull();
    },
  );

  test('cannot be gone twice with one code, nor by another browser', async () => {
    const client = await createAuthClient(server);
    const code = (await goRound(client)).searchParams.get('code')!;
    const other = await createAuthClient(server);
    const stolen = await callAuth(server, 'POST', 'token?grant_type=pkce', {
      auth_code: code,
      code_verifier: 'x'.repeat(50),
    });
    expect(stolen.status).toBe(400);
    expect((await client.exchangeCodeForSession(code)).error).toBeNull();
    expect((await other.exchangeCodeForSession(code)).error).not.toBeNull();
  });
});
