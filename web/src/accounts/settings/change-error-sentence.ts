import { authErrorSentence } from '../auth-errors.ts';

type AuthFailure = { code?: string | undefined; status?: number | undefined; message: string };

/** True when Auth did not take the current password. Its codes for that all begin the same. */
export function isWrongPassword({ code }: AuthFailure) {
  return code?.startsWith('current_password_') ?? false;
}

/**
 * The sentence to show when a change of address or password did not go through. `unchanged`: what still holds where
 * Auth refused it; `uncertain`: what is known where its answer did not come through, because the change may have.
 */
export function changeErrorSentence(
  error: AuthFailure,
  { unchanged, uncertain }: { unchanged: string; uncertain: string },
) {
  const { status } = error;
  if (status === undefined || status === 0 || status >= 500) return uncertain;
  return `${unchanged} ${reasonOf(error)}`;
}

function reasonOf(error: AuthFailure) {
  switch (error.code) {
    case 'same_password':
      return 'This is the password you have now. Choose another one.';
    case 'weak_password':
    case 'email_address_invalid':
      return authErrorSentence(error);
    case 'email_unconfirmed':
      return 'Confirm the address that you have first: open the link in the mail that we sent there.';
    case 'reauthentication_needed':
      return 'Your sign-in is too old for this. Sign out, sign in again, then try once more.';
  }
  if (error.status === 429) return 'There were too many tries. Wait a few minutes, then try again.';
  if (error.status === 401) return 'Your sign-in has ended. Sign in again, then try once more.';
  return 'It did not work just now. Wait a moment and try again.';
}
