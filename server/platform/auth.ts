import {
  createRemoteJWKSet,
  decodeProtectedHeader,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import type { Config } from './config.ts';
import { AppError } from './errors.ts';
import type { LocalAuthSecrets } from './supabase.ts';

/**
 * Who sent a request, from a verified token. `auth_id` is the Supabase Auth user's id. `amr`: how the session was opened, in
 * Auth's words, such as `password`, `otp` or `oauth`; undefined where the token does not say.
 */
export type SignedIn = { auth_id: string; email: string | undefined; amr?: string[] };

/** Whether the session of a good token has ended before the token did. */
type HasEnded = (token: {
  auth_id: string;
  session_id: string | undefined;
  issued_at_s: number;
}) => boolean | Promise<boolean>;

export type TokenVerifier = (authorization: string | undefined) => Promise<SignedIn>;

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A token that was found good is taken as such this long, but never past its end. */
const trust_ms = 5 * 60_000;
const most_trusted = 5_000;

/**
 * Verifies the bearer token of a request without asking anybody: with the secret of the Auth in our process, or with
 * the project's public keys on Supabase (fetched once and kept; older projects sign with a shared secret).
 * A signature is checked once in five minutes, because that takes longer than all else before a turn reaches the
 * database. `hasEnded` is asked each time. Throws `sign_in_required`.
 */
export function createTokenVerifier(
  config: Config,
  local: LocalAuthSecrets | undefined,
  hasEnded: HasEnded = () => false,
): TokenVerifier {
  const verify = config.supabase ? verifySupabase(config.supabase) : verifyLocal(local!);
  type Trusted = { signed_in: SignedIn; session: Parameters<HasEnded>[0]; until_ms: number };
  const trusted = new Map<string, Trusted>();

  /** Without waiting where there is nothing to ask, which is nearly always. */
  async function unlessEnded({ signed_in, session }: Trusted) {
    const ended = hasEnded(session);
    if (ended === false || !(await ended)) return signed_in;
    throw new AppError('sign_in_required', 'Your sign-in has ended. Sign in again; nothing was changed.');
  }

  return async (authorization) => {
    const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
    if (!token) throw new AppError('sign_in_required', 'Sign in first. Nothing was changed.');
    const known = trusted.get(token);
    if (known && Date.now() < known.until_ms) return unlessEnded(known);
    trusted.delete(token);
    let claims: JWTPayload;
    try {
      claims = await verify(token);
    } catch (cause) {
      if (isOutage(cause)) {
        throw new AppError(
          'unavailable',
          'Your sign-in cannot be checked at the moment. Try again in a minute.',
          {
            cause,
          },
        );
      }
      throw new AppError('sign_in_required', 'Your sign-in has ended. Sign in again; nothing was changed.', {
        cause,
      });
    }
    if (!claims.sub || !uuid.test(claims.sub) || claims.role !== 'authenticated') {
      throw new AppError('sign_in_required', 'Sign in first. Nothing was changed.');
    }
    const email = typeof claims.email === 'string' ? claims.email : undefined;
    const signed_in: SignedIn = { auth_id: claims.sub, email, amr: readMethods(claims.amr) };
    // The oldest makes room: a Map keeps the order in which its keys came.
    if (trusted.size >= most_trusted) trusted.delete(trusted.keys().next().value!);
    const session = {
      auth_id: claims.sub,
      session_id: readSessionId(claims),
      issued_at_s: claims.iat ?? 0,
    };
    const found = { signed_in, session, until_ms: Math.min(Date.now() + trust_ms, claims.exp! * 1000) };
    trusted.set(token, found);
    return unlessEnded(found);
  };
}

/** The session that a token belongs to; undefined where it names none. */
export function readSessionId({ session_id }: JWTPayload): string | undefined {
  return typeof session_id === 'string' && uuid.test(session_id) ? session_id : undefined;
}

/** Supabase writes `[{method, timestamp}]`, a hook of an operator's may write plain words (RFC 8176). */
function readMethods(amr: unknown) {
  if (!Array.isArray(amr)) return undefined;
  const methods = amr.map((entry) => (typeof entry === 'string' ? entry : entry?.method));
  return methods.filter((method) => typeof method === 'string');
}

/** What every token of a member says; a token without an end would be one for ever. */
const expected = { audience: 'authenticated', requiredClaims: ['exp'] };

function verifyLocal(secrets: LocalAuthSecrets) {
  const key = new TextEncoder().encode(secrets.jwt_secret);
  return async (token: string) =>
    (await jwtVerify(token, key, { ...expected, algorithms: ['HS256'] })).payload;
}

function verifySupabase(supabase: NonNullable<Config['supabase']>) {
  const issuer = `${supabase.url}/auth/v1`;
  const publicKeys: JWTVerifyGetKey = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`), {
    timeoutDuration: 5_000,
  });
  const secret = supabase.jwt_secret ? new TextEncoder().encode(supabase.jwt_secret) : undefined;
  return async (token: string) => {
    const claims = { ...expected, issuer };
    if (secret && decodeProtectedHeader(token).alg === 'HS256') {
      return (await jwtVerify(token, secret, { ...claims, algorithms: ['HS256'] })).payload;
    }
    return (await jwtVerify(token, publicKeys, { ...claims, algorithms: ['ES256', 'RS256', 'EdDSA'] }))
      .payload;
  };
}

/** The public keys could not be fetched: the token may well be good. */
function isOutage(error: unknown) {
  const code = (error as { code?: string }).code;
  return (
    code === 'ERR_JWKS_TIMEOUT' ||
    code === 'ERR_JWKS_INVALID' ||
    code === 'ERR_JOSE_GENERIC' ||
    (error instanceof TypeError && error.message === 'fetch failed')
  );
}
