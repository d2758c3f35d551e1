/** The sentence to show for an error of the sign-in service: what happened, and what to do. */
export function authErrorSentence(error: {
  code?: string | undefined;
  status?: number | undefined;
  message: string;
}) {
  switch (error.code) {
    case 'invalid_credentials':
      return 'This email and password do not belong together. Check both and try again.';
    case 'user_already_exists':
    case 'email_exists':
      return 'There is already an account with this email. Sign in with it instead.';
    case 'weak_password':
      return 'This password is too easy to guess. Choose a longer one, at least 8 characters.';
    case 'email_address_invalid':
    case 'validation_failed':
      return 'This email address does not look right. Check it and try again.';
    case 'email_not_confirmed':
      return 'This email is not confirmed yet. Open the link that was mailed to you, then sign in.';
    case 'over_request_rate_limit':
    case 'over_email_send_rate_limit':
      return 'There were too many tries. Wait a minute, then try again.';
    case 'signup_disabled':
    case 'email_provider_disabled':
      return 'New accounts are closed here. Ask the people who run this site.';
    case 'user_banned':
      return 'This account is closed. Ask the people who run this site.';
  }
  if (error.status === 429) return 'There were too many tries. Wait a minute, then try again.';
  if (error.status === undefined || error.status === 0) {
    return 'Touchline could not be reached. Check your connection and try again.';
  }
  return 'Signing in did not work just now. Nothing was changed. Wait a moment and try again.';
}
