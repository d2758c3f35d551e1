import type { Mail } from '../../platform/mail/mail.ts';

/** `site_url`: where the site is, without a slash at the end. */
type Parts = { to: string; site_url: string };

/** To a member whose address is not confirmed. `token`: the secret of the link. */
export function emailVerificationMail({ to, site_url, token }: Parts & { token: string }): Mail {
  const site = new URL(site_url).host;
  return {
    to,
    subject: `Confirm your address for ${site}`,
    paragraphs: [
      `An account at ${site} has the address ${to}. If the account is yours, confirm that this mailbox is, too.`,
      'The link works once, for 24 hours. A newer mail of this kind replaces it.',
    ],
    action: { label: 'Confirm the address', url: `${site_url}/verify-email#token=${token}` },
    footnote:
      'If you have no account there, do not open the link: without it the account can be tried out and no more.',
  };
}

/** To the present address of an account that wants another one. */
export function emailChangeCurrentMail({
  to,
  site_url,
  token,
  new_email,
}: Parts & { token: string; new_email: string }): Mail {
  const site = new URL(site_url).host;
  return {
    to,
    subject: `Confirm the new address of your account at ${site}`,
    paragraphs: [
      `Your account at ${site} is to have the address ${new_email} in place of ${to}.`,
      'If you asked for this, confirm it here and with the link that was mailed to the new address, in either order. Until both are confirmed nothing changes.',
      'The links work for 24 hours.',
    ],
    action: { label: 'Confirm the change', url: confirmUrl(site_url, token) },
    footnote: `If you did not ask for this, do not open the link: your address stays as it is. Somebody may be signed in to your account, so change your password, which signs everybody else out, at ${site_url}/settings/sign-in.`,
  };
}

/** To the address that an account is to have. It does not tell whose account that is: the address may be a stranger's. */
export function emailChangeNewMail({ to, site_url, token }: Parts & { token: string }): Mail {
  const site = new URL(site_url).host;
  return {
    to,
    subject: `Confirm this address for your account at ${site}`,
    paragraphs: [
      `Somebody with an account at ${site} wants to use ${to} as its address.`,
      'If that was you, confirm it here and with the link that was mailed to the present address, in either order. Until both are confirmed nothing changes.',
      'The links work for 24 hours.',
    ],
    action: { label: 'Confirm this address', url: confirmUrl(site_url, token) },
    footnote: 'If you did not ask for this, do nothing: nobody can use your address without this link.',
  };
}

/** To an address that another account wants though it has one of its own. */
export function emailTakenMail({ to, site_url }: Parts): Mail {
  const site = new URL(site_url).host;
  return {
    to,
    subject: `This address has an account at ${site} already`,
    paragraphs: [
      `Somebody with another account at ${site} asked to use ${to} as its address.`,
      'It has an account already, so this cannot be done. Nothing was changed, and whoever asked was not told.',
      'If that was you, sign in to the account of this address. To use the address for the other one, delete this account first.',
    ],
    action: { label: 'Sign in', url: `${site_url}/sign-in` },
    footnote: 'If you did not ask for this, do nothing: your account is as it was.',
  };
}

/** In the fragment, which a browser sends to no server. */
function confirmUrl(site_url: string, token: string) {
  return `${site_url}/confirm-email#token_hash=${token}&type=email_change`;
}
