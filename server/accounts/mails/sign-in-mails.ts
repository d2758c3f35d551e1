import type { Mail } from '../../platform/mail/mail.ts';

/** `site_url`: where the site is, without a slash at the end. */
type Parts = { to: string; site_url: string };

/** To somebody who has forgotten the password. `token_hash`: the secret of the link. */
export function recoveryMail({ to, site_url, token_hash }: Parts & { token_hash: string }): Mail {
  const site = new URL(site_url).host;
  return {
    to,
    subject: `Set a new password for ${site}`,
    paragraphs: [
      `Somebody asked to set a new password for your account ${to} at ${site}.`,
      'If that was you, set it here. The link works once, for an hour; a newer mail to sign in replaces it.',
    ],
    action: {
      label: 'Set a new password',
      url: `${site_url}/reset-password#token_hash=${token_hash}&type=recovery`,
    },
    footnote: 'If you did not ask for it, do nothing: your password stays as it is.',
  };
}

/** To somebody who wants to sign in without a password. */
export function magicLinkMail({ to, site_url, token_hash }: Parts & { token_hash: string }): Mail {
  const site = new URL(site_url).host;
  return {
    to,
    subject: `Your link to sign in to ${site}`,
    paragraphs: [
      `With this link you sign in to ${site} as ${to}, without a password.`,
      'It works once, for an hour; a newer mail to sign in replaces it. Do not pass it on: whoever opens it is signed in to your account.',
    ],
    action: { label: 'Sign in', url: `${site_url}/magic-link#token_hash=${token_hash}&type=magiclink` },
    footnote: 'If you did not ask for it, do nothing: nobody is signed in without it.',
  };
}

/** To the owner of an address with which somebody tried to sign up anew. */
export function alreadySignedUpMail({ to, site_url }: Parts): Mail {
  const site = new URL(site_url).host;
  return {
    to,
    subject: `You have an account at ${site} already`,
    paragraphs: [
      `Somebody tried to sign up at ${site} with your address ${to}. It has an account already, so nothing was made or changed.`,
      'If that was you, sign in. If you do not know your password any more, set a new one from there.',
    ],
    action: { label: 'Sign in', url: `${site_url}/sign-in` },
    footnote: 'If it was not you, do nothing: whoever it was learned nothing of your account.',
  };
}

/** To somebody whose password was changed, or set. `others_are_out`: whether the sessions of other devices could be ended. */
export function passwordChangedMail({
  to,
  site_url,
  others_are_out,
}: Parts & { others_are_out: boolean }): Mail {
  const site = new URL(site_url).host;
  return {
    to,
    subject: `Your password at ${site} was changed`,
    paragraphs: [
      others_are_out
        ? `The password of your account ${to} at ${site} was changed just now, and every other device was signed out.`
        : `The password of your account ${to} at ${site} was changed just now. Other devices may still be signed in: sign out everywhere in your settings.`,
      'If that was you, there is nothing to do.',
    ],
    action: { label: 'It was not me: set a new password', url: `${site_url}/forgot-password` },
    footnote: 'A new password, set by a link to this mailbox, locks out whoever changed it.',
  };
}

/** To somebody who has just shown that an address is theirs, where the password was made before anybody had. */
export function passwordRemovedMail({ to, site_url }: Parts): Mail {
  const site = new URL(site_url).host;
  return {
    to,
    subject: `Your account at ${site} has no password now`,
    paragraphs: [
      `You have signed in to ${site} in a way that shows that ${to} is yours. Nobody had shown that before, so the password that was set when the account was made does not count any more, and every other device was signed out.`,
      'You can sign in as you just did. If you want a password, set a new one.',
    ],
    action: { label: 'Set a password', url: `${site_url}/forgot-password` },
    footnote: 'This keeps out whoever might have signed up with your address before you did.',
  };
}
