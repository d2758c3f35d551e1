/**
 * The sentence to show for an error of the sign-in service: what happened, and what to do. `wait_s`: how long it wants
 * to be left alone, where it said so.
 */
export function authErrorSentence(
  error: { code?: string | undefined; status?: number | undefined; message: string },
  wait_s: number | null = null,
) {
  if (error.status === 429) return `There were too many tries. Wait ${inWords(wait_s)}, then try again.`;
  switch (error.code) {
    case 'invalid_credentials':
      return 'This email and password do not belong together. Check both and try again.';
    case 'signup_refused':
    case 'user_already_exists':
    case 'email_exists':
      return 'An account could not be made with this address. If you already have one, sign in or set a new password.';
    case 'weak_password':
      return 'This password is too easy to guess. Choose a longer one, at least 8 characters.';
    case 'same_password':
      return 'This is the password you have now. Choose another one.';
    case 'email_address_invalid':
    case 'validation_failed':
      return 'This email address does not look right. Check it and try again.';
    case 'email_not_confirmed':
      return 'This email is not confirmed yet. Open the link that was mailed to you, then sign in.';
    case 'signup_disabled':
    case 'email_provider_disabled':
      return 'New accounts are closed here. Ask the people who run this site.';
    case 'user_banned':
      return 'This account is closed. Ask the people who run this site.';
    case 'captcha_failed':
      return 'The check that you are a person did not go through. Do it again, then try once more.';
    case 'otp_expired':
      return expired_link_sentence;
    case 'pkce_code_verifier_not_found':
    case 'bad_code_verifier':
    case 'flow_state_not_found':
    case 'flow_state_expired':
      return 'This works only for a while, and only in the browser in which you asked for it. Open it there, or ask for a new one here.';
  }
  if (error.status === undefined || error.status === 0) {
    return 'Touchline could not be reached. Check your connection and try again.';
  }
  return 'Signing in did not work just now. Nothing was changed. Wait a moment and try again.';
}

export const expired_link_sentence =
  'This link was used before, is too old, or was replaced by a newer one. Nothing was changed.';

/** Whether a link will never work again, so that only a new one helps. */
export function isSpentLink({ code, status }: { code?: string | undefined; status?: number | undefined }) {
  return (
    code === 'otp_expired' ||
    code === 'pkce_code_verifier_not_found' ||
    code === 'bad_code_verifier' ||
    (code?.startsWith('flow_state_') ?? false) ||
    (status === 403 && code === undefined)
  );
}

function inWords(wait_s: number | null) {
  if (wait_s === null) return 'a minute';
  if (wait_s <= 90) return `${wait_s} ${wait_s === 1 ? 'second' : 'seconds'}`;
  if (wait_s <= 90 * 60) return `${Math.ceil(wait_s / 60)} minutes`;
  return `${Math.ceil(wait_s / 3600)} hours`;
}
