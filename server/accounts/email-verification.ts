import type { SignedIn } from '../platform/auth.ts';
import type { Config } from '../platform/config.ts';
import type { Database } from '../platform/database.ts';
import { AppError } from '../platform/errors.ts';
import type { RateLimit, RateLimits } from '../platform/rate-limit.ts';
import {
  claimFirstVerification,
  confirmEmailByToken,
  releaseFirstVerification,
  replaceVerification,
} from './email-queries.ts';
import { createMailToken, hashMailToken } from './mail-token.ts';
import { emailVerificationMail } from './mails/email-mails.ts';
import { proveByToken } from './prove-by-token.ts';
import type { Profile } from './queries.ts';
import { sendBehind } from './send-behind.ts';
import type { ProofParts } from './settle-proof.ts';

/** How many messages a member has before the address is confirmed. */
export const unconfirmed_messages = 3;

export type EmailVerificationParts = ProofParts & { config: Config; rate_limits: RateLimits };

/** Counted by account, and for the first mail too. */
const pause: RateLimit = { name: 'verification_mail', points: 1, per_ms: 60_000 };
const daily: RateLimit = { name: 'verification_mail_daily', points: 5, per_ms: 24 * 60 * 60_000 };
/** Of all accounts with addresses that end in one mailbox, which may be a stranger's. */
const of_mailbox: RateLimit = { name: 'verification_mail_mailbox', points: 10, per_ms: 24 * 60 * 60_000 };

/** Without what follows a plus, which most providers deliver to the same mailbox. */
const mailboxOf = (email: string) => email.replace(/\+[^@]*@/, '@');

/**
 * Returns whether a member's address is confirmed, and settles it where the sign-in has proven it. Else mails the first link,
 * behind the answer and once for an address. `authorization`: the header that `person` was verified by.
 */
export async function settleEmailVerification(
  parts: EmailVerificationParts,
  person: SignedIn,
  profile: Profile,
  authorization: string,
): Promise<boolean> {
  const { config } = parts;
  const { id: user_id, email } = profile;
  if (profile.email_confirmed || email === null) return profile.email_confirmed;
  // Where Auth runs in our process its gate settles this when somebody signs in.
  if (config.supabase && (await proveByToken(parts, person, user_id, authorization))) return true;
  if (profile.email_verification_sent_at === null) await sendFirstMail(parts, user_id, email);
  return false;
}

async function sendFirstMail(parts: EmailVerificationParts, user_id: string, email: string) {
  const { database, site_url, rate_limits } = parts;
  // While mails cannot be sent each look at the profile would try again.
  const may = await rate_limits
    .consume(pause, user_id)
    .then(() => rate_limits.consume(of_mailbox, mailboxOf(email)))
    .then(
      () => true,
      () => false,
    );
  if (!may) return;
  const token = createMailToken();
  const mail = { user_id, email, token_hash: hashMailToken(token) };
  if (!(await claimFirstVerification(database, mail))) return;
  sendBehind(parts, emailVerificationMail({ to: email, site_url, token }), () =>
    releaseFirstVerification(database, mail),
  );
}

/**
 * Mails a new link; the one before dies with it. Throws `already_confirmed`, `too_many_requests`, and `mail_not_sent`: the
 * earlier link still works then.
 */
export async function resendVerification(parts: EmailVerificationParts, profile: Profile): Promise<void> {
  const { database, mailer, site_url, rate_limits } = parts;
  const { id: user_id, email } = profile;
  if (profile.email_confirmed) {
    throw new AppError('already_confirmed', 'Your address is confirmed already. No mail was sent.');
  }
  if (email === null) {
    throw new AppError('invalid_request', 'This account has no address to confirm. No mail was sent.');
  }
  await rate_limits.consume(pause, user_id);
  await rate_limits.consume(daily, user_id);
  await rate_limits.consume(of_mailbox, mailboxOf(email));
  const token = createMailToken();
  try {
    await mailer.send(emailVerificationMail({ to: email, site_url, token }));
  } catch (error) {
    await rate_limits.giveBack(daily, user_id);
    throw error;
  }
  await replaceVerification(database, { user_id, email, token_hash: hashMailToken(token) });
}

/** Confirms an address by the token of the last mail to it, once. Throws `link_expired`. */
export async function confirmEmail(
  database: Database,
  token: string,
): Promise<'confirmed' | 'already_confirmed'> {
  const status = await confirmEmailByToken(database, hashMailToken(token));
  if (!status) {
    throw new AppError(
      'link_expired',
      'This link does not work any more: it is older than 24 hours, a newer mail has replaced it, or the account is closed. Nothing was changed; sign in and have a new one sent.',
    );
  }
  return status;
}
