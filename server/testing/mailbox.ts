import { vi } from 'vitest';
import type { FakeSmtp } from './fake-smtp.ts';

/** The settings of a server that sends its mails to a mail server of the test's own. */
export function smtpSettings(smtp: FakeSmtp): Record<string, string> {
  return { SMTP_HOST: '127.0.0.1', SMTP_PORT: String(smtp.port), MAIL_FROM: 'coach@example.org' };
}

/** What one address has got, in order. */
export function mailsTo(smtp: FakeSmtp, address: string) {
  return smtp.mails.filter(({ recipients }) => recipients.includes(address)).map(({ parsed }) => parsed);
}

/** Waits until an address has got so many mails; returns the last. */
export function nthMail(smtp: FakeSmtp, address: string, count = 1) {
  return vi.waitFor(() => {
    const mails = mailsTo(smtp, address);
    if (mails.length < count) throw new Error(`${mails.length} of ${count} mails have come`);
    return mails.at(-1)!;
  }, 10_000);
}

/** The link of a mail, and what its fragment carries. */
export function linkOf(mail: { text?: string | undefined }) {
  const link = /https?:\/\/\S+#\S+/.exec(mail.text ?? '')?.[0];
  if (!link) throw new Error('the mail has no link');
  const url = new URL(link);
  return { url, fragment: new URLSearchParams(url.hash.slice(1)) };
}
