import { type ProofParts, settleProof } from './settle-proof.ts';
import { confirmByMail, confirmByProvider } from './sign-in-queries.ts';

type Proof = {
  auth_id: string;
  by: 'mail' | 'provider';
  /** The session that the proof has opened; undefined before there is one. */
  session_id?: string | undefined;
};

/**
 * Notes that somebody has shown, by a mailed link or at a provider, that an account is theirs; what that does to whoever
 * signed up before: `settleProof`.
 */
export async function proveAddress(parts: ProofParts, { auth_id, by, session_id }: Proof): Promise<void> {
  await settleProof(parts, { auth_id, session_id }, async (transaction, user) => {
    if (!user || user.profile?.email_confirmed) return false;
    await (by === 'mail' ? confirmByMail : confirmByProvider)(transaction, auth_id);
    return true;
  });
}
