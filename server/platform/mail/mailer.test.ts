import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type FakeSmtp, type SmtpStep, startBrokenSmtp, startFakeSmtp } from '../../testing/fake-smtp.ts';
import { makeSelfSignedCertificate } from '../../testing/self-signed-certificate.ts';
import { readConfig } from '../config.ts';
import { findFreePort } from '../free-port.ts';
import { createLogger } from '../logger.ts';
import type { Mail } from './mail.ts';
import { createMailer } from './mailer.ts';
import { createSmtpTransport, sendOverSmtp } from './smtp.ts';
import type { SmtpFailure } from './smtp-failure.ts';

const mail: Mail = {
  to: 'quarry-member@example.org',
  subject: 'Your new password · Grüße',
  paragraphs: ['Hello velvet-harbour.', '.', 'Zwölf Öfen 🥖'],
  action: { label: 'Choose it', url: 'https://coach.example.org/reset?token=lantern' },
};

/** This machine by an address that is no loopback name, so that it counts as another one. */
const elsewhere = '0.0.0.0';
const account = { user: 'amber-account', password: 'pw-copper-meadow' };
const certificate = makeSelfSignedCertificate([elsewhere]);

const logger = createLogger('silent');
const warn = vi.spyOn(logger, 'warn');
const closing: (() => Promise<unknown>)[] = [];
const authorities = tls.getCACertificates('default');

let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'touchline-mail-'));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));
beforeEach(() => warn.mockClear());
afterEach(async () => {
  tls.setDefaultCACertificates(authorities);
  for (const close of closing.splice(0)) await close();
});

function openMailer(
  settings: Record<string, string | number>,
  options: Parameters<typeof createMailer>[2] = {},
) {
  const config = readConfig({
    SMTP_HOST: '127.0.0.1',
    MAIL_FROM: 'Touchline <hello@coach.example.org>',
    DATA_DIR: join(base, 'data'),
    ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)])),
  });
  const mailer = createMailer(config, logger, options);
  closing.push(() => mailer.close());
  return mailer;
}

async function openSmtp(...options: Parameters<typeof startFakeSmtp>): Promise<FakeSmtp> {
  const smtp = await startFakeSmtp(...options);
  closing.push(smtp.close);
  return smtp;
}

async function openBroken(answer: (line: string | undefined) => SmtpStep) {
  const smtp = await startBrokenSmtp(answer);
  closing.push(smtp.close);
  return smtp;
}

/** The error of a mail that was not sent. Neither it nor the log holds an address, a word of the mail or a password. */
async function refusal(sending: Promise<void>) {
  const error = await sending.then(
    () => expect.fail('it was sent'),
    (thrown) => thrown,
  );
  expect(error).toMatchObject({ name: 'AppError', code: 'mail_not_sent', status: 503 });
  for (const told of [inspect(error, { depth: 20, showHidden: true }), JSON.stringify(warn.mock.calls)]) {
    expect(told).not.toMatch(/quarry|harbour|lantern|amber|copper|hello@/);
  }
  return error;
}

/** What a server without any extension answers. */
const polite = (line: string | undefined): SmtpStep =>
  line === undefined ? '220 ready' : line.startsWith('DATA') ? '354 go on' : '250 ok';

const logged = () => warn.mock.calls.map(([codes]) => codes as SmtpFailure);

describe('over SMTP', () => {
  test('a mail arrives whole, in both parts, with the headers of a mail that a machine wrote', async () => {
    const smtp = await openSmtp();
    await openMailer({ SMTP_PORT: smtp.port }).send(mail);
    expect(smtp.mails).toHaveLength(1);
    const { from, recipients, raw, parsed } = smtp.mails[0]!;
    expect({ from, recipients }).toEqual({ from: 'hello@coach.example.org', recipients: [mail.to] });
    expect(parsed.from?.value).toEqual([{ name: 'Touchline', address: 'hello@coach.example.org' }]);
    expect(parsed.to).toMatchObject({ value: [{ name: '', address: mail.to }] });
    expect(parsed.subject).toBe(mail.subject);
    expect(parsed.text).toBe(
      `${mail.paragraphs.join('\n\n')}\n\nChoose it:\nhttps://coach.example.org/reset?token=lantern\n`,
    );
    expect(parsed.html).toContain('href="https://coach.example.org/reset?token=lantern"');
    expect(parsed.headers.get('auto-submitted')).toBe('auto-generated');
    expect(parsed.messageId).toMatch(/^<[\da-f-]{36}@coach\.example\.org>$/);
    expect(Math.abs(Date.now() - parsed.date!.getTime())).toBeLessThan(60_000);
    expect(raw).not.toMatch(/nodemailer/i);
    expect(parsed.attachments).toEqual([]);
  });

  test('each mail has an id of its own', async () => {
    const smtp = await openSmtp();
    const mailer = openMailer({ SMTP_PORT: smtp.port });
    await Promise.all([1, 2, 3].map(() => mailer.send(mail)));
    expect(new Set(smtp.mails.map(({ parsed }) => parsed.messageId)).size).toBe(3);
  });

  test('it signs in, over TLS, at a server that somebody vouches for', async () => {
    const smtp = await openSmtp({ certificate, account });
    tls.setDefaultCACertificates([certificate.cert]);
    await openMailer({
      ...{ SMTP_HOST: elsewhere, SMTP_PORT: smtp.port },
      ...{ SMTP_USER: account.user, SMTP_PASSWORD: account.password },
    }).send(mail);
    expect(smtp.mails).toMatchObject([{ user: account.user, secure: true }]);
  });

  test('port 465 is TLS from the first byte, also where TLS is said to be off', () => {
    for (const SMTP_TLS of ['required', 'off']) {
      const { smtp } = readConfig({
        ...{ SMTP_HOST: 'smtp.example.org', SMTP_PORT: '465', SMTP_TLS, MAIL_FROM: 'a@example.org' },
      });
      expect(createSmtpTransport(smtp!).options).toMatchObject({ secure: true, port: 465 });
    }
  });

  test.each<[Record<string, string>, string]>([
    [{ SMTP_HOST: 'localhost' }, 'this machine'],
    [{ SMTP_HOST: elsewhere, SMTP_TLS: 'off' }, 'a server without TLS, when told so'],
  ])('%o: %s is spoken to in the clear', async (settings) => {
    const smtp = await openSmtp();
    await openMailer({ ...settings, SMTP_PORT: smtp.port }).send(mail);
    expect(smtp.mails).toMatchObject([{ secure: false }]);
  });

  test('a server on this machine whose certificate nobody signed is no obstacle', async () => {
    const smtp = await openSmtp({ certificate });
    await openMailer({ SMTP_PORT: smtp.port }).send(mail);
    expect(smtp.mails).toHaveLength(1);
  });

  test('any other server without TLS gets neither the mail nor the password', async () => {
    const lines: string[] = [];
    const smtp = await openBroken((line) => {
      if (line !== undefined) lines.push(line);
      if (line === undefined) return '220 ready';
      if (line.startsWith('EHLO')) return '250-mail.example.org\r\n250 AUTH PLAIN LOGIN';
      return '502 no such command';
    });
    const mailer = openMailer({
      ...{ SMTP_HOST: elsewhere, SMTP_PORT: smtp.port },
      ...{ SMTP_USER: account.user, SMTP_PASSWORD: account.password },
    });
    await refusal(mailer.send(mail));
    expect(logged()).toEqual([{ code: 'ETLS', status: 502, command: 'STARTTLS' }]);
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['EHLO', 'STARTTLS']);
  });

  test('a server that does not offer the sign-in that is set gets no mail without it', async () => {
    const smtp = await openSmtp();
    const mailer = openMailer({
      SMTP_PORT: smtp.port,
      SMTP_USER: account.user,
      SMTP_PASSWORD: account.password,
    });
    await refusal(mailer.send(mail));
    expect(logged()).toMatchObject([{ code: 'EAUTH' }]);
    expect(smtp.mails).toEqual([]);
  });
});

describe('an address', () => {
  test.each(['"baker, miller"@example.org', '"x@elsewhere.org,y"@example.org', "o'neil+coach@example.org"])(
    'is one mailbox whatever it looks like: %s',
    async (to) => {
      const lines: string[] = [];
      const smtp = await openBroken((line) => {
        if (line !== undefined) lines.push(line);
        return polite(line);
      });
      await openMailer({ SMTP_PORT: smtp.port }).send({ ...mail, to });
      expect(lines.filter((line) => line.startsWith('RCPT'))).toEqual([`RCPT TO:<${to}>`]);
      expect(lines.filter((line) => /^(to|cc|bcc):/i.test(line))).toEqual([
        `To: ${to.startsWith('"') ? `<${to}>` : to}`,
      ]);
    },
  );

  test.each([
    'quarry@example.org\r\nBcc: everybody@example.org',
    'quarry@example.org\nRCPT TO:<everybody@example.org>',
    'quarry@example.org, everybody@example.org',
    'quarry,everybody@example.org',
    'everybody@elsewhere.org,quarry@example.org',
    'Team: quarry@example.org',
    'Quarry <quarry@example.org>',
    '<quarry@example.org>',
    'quarry',
    '@example.org',
    'quarry@',
    '',
    `${'quarry'.repeat(60)}@example.org`,
  ])('that is none is refused before anybody is asked: %.60j', async (to) => {
    const smtp = await openBroken(() => 'hang');
    const error = await refusal(openMailer({ SMTP_PORT: smtp.port }).send({ ...mail, to }));
    expect(error.details).toEqual({ recipient_refused: true });
    expect(smtp.connections).toBe(0);
  });
});

test('a list that came so far would still be one mailbox', async () => {
  const lines: string[] = [];
  const smtp = await openBroken((line) => {
    if (line !== undefined) lines.push(line);
    return polite(line);
  });
  const config = readConfig({
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(smtp.port),
    MAIL_FROM: 'a@example.org',
  });
  const rendered = { to: 'x@elsewhere.org, y@example.org', subject: '', text: '', html: '' };
  const { signal } = new AbortController();
  await sendOverSmtp(createSmtpTransport(config.smtp!), config.smtp!.from, rendered, signal);
  expect(lines.filter((line) => line.startsWith('RCPT'))).toEqual([
    'RCPT TO:<"x@elsewhere.org, y"@example.org>',
  ]);
});

test('neither a subject nor the sender’s name can begin another header', async () => {
  const smtp = await openSmtp();
  const config = readConfig({
    ...{ SMTP_HOST: '127.0.0.1', SMTP_PORT: String(smtp.port), MAIL_FROM: 'Touchline <hello@example.org>' },
  });
  config.smtp!.from.name = 'Touch"line\r\nBcc: everybody@example.org\r\n\r\n<x>';
  const mailer = createMailer(config, logger);
  await mailer.send({ ...mail, subject: 'Hello\r\nBcc: everybody@example.org\r\n\r\nBody' });
  const { recipients, parsed } = smtp.mails[0]!;
  expect(recipients).toEqual([mail.to]);
  expect(parsed.headers.has('bcc')).toBe(false);
  expect(parsed.subject).toBe('Hello Bcc: everybody@example.org Body');
  expect(parsed.from?.value.map(({ address }) => address)).toEqual(['hello@example.org']);
  expect(parsed.text).toContain('Hello velvet-harbour.');
});

describe('a mail that cannot be sent is told by codes alone', () => {
  test('a recipient that the server refuses for good, and one that it refuses for now', async () => {
    const smtp = await openSmtp();
    smtp.refused.set(mail.to, 550);
    const mailer = openMailer({ SMTP_PORT: smtp.port });
    const refused = await refusal(mailer.send(mail));
    expect(refused.details).toEqual({ recipient_refused: true });
    expect(refused.retry_after_ms).toBeUndefined();
    smtp.refused.set(mail.to, 450);
    const deferred = await refusal(mailer.send(mail));
    expect(deferred.details).toEqual({ recipient_refused: false });
    expect(deferred.retry_after_ms).toBeGreaterThan(0);
    expect(logged()).toEqual([
      { code: 'EENVELOPE', status: 550, command: 'RCPT TO' },
      { code: 'EENVELOPE', status: 450, command: 'RCPT TO' },
    ]);
    smtp.refused.clear();
    await mailer.send(mail);
    expect(smtp.mails).toHaveLength(1);
  });

  test('a wrong password', async () => {
    const smtp = await openSmtp({ certificate, account });
    tls.setDefaultCACertificates([certificate.cert]);
    const mailer = openMailer({
      ...{ SMTP_HOST: elsewhere, SMTP_PORT: smtp.port },
      ...{ SMTP_USER: account.user, SMTP_PASSWORD: 'pw-copper-other' },
    });
    const error = await refusal(mailer.send(mail));
    expect(error.cause).toMatchObject({ code: 'EAUTH', status: 535 });
    expect(logged()).toEqual([{ code: 'EAUTH', status: 535, command: 'AUTH PLAIN' }]);
  });

  test('a certificate that nobody vouches for, and one of another name', async () => {
    const smtp = await openSmtp({ certificate });
    const mailer = openMailer({ SMTP_HOST: elsewhere, SMTP_PORT: smtp.port });
    await refusal(mailer.send(mail));
    const other = makeSelfSignedCertificate(['smtp.example.org']);
    const impostor = await openSmtp({ certificate: other });
    tls.setDefaultCACertificates([other.cert]);
    await refusal(openMailer({ SMTP_HOST: elsewhere, SMTP_PORT: impostor.port }).send(mail));
    expect(logged()).toMatchObject([
      { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
      { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    ]);
    expect([...smtp.mails, ...impostor.mails]).toEqual([]);
  });

  test('a server that is not there, and a name that nobody knows', async () => {
    await refusal(openMailer({ SMTP_PORT: await findFreePort() }).send(mail));
    // Where no name server answers, this is a time-out.
    const timeouts = { connect_ms: 3_000, greeting_ms: 3_000, silence_ms: 3_000 };
    await refusal(openMailer({ SMTP_HOST: 'no.such.host.invalid' }, { timeouts }).send(mail));
    expect(logged()).toMatchObject([{ code: 'ECONNREFUSED' }, { code: 'EDNS' }]);
  });

  test.each<[string, (line: string | undefined) => SmtpStep]>([
    ['at once', () => 'die'],
    ['when it is greeted', (line) => (line?.startsWith('EHLO') ? 'die' : polite(line))],
    ['when it gets the recipient', (line) => (line?.startsWith('RCPT') ? 'die' : polite(line))],
    ['in the middle of the mail', (line) => (line?.startsWith('Subject') ? 'die' : polite(line))],
    ['before it has confirmed the mail', (line) => (line === '.' ? 'die' : polite(line))],
  ])('a server that dies %s', async (_when, answer) => {
    const smtp = await openBroken(answer);
    const error = await refusal(openMailer({ SMTP_PORT: smtp.port }).send(mail));
    expect(error.details).toEqual({ recipient_refused: false });
    expect(['ECONNECTION', 'ECONNRESET', 'EPIPE']).toContain(logged()[0]!.code);
  });

  test.each<[string, (line: string | undefined) => SmtpStep]>([
    ['the connection', () => 'hang'],
    ['the recipient', (line) => (line?.startsWith('RCPT') ? 'hang' : polite(line))],
    ['the mail', (line) => (line === '.' ? 'hang' : polite(line))],
  ])('a server that falls silent after %s', async (after, answer) => {
    const smtp = await openBroken(answer);
    const patience = { connect_ms: 60_000, greeting_ms: 60_000, silence_ms: 60_000 };
    const timeouts = { ...patience, [after === 'the connection' ? 'greeting_ms' : 'silence_ms']: 300 };
    await refusal(openMailer({ SMTP_PORT: smtp.port }, { timeouts }).send(mail));
    expect(logged()).toMatchObject([{ code: 'ETIMEDOUT' }]);
  });

  test('a server that takes too long altogether', async () => {
    const smtp = await openBroken((line) => (line?.startsWith('RCPT') ? '250-wait' : polite(line)));
    const mailer = openMailer({ SMTP_PORT: smtp.port }, { delivery_timeout_ms: 300 });
    await refusal(mailer.send(mail));
    expect(logged()).toMatchObject([{ code: 'EABORT' }]);
  });

  test('what is no SMTP at all', async () => {
    const smtp = await openBroken(() => 'HTTP/1.1 400 Bad Request');
    await refusal(openMailer({ SMTP_PORT: smtp.port }).send(mail));
    expect(logged()).toMatchObject([{ code: 'EPROTOCOL' }]);
  });
});

describe('closing', () => {
  test('waits for the mails on their way, and takes no more', async () => {
    const smtp = await openSmtp();
    const mailer = openMailer({ SMTP_PORT: smtp.port });
    const sending = Promise.all([mailer.send(mail), mailer.send(mail)]);
    await mailer.close();
    await sending;
    expect(smtp.mails).toHaveLength(2);
    await refusal(mailer.send(mail));
    await mailer.close();
    expect(smtp.mails).toHaveLength(2);
  });

  test('gives up what takes too long', async () => {
    const smtp = await openBroken(() => 'hang');
    const mailer = openMailer({ SMTP_PORT: smtp.port }, { patience_ms: 50 });
    const sending = refusal(mailer.send(mail));
    await vi.waitFor(() => expect(smtp.connections).toBe(1), { timeout: 20_000 });
    await mailer.close();
    await sending;
    expect(logged()).toMatchObject([{ code: 'EABORT' }]);
  });
});

describe('without a mail server', () => {
  test('mails land in the outbox of a Touchline that only its own machine can reach', async () => {
    const mailer = createMailer(readConfig({ DATA_DIR: join(base, 'local') }), logger);
    await mailer.send(mail);
    expect(await mailer.outbox!.list()).toMatchObject([
      { to: mail.to, subject: mail.subject, text: expect.stringContaining('Hello velvet-harbour.') },
    ]);
    expect(warn).not.toHaveBeenCalled();
  });

  test.each([{ HOST: '0.0.0.0' }, { PUBLIC_URL: 'https://coach.example.org' }])(
    'nobody’s mail is written down where others can reach it: %o',
    async (settings) => {
      const config = readConfig({ DATA_DIR: join(base, 'public'), ...settings });
      const mailer = createMailer(config, logger);
      expect(mailer.outbox).toBeUndefined();
      await refusal(mailer.send(mail));
      expect(logged()).toMatchObject([{ code: 'ENOSMTP' }]);
      expect(readdirSync(base)).not.toContain('public');
    },
  );

  test('an outbox that cannot be written is told', async () => {
    writeFileSync(join(base, 'file'), '');
    const mailer = createMailer(readConfig({ DATA_DIR: join(base, 'file') }), logger);
    await refusal(mailer.send(mail));
    expect(logged()).toMatchObject([{ code: 'ENOTDIR' }]);
  });

  test('a full disk is told by name', async () => {
    const mailer = createMailer(readConfig({ DATA_DIR: join(base, 'full') }), logger);
    vi.spyOn(mailer.outbox!, 'add').mockRejectedValue(Object.assign(new Error(mail.to), { code: 'ENOSPC' }));
    expect((await refusal(mailer.send(mail))).message).toMatch(/the disk is full/);
  });

  test('with one there is no outbox', () => {
    expect(openMailer({}).outbox).toBeUndefined();
  });
});

test('the whole server is loaded without the mail library', () => {
  const script = `
    import { registerHooks } from 'node:module';
    const seen = [];
    registerHooks({ resolve(specifier, context, next) { seen.push(specifier); return next(specifier, context); } });
    await import(${JSON.stringify(join(import.meta.dirname, '..', '..', 'start-server.ts'))});
    process.stdout.write(JSON.stringify(seen));`;
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
  expect(status).toBe(0);
  const seen = JSON.parse(String(stdout)) as string[];
  expect(seen).toContain('./platform/mail/mailer.ts');
  expect(seen).not.toContain('nodemailer');
  expect(seen).not.toContain('./render-mail.ts');
});
