import type { LocalAuth } from '../platform/local-auth.ts';
import type { Logger } from '../platform/logger.ts';
import type { Mail } from '../platform/mail/mail.ts';
import type { Mailer } from '../platform/mail/mailer.ts';
import { magicLinkMail, recoveryMail } from './mails/sign-in-mails.ts';

/** Sends a mail behind the answer: how long that takes, and whether it works, must not tell anything. Never throws. */
export type SendBehind = (mail: Mail) => void;

export function createSendBehind(mailer: Mailer, logger: Logger): SendBehind {
  return (mail) => {
    mailer.send(mail).catch((error) => {
      // The mailer has logged why; this says that it was one that somebody waits for.
      logger.warn({ code: error.code }, 'a mail about signing in was not sent');
    });
  };
}

/** Sends what the Auth in our process wants to mail, in our words and with links to our pages. */
export function sendMailsOf(auth: LocalAuth, send: SendBehind, site_url: string): void {
  auth.onMail(({ kind, ...mail }) => {
    send((kind === 'recovery' ? recoveryMail : magicLinkMail)({ ...mail, site_url }));
  });
}
