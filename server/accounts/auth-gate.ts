import { decodeJwt } from 'jose';
import { readSessionId, type TokenVerifier } from '../platform/auth.ts';
import { clientAddress } from '../platform/client-address.ts';
import type { Config } from '../platform/config.ts';
import type { Database } from '../platform/database.ts';
import type { LocalAuth } from '../platform/local-auth.ts';
import type { Logger } from '../platform/logger.ts';
import type { Mailer } from '../platform/mail/mailer.ts';
import type { RateLimits } from '../platform/rate-limit.ts';
import { createRouter } from '../platform/routes.ts';
import {
  type AuthContext,
  AuthRefusal,
  asAuthRefusal,
  askAuth,
  expired_link,
  passBack,
  readBody,
  readText,
  refuse,
  wrong_password,
} from './auth-answers.ts';
import { sendMailsOf } from './auth-mails.ts';
import { changeSignIn } from './change-sign-in.ts';
import { confirmEmailChange } from './email-change.ts';
import { findWaitingEmailChange } from './email-change-queries.ts';
import { createEvenTime, type Pause } from './even-time.ts';
import { hashMailToken } from './mail-token.ts';
import { alreadySignedUpMail } from './mails/sign-in-mails.ts';
import { proveAddress } from './prove-address.ts';
import { redirectToProvider, returnFromProvider } from './provider-sign-in.ts';
import { sendBehind } from './send-behind.ts';
import { createSignInLimits } from './sign-in-limits.ts';
import { findUserOfEmailChange, insertRecoverySession } from './sign-in-queries.ts';
import type { SignOuts } from './sign-outs.ts';

type AuthGateParts = {
  config: Config;
  logger: Logger;
  database: Database;
  mailer: Mailer;
  site_url: string;
  rate_limits: RateLimits;
  sign_outs: SignOuts;
  verifyToken: TokenVerifier;
};

type Session = { access_token: string; user: { id: string } };

const longest_email = 255;

/**
 * What of Auth can be called where it runs in our process, at /auth/v1. It answers as a Supabase project does whose
 * settings are those that the doctor asks for: a client cannot tell the two apart. Calls that are not in its list are not
 * there (0014). `pause`: how it waits, for tests.
 */
export function authGate(given: AuthGateParts, auth: LocalAuth, pause?: Pause) {
  const { config, database, logger, site_url, sign_outs, verifyToken } = given;
  const limits = createSignInLimits(given.rate_limits, config.is_local);
  const inEvenTime = createEvenTime(pause);
  const parts = { ...given, auth, limits };
  const providers = {
    ...parts,
    onProven: (auth_id: string) => proveAddress(given, { auth_id, by: 'provider' }),
  };
  let has_warned = false;
  const clientOf = (c: AuthContext) => {
    if (!has_warned && !config.is_local && config.trust_proxy === 0 && c.req.header('x-forwarded-for')) {
      has_warned = true;
      logger.warn('requests carry X-Forwarded-For: where a proxy of yours adds it, set TRUST_PROXY');
    }
    return clientAddress(c, config.trust_proxy);
  };
  sendMailsOf(auth, given);

  const calls: Record<string, (c: AuthContext) => Promise<Response>> = {
    'GET user': tellUser,
    'GET settings': pass,
    'GET health': pass,
    'POST signup': signUp,
    'POST token?password': signIn,
    'POST token?refresh_token': pass,
    'POST token?pkce': exchangeCode,
    'POST recover': mailLink,
    'POST otp': mailLink,
    'POST verify': verify,
    'POST logout': signOut,
    'PUT user': (c) => changeSignIn(parts, c),
    ...(Object.keys(config.sign_in_providers).length > 0
      ? {
          'GET authorize': (c) => redirectToProvider(providers, c),
          'GET callback': (c) => returnFromProvider(providers, c),
        }
      : {}),
  };

  const gate = createRouter();
  gate.all('/auth/v1/*', async (c) => {
    c.header('cache-control', 'no-store');
    const grant = c.req.query('grant_type');
    const called = `${c.req.method} ${c.req.path.slice('/auth/v1/'.length)}${grant ? `?${grant}` : ''}`;
    try {
      if (!Object.hasOwn(calls, called)) {
        throw new AuthRefusal(404, 'not_found', 'There is nothing at this address.');
      }
      return await calls[called]!(c);
    } catch (error) {
      const refusal = asAuthRefusal(error);
      if (!refusal) throw error;
      if (refusal.status >= 500) {
        logger.error(
          { error, request_id: c.var.request_id, route: called, code: refusal.error_code },
          'a request failed',
        );
      }
      return refuse(c, refusal);
    }
  });
  return gate;

  /** Passes a request on as it is. */
  async function pass(c: AuthContext) {
    const { search, pathname } = new URL(c.req.url);
    const path = pathname.slice('/auth/v1/'.length) + search;
    const body = c.req.method === 'GET' ? undefined : await readBody(c);
    return passBack(c, await askAuth(c, auth, { path, body }));
  }

  /** Who is signed in, with the new address while it waits to be confirmed: the app says so after a reload too. */
  async function tellUser(c: AuthContext) {
    const answer = await askAuth(c, auth, { method: 'GET', path: 'user' });
    if (!answer.ok) return passBack(c, answer);
    const user = (await answer.json()) as { id: string };
    return c.json({ ...user, ...(await findWaitingEmailChange(database, user.id)) });
  }

  async function signUp(c: AuthContext) {
    await limits.countSignUp(clientOf(c));
    const body = await readBody(c);
    const email = readText(body, 'email', longest_email);
    const password = typeof body.password === 'string' ? body.password : undefined;
    const data = typeof body.data === 'object' ? body.data : undefined;
    const answer = await askAuth(c, auth, { path: 'signup', body: { email, password, data } });
    const refused = (await answer.clone().json()) as { error_code?: string };
    if (refused.error_code !== 'user_already_exists') return passBack(c, answer);
    limits.countToldOfSignUp(email).then(
      () => sendBehind(given, alreadySignedUpMail({ to: email.toLowerCase(), site_url })),
      () => {},
    );
    throw new AuthRefusal(
      422,
      'signup_refused',
      'No account was made. If you have signed up before, sign in; else look into your mailbox.',
    );
  }

  async function signIn(c: AuthContext) {
    const body = await readBody(c);
    const email = readText(body, 'email', longest_email);
    const { password } = body;
    if (typeof password !== 'string') throw wrong_password();
    // What is right needs no waiting: it tells only what its owner knows.
    const waited = inEvenTime(async () => {});
    const { answer } = await limits.tryPassword({ email, client: clientOf(c) }, async () => {
      const answer = await askAuth(c, auth, {
        path: 'token?grant_type=password',
        body: { email, password },
      });
      return { answer, is_right: answer.ok };
    });
    if (answer.status === 400) {
      await waited;
      throw wrong_password();
    }
    return passBack(c, answer);
  }

  /** A link to sign in or to set a new password: the answer is the same whether there is such an account or not. */
  async function mailLink(c: AuthContext) {
    const email = readText(await readBody(c), 'email', longest_email);
    await limits.countMail({ email, client: clientOf(c) }).catch((error) => {
      const refusal = asAuthRefusal(error);
      if (refusal?.status !== 429) throw error;
      const { message, retry_after_ms } = refusal;
      throw new AuthRefusal(429, 'over_email_send_rate_limit', message, { retry_after_ms });
    });
    const path = c.req.path.slice('/auth/v1/'.length);
    const answer = await inEvenTime(() =>
      askAuth(c, auth, { path, body: { email, ...(path === 'otp' ? { create_user: false } : {}) } }),
    );
    if (answer.status === 401) return passBack(c, answer);
    return c.json({}, 200);
  }

  async function verify(c: AuthContext) {
    await limits.countLink(clientOf(c));
    const { type, token_hash } = await readBody(c);
    if (typeof token_hash !== 'string' || token_hash === '' || token_hash.length > 200) throw expired_link();
    if (type === 'email_change') return confirmChange(c, token_hash);
    if (type !== 'recovery' && type !== 'magiclink') throw expired_link();
    const answer = await askAuth(c, auth, { path: 'verify', body: { type, token_hash } });
    if (!answer.ok) return passBack(c, answer);
    const session = (await answer.clone().json()) as Session;
    const session_id = readSessionId(decodeJwt(session.access_token));
    await proveAddress(given, { auth_id: session.user.id, by: 'mail', session_id });
    if (type === 'recovery' && session_id) await insertRecoverySession(database, session_id);
    return passBack(c, answer);
  }

  /** The user stands in the answer only when both mailboxes have confirmed, as with Supabase. */
  async function confirmChange(c: AuthContext, token: string) {
    const outcome = await confirmEmailChange({ database }, token);
    if (outcome === 'invalid') throw expired_link();
    if (outcome === 'half') {
      return c.json({ code: 200, msg: 'Confirmed. The other mailbox has to confirm it, too.' });
    }
    const user = await findUserOfEmailChange(database, hashMailToken(token));
    return c.json({ user: { ...user, aud: 'authenticated', role: 'authenticated' } });
  }

  async function exchangeCode(c: AuthContext) {
    const { auth_code, code_verifier } = await readBody(c);
    const answer = await askAuth(c, auth, {
      path: 'token?grant_type=pkce',
      body: { auth_code, code_verifier },
    });
    if (!answer.ok) return passBack(c, answer);
    // The provider's own token opens the member's account there, and nothing here needs it.
    const {
      provider_token: _,
      provider_refresh_token: __,
      ...session
    } = (await answer.json()) as Session & {
      provider_token?: string;
      provider_refresh_token?: string;
    };
    const session_id = readSessionId(decodeJwt(session.access_token));
    await proveAddress(given, { auth_id: session.user.id, by: 'provider', session_id });
    return c.json(session);
  }

  async function signOut(c: AuthContext) {
    const { scope = 'global' } = c.req.query();
    const person = await verifyToken(c.req.header('authorization')).catch(() => undefined);
    const answer = await askAuth(c, auth, {
      path: `logout?scope=${encodeURIComponent(scope)}`,
      body: {},
    });
    if (answer.ok && person && scope !== 'local') await sign_outs.note(person.auth_id);
    return passBack(c, answer);
  }
}
