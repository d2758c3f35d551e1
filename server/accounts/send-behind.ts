import type { Logger } from '../platform/logger.ts';
import type { Mail } from '../platform/mail/mail.ts';
import type { Mailer } from '../platform/mail/mailer.ts';

export type MailParts = { mailer: Mailer; logger: Logger };

/**
 * Sends a mail behind an answer: how long that takes, and whether it works, tells nothing there, and what the mail is about
 * stands either way. Never throws; the log gets the code of a failure. `undo` is done where it was not sent.
 */
export function sendBehind({ mailer, logger }: MailParts, mail: Mail, undo?: () => Promise<void>): void {
  mailer
    .send(mail)
    .catch((error) => {
      // The mailer has logged why; this says that it was one that nobody sends again.
      logger.warn({ error }, 'a mail behind an answer was not sent');
      return undo?.();
    })
    .catch((error) => logger.warn({ error }, 'a mail that was not sent could not be noted as such'));
}
