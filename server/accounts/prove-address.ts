import type { Database } from '../platform/database.ts';
import {
  confirmByMail,
  confirmByProvider,
  deletePassword,
  deleteSessions,
  findUserForUpdate,
} from './sign-in-queries.ts';
import type { SignOuts } from './sign-outs.ts';

type Proof = {
  auth_id: string;
  by: 'mail' | 'provider';
  /** The session that the proof has opened; undefined before there is one. */
  session_id?: string | undefined;
};

/**
 * Notes that somebody has shown, by a mailed link or at a provider, that an account is theirs. Where nobody had shown that
 * before, whoever signed up and made the password may be another: the password goes, and so do all other sessions, before
 * the address counts as confirmed. Returns the address whose password went; undefined where nothing did.
 */
export async function proveAddress(
  { database, sign_outs }: { database: Database; sign_outs: SignOuts },
  { auth_id, by, session_id }: Proof,
): Promise<string | undefined> {
  const removed = await database.transaction().execute(async (transaction) => {
    const user = await findUserForUpdate(transaction, auth_id);
    if (!user || user.profile?.email_confirmed) return undefined;
    if (user.has_password) {
      await deletePassword(transaction, auth_id, user.profile?.id);
      await deleteSessions(transaction, auth_id, session_id);
    }
    await (by === 'mail' ? confirmByMail : confirmByProvider)(transaction, auth_id);
    return user.has_password ? user : undefined;
  });
  if (!removed) return undefined;
  sign_outs.remember(auth_id);
  return removed.email ?? undefined;
}
