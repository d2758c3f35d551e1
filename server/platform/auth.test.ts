import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTokenVerifier, type TokenVerifier } from './auth.ts';
import { readConfig } from './config.ts';
import { AppError } from './errors.ts';

const auth_id = randomUUID();
const email = 'nora@example.org';
const now_s = () => Math.floor(Date.now() / 1000);

/** What Supabase Auth puts into a member's token. */
function memberClaims(changes: JWTPayload = {}): JWTPayload {
  return {
    sub: auth_id,
    aud: 'authenticated',
    role: 'authenticated',
    email,
    iat: now_s(),
    exp: now_s() + 3600,
    ...changes,
  };
}

function sign(claims: JWTPayload, secret: string) {
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(secret));
}

async function codeOf(verifying: Promise<unknown>) {
  const error = await verifying.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (error === undefined) return 'accepted';
  expect(error).toBeInstanceOf(AppError);
  return (error as AppError).code;
}

describe('with the Auth in our process', () => {
  const secret = 'a secret of at least thirty-two characters';
  const verify = createTokenVerifier(readConfig({}), {
    jwt_secret: secret,
    publishable_key: 'sb_publishable_test',
    secret_key: 'sb_secret_test',
  });
  const verifyToken = (token: string) => verify(`Bearer ${token}`);

  test("a member's token tells who it is", async () => {
    const token = await sign(memberClaims(), secret);
    expect(await verifyToken(token)).toEqual({ auth_id, email });
    // The scheme's name has no case (RFC 9110, 11.1).
    expect(await verify(`bearer ${token}`)).toEqual({ auth_id, email });
  });

  test('a token without an email is a member all the same', async () => {
    const token = await sign(memberClaims({ email: undefined }), secret);
    expect(await verifyToken(token)).toEqual({ auth_id, email: undefined });
  });

  test.each<[string, JWTPayload]>([
    ['that has ended', { exp: now_s() - 1 }],
    ['that never ends', { exp: undefined }],
    ['that is not valid yet', { nbf: now_s() + 600 }],
    ['for another audience', { aud: 'somebody-else' }],
    ['without an audience', { aud: undefined }],
    ['of the role anon', { role: 'anon' }],
    ['of the role service_role', { role: 'service_role' }],
    ['without a role', { role: undefined }],
    ['without a person', { sub: undefined }],
    ['whose person is no uuid', { sub: "' or true --" }],
  ])('a token %s is refused', async (_, changes) => {
    expect(await codeOf(verifyToken(await sign(memberClaims(changes), secret)))).toBe('sign_in_required');
  });

  test('a token that was taken before is refused once it has ended, and one like it at once', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const token = await sign(memberClaims({ exp: now_s() + 60 }), secret);
      expect(await verifyToken(token)).toEqual({ auth_id, email });
      expect(await codeOf(verifyToken(`${token}A`))).toBe('sign_in_required');
      vi.setSystemTime(Date.now() + 59_000);
      expect(await verifyToken(token)).toEqual({ auth_id, email });
      vi.setSystemTime(Date.now() + 2_000);
      expect(await codeOf(verifyToken(token))).toBe('sign_in_required');
    } finally {
      vi.useRealTimers();
    }
  });

  test('a token whose session has ended is refused, also one that was taken before', async () => {
    const session_id = randomUUID();
    const issued_at_s = now_s();
    const token = await sign(memberClaims({ session_id, iat: issued_at_s }), secret);
    const asked: unknown[] = [];
    let ended: boolean | Promise<boolean> = false;
    const verify = createTokenVerifier(
      readConfig({}),
      { jwt_secret: secret, publishable_key: 'sb_publishable_test', secret_key: 'sb_secret_test' },
      (token) => {
        asked.push(token);
        return ended;
      },
    );
    expect(await verify(`Bearer ${token}`)).toEqual({ auth_id, email });
    for (ended of [true, Promise.resolve(true)]) {
      expect(await codeOf(verify(`Bearer ${token}`))).toBe('sign_in_required');
    }
    ended = Promise.resolve(false);
    expect(await verify(`Bearer ${token}`)).toEqual({ auth_id, email });
    expect(asked).toEqual(Array(4).fill({ auth_id, session_id, issued_at_s }));
  });

  test('a token of another secret is refused', async () => {
    const token = await sign(memberClaims(), secret.replace('a', 'b'));
    expect(await codeOf(verifyToken(token))).toBe('sign_in_required');
  });

  test('a token whose claims were changed is refused', async () => {
    const [header, , signature] = (await sign(memberClaims(), secret)).split('.');
    const claims = Buffer.from(JSON.stringify(memberClaims({ sub: randomUUID() }))).toString('base64url');
    expect(await codeOf(verifyToken(`${header}.${claims}.${signature}`))).toBe('sign_in_required');
  });

  test('a token without a signature (alg none) is refused', async () => {
    expect(await codeOf(verifyToken(new UnsecuredJWT(memberClaims()).encode()))).toBe('sign_in_required');
  });

  test.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Basic bm9yYTpwYXNz',
    'Bearer a b',
    'Bearer ..',
    'Bearer 💥.e30.x',
  ])('the header %j is refused', async (header) => {
    expect(await codeOf(verify(header))).toBe('sign_in_required');
  });
});

describe('on Supabase', () => {
  type Keys = { privateKey: CryptoKey; jwk: JWK };
  let keys: Keys;
  let server: Server;
  let url: string;
  let published: JWK[];
  let requests: number;
  /** What the project answers when asked for its keys. */
  let answer: () => { status: number; body: string };

  async function makeKeys(): Promise<Keys> {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    return {
      privateKey,
      jwk: { ...(await exportJWK(publicKey)), kid: randomUUID(), alg: 'ES256', use: 'sig' },
    };
  }

  beforeAll(async () => {
    keys = await makeKeys();
  });
  beforeEach(async () => {
    requests = 0;
    published = [keys.jwk];
    answer = () => ({ status: 200, body: JSON.stringify({ keys: published }) });
    server = createServer((request, response) => {
      requests++;
      const { status, body } =
        request.url === '/auth/v1/.well-known/jwks.json' ? answer() : { status: 404, body: '' };
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  });
  afterEach(() => stopProject());

  function stopProject() {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  }

  function createVerifier(settings: Record<string, string> = {}): TokenVerifier {
    const config = readConfig({
      SUPABASE_URL: url,
      SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_key',
      DATABASE_URL: 'postgresql://postgres@localhost/postgres',
      ...settings,
    });
    const verify = createTokenVerifier(config, undefined);
    return (token) => verify(`Bearer ${token}`);
  }

  const issued = (changes: JWTPayload = {}) => memberClaims({ iss: `${url}/auth/v1`, ...changes });

  function signWith({ privateKey, jwk }: Keys, claims: JWTPayload) {
    return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: jwk.kid }).sign(privateKey);
  }

  test("a member's token is verified with the project's public keys, which are fetched once", async () => {
    const verify = createVerifier();
    const token = await signWith(keys, issued());
    for (let round = 0; round < 5; round++) expect(await verify(token)).toEqual({ auth_id, email });
    expect(requests).toBe(1);
  });

  test('the keys are kept while the project does not answer', async () => {
    const verify = createVerifier();
    await verify(await signWith(keys, issued()));
    await stopProject();
    expect(await verify(await signWith(keys, issued()))).toEqual({ auth_id, email });
  });

  test.each<[string, JWTPayload]>([
    ['of another project', { iss: 'https://other.supabase.co/auth/v1' }],
    ['without an issuer', { iss: undefined }],
    ['that has ended', { exp: now_s() - 1 }],
    ['that never ends', { exp: undefined }],
    ['for another audience', { aud: 'somebody-else' }],
    ['of the role anon', { role: 'anon' }],
    ['of the role service_role', { role: 'service_role' }],
  ])('a token %s is refused', async (_, changes) => {
    expect(await codeOf(createVerifier()(await signWith(keys, issued(changes))))).toBe('sign_in_required');
  });

  test('a token whose key the project has withdrawn is refused within a quarter of an hour', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const verify = createVerifier();
      const token = await signWith(keys, issued());
      expect(await verify(token)).toEqual({ auth_id, email });
      published = [(await makeKeys()).jwk];
      vi.setSystemTime(Date.now() + 15 * 60_000);
      expect(await codeOf(verify(token))).toBe('sign_in_required');
    } finally {
      vi.useRealTimers();
    }
  });

  test('a token of a key that the project does not publish is refused', async () => {
    const others = await makeKeys();
    expect(await codeOf(createVerifier()(await signWith(others, issued())))).toBe('sign_in_required');
    const disguised = { ...others, jwk: keys.jwk };
    expect(await codeOf(createVerifier()(await signWith(disguised, issued())))).toBe('sign_in_required');
  });

  test('a token that is signed with a public key as if it were a secret is refused', async () => {
    const token = await sign(issued(), JSON.stringify(keys.jwk));
    expect(await codeOf(createVerifier()(token))).toBe('sign_in_required');
    expect(await codeOf(createVerifier()(new UnsecuredJWT(issued()).encode()))).toBe('sign_in_required');
  });

  test('while the project is down a token is not refused but put off (503 unavailable)', async () => {
    const verify = createVerifier();
    const token = await signWith(keys, issued());
    await stopProject();
    expect(await codeOf(verify(token))).toBe('unavailable');
  });

  test.each([
    [500, 'oops'],
    [200, '<html>'],
    [200, '{}'],
  ])('while the project answers %i %s a token is put off, too', async (status, body) => {
    answer = () => ({ status, body });
    expect(await codeOf(createVerifier()(await signWith(keys, issued())))).toBe('unavailable');
  });

  test('after an outage the same verifier works again', async () => {
    const verify = createVerifier();
    const token = await signWith(keys, issued());
    const healthy = answer;
    answer = () => ({ status: 503, body: '' });
    expect(await codeOf(verify(token))).toBe('unavailable');
    answer = healthy;
    expect(await verify(token)).toEqual({ auth_id, email });
  });

  test("an older project's shared secret is taken beside its public keys, and only when it is set", async () => {
    const secret = 'the shared secret of an older project';
    const token = await sign(issued(), secret);
    const verify = createVerifier({ SUPABASE_JWT_SECRET: secret });
    expect(await verify(token)).toEqual({ auth_id, email });
    expect(requests).toBe(0);
    expect(await verify(await signWith(keys, issued()))).toEqual({ auth_id, email });
    expect(await codeOf(verify(await sign(issued(), 'another secret')))).toBe('sign_in_required');
    expect(await codeOf(verify(await sign(issued({ iss: 'https://other' }), secret)))).toBe(
      'sign_in_required',
    );
    expect(await codeOf(createVerifier()(token))).toBe('sign_in_required');
  });

  test.each(['garbage', 'a.b.c', '..'])('%j is refused without asking anybody', async (token) => {
    expect(await codeOf(createVerifier({ SUPABASE_JWT_SECRET: 'x' })(token))).toBe('sign_in_required');
    expect(requests).toBe(0);
  });
});
