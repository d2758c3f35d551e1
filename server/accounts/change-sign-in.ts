import { decodeJwt } from 'jose';
import { readSessionId, type TokenVerifier } from '../platform/auth.ts';
import { clientAddress } from '../platform/client-address.ts';
import type { Config } from '../platform/config.ts';
import type { Database } from '../platform/database.ts';
import { AppError } from '../platform/errors.ts';
import type { LocalAuth } from '../platform/local-auth.ts';
import type { RateLimits } from '../platform/rate-limit.ts';
import { type AuthContext, AuthRefusal, askAuth, passBack, readBody, readText } from './auth-answers.ts';
import { startEmailChange } from './email-change.ts';
import { passwordChangedMail } from './mails/sign-in-mails.ts';
import { type MailParts, sendBehind } from './send-behind.ts';
import type { SignInLimits } from './sign-in-limits.ts';
import { insertRecoverySession, takeRecoverySession } from './sign-in-queries.ts';
import type { SignOuts } from './sign-outs.ts';

type ChangeParts = MailParts & {
  config: Config;
  database: Database;
  site_url: string;
  rate_limits: RateLimits;
  auth: LocalAuth;
  verifyToken: TokenVerifier;
  sign_outs: SignOuts;
  limits: SignInLimits;
};

type AuthUser = { id: string; email: string };

/** bcrypt looks at no more of a password. */
const longest_password = 72;

/** What a client adds to a change of address where its sign-ins go by way of a code. */
const ignored = new Set(['code_challenge', 'code_challenge_method']);

/** Changes the address or the password of whoever sent a request, and nothing else that Auth could change. */
export async function changeSignIn(parts: ChangeParts, c: AuthContext): Promise<Response> {
  const person = await parts.verifyToken(c.req.header('authorization'));
  const body = await readBody(c);
  const asked = Object.keys(body).filter((name) => !ignored.has(name));
  const isPassword = asked.includes('password') && asked.every((name) => /^(current_)?password$/.test(name));
  const isEmail = asked.length === 1 && asked[0] === 'email';
  if (!isPassword && !isEmail) {
    throw new AuthRefusal(
      422,
      'validation_failed',
      'Only the address or the password can be changed here, one at a time. Nothing was changed.',
    );
  }
  // Auth knows whether the session is still there, and who it is.
  const answer = await askAuth(c, parts.auth, { method: 'GET', path: 'user' });
  if (!answer.ok) return passBack(c, answer);
  const user = (await answer.json()) as AuthUser;
  if (isPassword) return changePassword(parts, c, user, body);
  const new_email = readText(body, 'email', 255);
  await parts.limits.countEmailChange({
    auth_id: person.auth_id,
    client: clientAddress(c, parts.config.trust_proxy),
  });
  await startEmailChange(parts, { auth_id: person.auth_id, new_email });
  return c.json({ ...user, new_email: new_email.trim().toLowerCase() });
}

async function changePassword(
  parts: ChangeParts,
  c: AuthContext,
  user: AuthUser,
  body: Record<string, unknown>,
): Promise<Response> {
  const { auth, database, sign_outs, site_url } = parts;
  const password = readText(body, 'password', longest_password);
  const session_id = readSessionId(decodeJwt(c.req.header('authorization')!.replace(/^Bearer /i, '')));
  const recovery = session_id ? await takeRecoverySession(database, session_id) : undefined;
  if (!recovery) await requireCurrentPassword(parts, c, user, body);
  const giveBack = async () => {
    if (recovery) await insertRecoverySession(database, session_id!, recovery.created_at);
  };

  const answer = await askAuth(c, auth, { method: 'PUT', path: 'user', body: { password } }).catch(
    async (error) => {
      await giveBack().catch(() => {});
      throw error;
    },
  );
  if (!answer.ok) {
    await giveBack();
    return passBack(c, answer);
  }
  const tell = (others_are_out: boolean) => {
    if (user.email) sendBehind(parts, passwordChangedMail({ to: user.email, site_url, others_are_out }));
  };
  await sign_outs.endSessions(user.id, session_id).catch((cause) => {
    tell(false);
    throw new AppError(
      'unavailable',
      'Your password was changed, but other devices may still be signed in. Sign out everywhere in a minute.',
      { cause },
    );
  });
  tell(true);
  return passBack(c, answer);
}

/** Throws unless the body names the account's present password. Wrong ones are counted as at a sign-in. */
async function requireCurrentPassword(
  { auth, config, limits }: ChangeParts,
  c: AuthContext,
  { email }: AuthUser,
  { current_password }: Record<string, unknown>,
) {
  if (typeof current_password !== 'string' || current_password === '') {
    throw new AuthRefusal(
      400,
      'current_password_required',
      'Your present password is needed to set a new one. Nothing was changed.',
    );
  }
  const trier = { email, client: clientAddress(c, config.trust_proxy) };
  const { is_right } = await limits.tryPassword(trier, async () => ({
    is_right: await auth.checkPassword(email, current_password),
  }));
  if (is_right) return;
  throw new AuthRefusal(
    400,
    'current_password_invalid',
    'This is not your present password. Nothing was changed.',
  );
}
