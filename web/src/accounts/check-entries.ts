/** What is wrong with an address that was typed, as a sentence; null when it may be one. */
export const checkEmail = (email: string) => (/^\S+@\S+$/.test(email) ? null : 'Enter your email address.');

/** What is wrong with a new password, as a sentence. Of longer ones the sign-in would look at the first 72 bytes only. */
export function checkNewPassword(password: string) {
  if (password.length < 8) return 'Choose a password of at least 8 characters.';
  if (new TextEncoder().encode(password).length > 72) return 'Choose a password of at most 72 characters.';
  return null;
}
