import { decodeJwt } from 'jose';
import { readSessionId, type SignedIn } from '../platform/auth.ts';
import { confirmProvenEmail } from './email-queries.ts';
import { type ProofParts, settleProof } from './settle-proof.ts';

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
  const { auth_id, amr = [] } = person;
  const by_mailbox = amr.some((method) => mailbox_methods.has(method));
  const by_provider = amr.includes('oauth');
  if (!by_mailbox && !by_provider) return false;
  const session_id = readSessionId(decodeJwt(authorization.replace(/^Bearer /i, '')));
  const proven_email = by_mailbox ? (person.email?.toLowerCase() ?? null) : null;
  try {
    const proven = { auth_id, session_id, keeps_password: amr.includes('recovery') };
    return await settleProof(parts, proven, (transaction) =>
      confirmProvenEmail(transaction, user_id, { proven_email, by_provider }),
    );
  } catch (error) {
    // The project lets this account not write to Auth: the address waits for our own mail then.
    if ((error as { code?: string }).code !== '42501') throw error;
    parts.logger.warn({ error }, 'the database account may not change users and sessions of Auth');
    return false;
  }
}
