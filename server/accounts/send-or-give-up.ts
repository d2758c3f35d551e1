import { AppError } from '../platform/errors.ts';
import type { Mail } from '../platform/mail/mail.ts';
import type { Mailer } from '../platform/mail/mailer.ts';

/** Sends a mail. Resolves too where its address takes none, ever; throws `mail_not_sent` when it is to be tried again. */
export async function sendOrGiveUp(mailer: Mailer, mail: Mail): Promise<void> {
  try {
    await mailer.send(mail);
  } catch (error) {
    if (!(error instanceof AppError && error.details?.recipient_refused)) throw error;
  }
}
