import { decodeJwt } from 'jose';
import { readSessionId, type SignedIn } from '../platform/auth.ts';
import type { Database } from '../platform/database.ts';
import type { Logger } from '../platform/logger.ts';
import type { Mailer } from '../platform/mail/mailer.ts';
import { confirmProvenEmail } from './email-queries.ts';
import { passwordRemovedMail } from './mails/sign-in-mails.ts';
import { deletePassword, deleteSessions, findUserForUpdate } from './sign-in-queries.ts';
import type { SignOuts } from './sign-outs.ts';

export type ProofParts = {
  database: Database;
  mailer: Mailer;
  site_url: string;
  logger: Logger;
  sign_outs: Pick<SignOuts, 'remember'>;
};

/** How Supabase calls a sign-in that went through the member's mailbox. */
const mailbox_methods = new Set(['otp', 'magiclink', 'recovery']);

/**
 * On Supabase: takes an address for confirmed where the session of a request was opened by a mailed link, or at a provider
 * that has verified it, and returns whether it did. What `proveAddress` does in the gate of our own Auth: nobody had shown
 * before whose the address is, so the password of whoever signed up goes, and so do all other sessions. Not the password of
 * a session that a recovery mail opened, which may be the new one already. A session that was opened by password proves
 * nothing, whatever others have proven.
 *
 * `authorization`: the header that `person` was verified by.
 */
export async function proveByToken(
  parts: ProofParts,
  person: SignedIn,
  user_id: string,
  authorization: string,
): Promise<boolean> {
  const { database, mailer, site_url, logger, sign_outs } = parts;
  const { auth_id, amr = [] } = person;
  const by_mailbox = amr.some((method) => mailbox_methods.has(method));
  const by_provider = amr.includes('oauth');
  if (!by_mailbox && !by_provider) return false;
  const session_id = readSessionId(decodeJwt(authorization.replace(/^Bearer /i, '')));
  const proven_email = by_mailbox ? (person.email?.toLowerCase() ?? null) : null;
  try {
    const proof = await database.transaction().execute(async (transaction) => {
      const user = await findUserForUpdate(transaction, auth_id);
      if (!(await confirmProvenEmail(transaction, user_id, { proven_email, by_provider }))) return undefined;
      if (!user?.has_password) return { removed_from: null };
      const keeps_password = amr.includes('recovery');
      if (!keeps_password) await deletePassword(transaction, auth_id, user_id);
      await deleteSessions(transaction, auth_id, session_id);
      return { removed_from: keeps_password ? null : user.email, has_ended_sessions: true };
    });
    if (!proof) return false;
    if (proof.has_ended_sessions) sign_outs.remember(auth_id);
    if (proof.removed_from) {
      mailer.send(passwordRemovedMail({ to: proof.removed_from, site_url })).catch(() => {});
    }
    return true;
  } catch (error) {
    // The project lets this account not write to Auth: the address waits for our own mail then.
    if ((error as { code?: string }).code !== '42501') throw error;
    logger.warn({ error }, 'the database account may not change users and sessions of Auth');
    return false;
  }
}
