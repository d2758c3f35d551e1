import { createContext, use } from 'react';
import type { Auth } from './auth.ts';

type SignIn = {
  auth: Auth;
  /**
   * Signs out and forgets what this browser kept of the member; leads to the sign-in, or `to` another path.
   * `everywhere`: on every device; throws `AuthError` when that did not work, and nothing was done then.
   */
  signOut: (options?: { everywhere?: boolean; to?: string }) => Promise<void>;
};

export const AuthContext = createContext<SignIn | null>(null);

/** The sign-in and the way out. */
export function useAuth() {
  const sign_in = use(AuthContext);
  if (sign_in === null) throw new Error('useAuth was called outside AuthContext');
  return sign_in;
}
