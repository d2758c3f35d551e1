import type { Database } from '../platform/database.ts';
import { passwordRemovedMail } from './mails/sign-in-mails.ts';
import { type MailParts, sendBehind } from './send-behind.ts';
import { deletePassword, deleteSessions, findUserForUpdate } from './sign-in-queries.ts';
import type { SignOuts } from './sign-outs.ts';

export type ProofParts = MailParts & {
  database: Database;
  site_url: string;
  sign_outs: Pick<SignOuts, 'remember'>;
};

type Proven = {
  auth_id: string;
  /** The session that the proof has opened; undefined before there is one. */
  session_id: string | undefined;
  /** Whether the password may be the owner's already. */
  keeps_password?: boolean;
};

type User = Awaited<ReturnType<typeof findUserForUpdate>>;

/**
 * For whoever has shown that an account is theirs, which nobody had shown before: whoever signed up and made the password may
 * be another. So the password goes, and all other sessions, in one transaction with what `confirm` writes; a mail tells of
 * it. `confirm` returns whether there was something to confirm; where not, nothing changes. Returns the same.
 */
export async function settleProof(
  parts: ProofParts,
  { auth_id, session_id, keeps_password = false }: Proven,
  confirm: (transaction: Database, user: User) => Promise<boolean>,
): Promise<boolean> {
  const { database, site_url, sign_outs } = parts;
  const settled = await database.transaction().execute(async (transaction) => {
    const user = await findUserForUpdate(transaction, auth_id);
    if (!(await confirm(transaction, user))) return undefined;
    if (!user?.has_password) return { has_ended_sessions: false };
    if (!keeps_password) await deletePassword(transaction, auth_id, user.profile?.id);
    await deleteSessions(transaction, auth_id, session_id);
    return { has_ended_sessions: true, removed_from: keeps_password ? null : user.email };
  });
  if (!settled) return false;
  if (settled.has_ended_sessions) sign_outs.remember(auth_id);
  if (settled.removed_from) sendBehind(parts, passwordRemovedMail({ to: settled.removed_from, site_url }));
  return true;
}
