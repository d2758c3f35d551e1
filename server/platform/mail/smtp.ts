import { randomUUID } from 'node:crypto';
import { createTransport } from 'nodemailer';
import { isLoopback, type SmtpConfig } from '../config.ts';
import type { RenderedMail } from './render-mail.ts';

/** How long each step of a delivery may take. */
export type SmtpTimeouts = { connect_ms: number; greeting_ms: number; silence_ms: number };

const usual_timeouts: SmtpTimeouts = { connect_ms: 10_000, greeting_ms: 10_000, silence_ms: 30_000 };

/** Port 465 speaks TLS from the first byte, as RFC 8314 has it. */
const implicit_tls_port = 465;

/**
 * The way to the mail server; a connection for each mail. This file loads nodemailer: import it only when a mail is to
 * be sent.
 */
export function createSmtpTransport(smtp: SmtpConfig, timeouts = usual_timeouts) {
  const secure = smtp.port === implicit_tls_port;
  // What stays on this machine needs no encryption, and its certificate is rarely one that anybody signed.
  const isPlain = smtp.tls === 'off' || isLoopback(smtp.host);
  return createTransport({
    host: smtp.host,
    port: smtp.port,
    secure,
    ...(secure ? {} : isPlain ? { ignoreTLS: true } : { requireTLS: true }),
    ...(smtp.user === undefined ? {} : { auth: { user: smtp.user, pass: smtp.password ?? '' } }),
    // A server that does not offer the sign-in is not to be used without it.
    forceAuth: true,
    connectionTimeout: timeouts.connect_ms,
    dnsTimeout: timeouts.connect_ms,
    greetingTimeout: timeouts.greeting_ms,
    socketTimeout: timeouts.silence_ms,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

export type SmtpTransport = ReturnType<typeof createSmtpTransport>;

/** Hands one mail over. Throws nodemailer's error, which can quote addresses: see `describeSmtpFailure`. */
export async function sendOverSmtp(
  transport: SmtpTransport,
  from: SmtpConfig['from'],
  { to, subject, text, html }: RenderedMail,
  signal: AbortSignal,
) {
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1);
  await transport.sendMail({
    from,
    // As an object it is one mailbox whatever it holds; as a string it would be read as a list.
    to: { name: '', address: to },
    subject,
    text,
    html,
    messageId: `<${randomUUID()}@${domain}>`,
    date: new Date(),
    headers: { 'Auto-Submitted': 'auto-generated' },
    signal,
  });
}
