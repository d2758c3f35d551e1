import { type Config, isLoopback, listensEverywhere, type SmtpConfig } from '../platform/config.ts';
import { createSmtpTransport, type SmtpTimeouts } from '../platform/mail/smtp.ts';
import { describeSmtpFailure, type SmtpFailure } from '../platform/mail/smtp-failure.ts';
import { type Finding, findingsAbout } from './finding.ts';

const { good, note, wrong } = findingsAbout('mail');

const usual_timeouts: SmtpTimeouts = { connect_ms: 5_000, greeting_ms: 5_000, silence_ms: 5_000 };

/** Whether mails can be sent: connects, encrypts and signs in as a mail would, and sends none. */
export async function checkMail(config: Config, timeouts = usual_timeouts): Promise<Finding[]> {
  const { smtp, is_local } = config;
  if (!smtp) {
    return [
      is_local
        ? note(
            'SMTP_HOST is not set: mails land on the page /outbox of this machine. To send them, set SMTP_HOST and MAIL_FROM.',
          )
        : wrong(
            'Others can reach this server and SMTP_HOST is not set, so it does not start: set SMTP_HOST and MAIL_FROM.',
          ),
    ];
  }
  const transport = createSmtpTransport(smtp, timeouts);
  const failure = await transport.verify().then(
    () => undefined,
    (error) => describeSmtpFailure(error),
  );
  transport.close();
  if (failure && failure.code !== 'ENOAUTH') return [wrong(explain(failure, smtp))];
  const answers = [
    smtp.user === undefined
      ? good('The mail server answers.')
      : good('The mail server answers, and takes SMTP_USER with SMTP_PASSWORD.'),
  ];
  if (failure) {
    answers.push(
      note(
        'It offers a sign-in and SMTP_USER is not set: unless it takes mails from this machine without, set SMTP_USER and SMTP_PASSWORD.',
      ),
    );
  }
  if (smtp.tls === 'off' && smtp.port !== 465 && !isLoopback(smtp.host)) {
    answers.push(
      note('SMTP_TLS is off: mails, and the password, can be read on their way. Take it away where you can.'),
    );
  }
  if (!config.public_url) {
    const tell = listensEverywhere(config) ? wrong : note;
    answers.push(
      tell(
        'PUBLIC_URL is not set, so links in mails lead to where the server listens: set it to the address that people use.',
      ),
    );
  }
  return answers;
}

/** One sentence on what to do, of our own words, numbers and codes. */
function explain({ code, status, command }: SmtpFailure, { port }: SmtpConfig): string {
  const answer = status ?? code;
  if (code === 'EDNS' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return 'The name in SMTP_HOST is not known: correct it, or see whether this machine has a name server.';
  }
  if (code === 'ECONNREFUSED') {
    return `Nothing listens at SMTP_HOST on port ${port}: correct SMTP_HOST or SMTP_PORT (usual are 587 and 465).`;
  }
  if (code === 'ETIMEDOUT' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH') {
    return `SMTP_HOST does not answer on port ${port} (${code}): correct SMTP_HOST or SMTP_PORT (a port that speaks TLS at once has to be 465), and see whether a firewall lets mail out.`;
  }
  if (code === 'EAUTH' && status !== undefined && status >= 500 && status <= 504) {
    return `The mail server does not offer the sign-in that SMTP_USER asks for (${status}): take SMTP_USER away, or use the port for sending (587 or 465).`;
  }
  if (code === 'EAUTH') {
    return `The mail server refuses SMTP_USER with SMTP_PASSWORD (${answer}): correct them; some providers want a password made for programs.`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH') {
    return 'The certificate of the mail server is for another name: set SMTP_HOST to the name that its provider tells.';
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return `The certificate of the mail server is not good today (${code}): let its owner renew it, and see whether this machine's clock is right.`;
  }
  if (/CERT|SIGNATURE|ISSUER/.test(code)) {
    return `Nobody whom this machine knows vouches for the certificate of the mail server (${code}): start with NODE_EXTRA_CA_CERTS set to the file of its authority.`;
  }
  if (command === 'STARTTLS') {
    return `The mail server does not offer STARTTLS on port ${port} (${answer}): use its port that does (587 or 465). SMTP_TLS=off sends in the clear.`;
  }
  if (/SSL|EPROTO$|ETLS/.test(code)) {
    return `The mail server does not speak TLS as it should on port ${port} (${code}): 465 is for TLS at once, 587 for STARTTLS.`;
  }
  return `What answers at SMTP_HOST on port ${port} does not take mail (${answer}): correct SMTP_HOST or SMTP_PORT.`;
}
