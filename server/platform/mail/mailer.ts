import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { isDiskFull } from '../storage.ts';
import type { Mail } from './mail.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import type { RenderedMail } from './render-mail.ts';
import type { SmtpTimeouts, SmtpTransport } from './smtp.ts';
import { describeSmtpFailure, isRecipientRefused } from './smtp-failure.ts';

export type Mailer = {
  /**
   * Hands one mail to the mail server, or lays it into the outbox. Throws `mail_not_sent`; `details.recipient_refused`
   * is true where trying again is of no use. Takes up to a minute: never inside a database transaction.
   */
  send: (mail: Mail) => Promise<void>;
  /** Where mails land without a mail server; undefined where one is set. */
  outbox: Outbox | undefined;
  /** Waits a few seconds for the mails on their way, gives the others up, and takes no more. */
  close: () => Promise<void>;
};

type Options = {
  /** For the whole of a delivery, so that a mail server that dribbles does not hold it for ever. */
  delivery_timeout_ms?: number;
  /** How long `close` waits. */
  patience_ms?: number;
  timeouts?: SmtpTimeouts;
};

type Deliver = (mail: RenderedMail, signal: AbortSignal) => Promise<void>;

/**
 * Sends the product's mails: over SMTP where that is set, else into the outbox, which only a Touchline has that nobody
 * but its own machine can reach. Loads the mail library with the first mail.
 */
export function createMailer(config: Config, logger: Logger, options: Options = {}): Mailer {
  const { delivery_timeout_ms = 60_000, patience_ms = 5_000 } = options;
  const outbox = !config.smtp && config.is_local ? createOutbox(config.data_folder) : undefined;
  const deliver = outbox ? intoOutbox(outbox) : overSmtp(config, options.timeouts);
  const under_way = new Set<Promise<void>>();
  const closing = new AbortController();
  let closed = false;

  async function deliverOrTell(mail: Mail) {
    if (!isMailbox(mail.to)) throw recipientRefused();
    const { renderMail } = await import('./render-mail.ts');
    const rendered = renderMail(mail);
    try {
      await deliver(rendered, AbortSignal.any([closing.signal, AbortSignal.timeout(delivery_timeout_ms)]));
    } catch (error) {
      throw tell(error);
    }
  }

  /** Logs the codes and nothing else of an error, and makes the one that may travel. */
  function tell(error: unknown) {
    const failure = describeSmtpFailure(error);
    logger.warn(failure, 'a mail was not sent');
    if (isRecipientRefused(failure)) return recipientRefused();
    const cause = Object.assign(new Error('the mail was not handed over'), {
      code: failure.code,
      status: failure.status,
    });
    return new AppError(
      'mail_not_sent',
      isDiskFull(cause)
        ? 'The mail could not be written, because the disk is full. Make room and try again.'
        : 'The mail could not be sent. Try again in a few minutes; if it stays, tell whoever runs this site.',
      { cause, details: { recipient_refused: false }, retry_after_ms: 60_000 },
    );
  }

  return {
    outbox,
    async send(mail) {
      if (closed) throw tell({ code: 'EABORT' });
      const delivery = deliverOrTell(mail);
      under_way.add(delivery);
      try {
        await delivery;
      } finally {
        under_way.delete(delivery);
      }
    },
    async close() {
      closed = true;
      const all = Promise.allSettled(under_way);
      const timer = setTimeout(() => closing.abort(), patience_ms);
      await all;
      clearTimeout(timer);
    },
  };
}

function intoOutbox(outbox: Outbox): Deliver {
  return (mail) => outbox.add(mail);
}

function overSmtp({ smtp }: Config, timeouts: SmtpTimeouts | undefined): Deliver {
  let transport: SmtpTransport | undefined;
  return async (mail, signal) => {
    // The start refuses this; a command beside the server may still come here.
    if (!smtp) throw Object.assign(new Error('SMTP_HOST is not set'), { code: 'ENOSMTP' });
    const { createSmtpTransport, sendOverSmtp } = await import('./smtp.ts');
    transport ??= createSmtpTransport(smtp, timeouts);
    await sendOverSmtp(transport, smtp.from, mail, signal);
  };
}

function recipientRefused() {
  return new AppError(
    'mail_not_sent',
    'No mail can be delivered to this address, so none was sent. Check how it is written.',
    { details: { recipient_refused: true } },
  );
}

const local_part = /(?:[^\s\p{Cc}"(),:;<>@[\\\]]+|"(?:[^\p{Cc}"\\<>]|\\[^\p{Cc}<>])*")/u;
const domain = /(?:[\p{L}\p{M}\p{N}._-]+|\[[\da-fA-F.:IPv]+\])/u;
const mailbox = new RegExp(`^${local_part.source}@${domain.source}$`, 'u');

/** Whether an address is one mailbox (RFC 5321, with the letters of RFC 6531): no list, no name, no second line. */
function isMailbox(address: string) {
  return address.length <= 320 && mailbox.test(address);
}
