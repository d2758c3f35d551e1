import { authErrorSentence } from '../auth-errors.ts';

type AuthFailure = { code?: string | undefined; status?: number | undefined; message: string };

/** True when Auth did not take the current password. */
export function isWrongPassword({ code, message }: AuthFailure) {
  return (
    code === 'current_password_mismatch' ||
    code === 'current_password_required' ||
    code === 'current_password_invalid' ||
    code === 'invalid_credentials' ||
    (code === 'validation_failed' && /current.password/i.test(message))
  );
}

/** The sentence to show when a change of address or password was refused. `unchanged`: what still holds. */
export function changeErrorSentence(error: AuthFailure, unchanged: string) {
  return [unchanged, reasonOf(error)].filter(Boolean).join(' ');
}

function reasonOf(error: AuthFailure) {
  if (error.code === 'same_password') return 'This is the password you have now. Choose another one.';
  if (error.code === 'reauthentication_needed' || error.code === 'session_expired') {
    return 'Your sign-in is too old for this. Sign out, sign in again, then try again.';
  }
  if (error.status === 503) return 'The mails could not be sent just now. Wait a moment and try again.';
  if (error.status === 0 || error.status === undefined || knownCodes.has(error.code ?? '')) {
    return authErrorSentence(error);
  }
  if (error.status === 429) return authErrorSentence(error);
  return 'It did not work just now. Wait a moment and try again.';
}

/** What the sign-in's own sentences fit here too. */
const knownCodes = new Set(['weak_password', 'email_address_invalid', 'validation_failed']);
