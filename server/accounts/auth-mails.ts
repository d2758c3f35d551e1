import type { LocalAuth } from '../platform/local-auth.ts';
import { magicLinkMail, recoveryMail } from './mails/sign-in-mails.ts';
import { type MailParts, sendBehind } from './send-behind.ts';

/** Sends what the Auth in our process wants to mail, in our words and with links to our pages. */
export function sendMailsOf(auth: LocalAuth, parts: MailParts & { site_url: string }): void {
  const { site_url } = parts;
  auth.onMail(({ kind, ...mail }) => {
    sendBehind(parts, (kind === 'recovery' ? recoveryMail : magicLinkMail)({ ...mail, site_url }));
  });
}
