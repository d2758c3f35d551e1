import type { EmailOtpType } from '@supabase/auth-js';
import { useState } from 'react';
import { useAuth } from './auth-context.ts';
import { isSpentLink } from './auth-errors.ts';

/**
 * The link that led to this page. `state`: `ready` to be used; `spent`, when it will never work again; `missing`, when the
 * page was opened without one, or loaded again. `reason`: why it is spent, where the sign-in said so.
 */
export function useLink(path: string, type: EmailOtpType) {
  const { auth } = useAuth();
  const arrived = auth.arrived?.path === path ? auth.arrived : null;
  const { token_hash = null, code = null, error = null } = arrived ?? {};
  const [state, setState] = useState<'ready' | 'spent' | 'missing'>(
    error !== null ? 'spent' : token_hash !== null || code !== null ? 'ready' : 'missing',
  );

  const [reason, setReason] = useState<string | null>(null);

  /** Uses the link, which works once: answers with who it signed in, or with the sentence to show. */
  async function open() {
    const { data, error } =
      token_hash !== null
        ? await auth.client.verifyOtp({ token_hash, type })
        : await auth.client.exchangeCodeForSession(code ?? '');
    if (!error) return { user: data.user, session: data.session, problem: null };
    const problem = auth.sentenceFor(error);
    if (isSpentLink(error)) {
      setState('spent');
      setReason(problem);
    }
    return { user: null, session: null, problem };
  }

  return { arrived, state, reason, open };
}
