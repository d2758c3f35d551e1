let typed = '';

/** The address that was last typed on one of the pages before the sign-in: it goes along to the next one, but not in its address. */
export const typedEmail = () => typed;

export function noteTypedEmail(email: string) {
  typed = email;
}
