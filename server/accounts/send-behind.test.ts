import { expect, test, vi } from 'vitest';
import { createLogger } from '../platform/logger.ts';
import type { Mail } from '../platform/mail/mail.ts';
import { sendBehind } from './send-behind.ts';

const mail: Mail = { to: 'lena@example.org', subject: 'Hello', paragraphs: ['Hello.'] };

/** A mailer whose deliveries all fail, and what is logged of that. */
function startFailing() {
  const logger = createLogger('silent');
  const warn = vi.spyOn(logger, 'warn');
  const failure = Object.assign(new Error(`550 <${mail.to}> unknown`), { code: 'mail_not_sent' });
  const mailer = { outbox: undefined, close: async () => {}, send: async () => Promise.reject(failure) };
  return { parts: { mailer, logger }, warn, failure };
}

test('a mail that is not sent fails nothing, is undone, and is logged as an error, which the log keeps words out of', async () => {
  const { parts, warn, failure } = startFailing();
  const undone = new Promise<void>((resolve) => {
    sendBehind(parts, mail, async () => resolve());
  });
  await undone;
  expect(warn.mock.calls).toEqual([[{ error: failure }, 'a mail behind an answer was not sent']]);
});

test('where it cannot be undone either, that is logged, too', async () => {
  const { parts, warn } = startFailing();
  const away = new Error('the database is away');
  sendBehind(parts, mail, () => Promise.reject(away));
  await vi.waitFor(() => expect(warn).toHaveBeenCalledTimes(2), { timeout: 20_000 });
  expect(warn.mock.calls[1]![0]).toEqual({ error: away });
});
