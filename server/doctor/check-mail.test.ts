import tls from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { readConfig } from '../platform/config.ts';
import { findFreePort } from '../platform/free-port.ts';
import { type SmtpStep, startBrokenSmtp, startFakeSmtp } from '../testing/fake-smtp.ts';
import { makeSelfSignedCertificate } from '../testing/self-signed-certificate.ts';
import { checkMail } from './check-mail.ts';

/** This machine by an address that is no loopback name, so that it counts as another one. */
const elsewhere = '0.0.0.0';
const certificate = makeSelfSignedCertificate([elsewhere]);
const account = { user: 'amber-account', password: 'pw-copper-meadow' };
const authorities = tls.getCACertificates('default');

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  tls.setDefaultCACertificates(authorities);
  for (const close of closing.splice(0)) await close();
});

async function check(settings: Record<string, string | number>, silence_ms = 5_000) {
  const given = Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));
  const smtp = {
    ...{ SMTP_HOST: elsewhere, MAIL_FROM: 'Amber <amber@example.org>' },
    PUBLIC_URL: settings.SMTP_HOST === '' ? '' : 'https://coach.example.org',
  };
  const findings = await checkMail(readConfig({ ...smtp, ...given }), {
    ...{ connect_ms: silence_ms, greeting_ms: silence_ms, silence_ms },
  });
  const lines = findings.map(({ verdict, about, sentence }) => {
    expect(about).toBe('mail');
    expect(sentence).toMatch(/^[A-Z][^\n]*\.$/);
    return `${verdict} ${sentence}`;
  });
  expect(lines.join()).not.toMatch(/amber|copper|example\.org/i);
  return lines;
}

async function openSmtp(...options: Parameters<typeof startFakeSmtp>) {
  const smtp = await startFakeSmtp(...options);
  closing.push(smtp.close);
  return smtp;
}

async function openBroken(answer: (line: string | undefined) => SmtpStep) {
  const smtp = await startBrokenSmtp(answer);
  closing.push(smtp.close);
  return smtp;
}

const signIn = { SMTP_USER: account.user, SMTP_PASSWORD: account.password };

test('without a mail server the outbox is a note on one’s own machine, and wrong where others can reach it', async () => {
  expect(await check({ SMTP_HOST: '' })).toEqual([
    expect.stringMatching(/^note SMTP_HOST is not set: mails land on the page \/outbox/),
  ]);
  for (const reached of [{ HOST: elsewhere }, { PUBLIC_URL: 'https://coach.example.org' }] as Record<
    string,
    string
  >[]) {
    expect(await check({ SMTP_HOST: '', ...reached })).toEqual([
      expect.stringMatching(/^wrong .* does not start: set SMTP_HOST and MAIL_FROM\.$/),
    ]);
  }
});

test('a mail server that takes the sign-in over TLS is good, and gets no mail', async () => {
  const smtp = await openSmtp({ certificate, account });
  tls.setDefaultCACertificates([certificate.cert]);
  expect(await check({ SMTP_PORT: smtp.port, ...signIn })).toEqual([
    'good The mail server answers, and takes SMTP_USER with SMTP_PASSWORD.',
  ]);
  expect(smtp.mails).toEqual([]);
});

test('a mail server on this machine needs neither TLS nor a sign-in', async () => {
  const smtp = await openSmtp();
  expect(await check({ SMTP_HOST: '127.0.0.1', SMTP_PORT: smtp.port })).toEqual([
    'good The mail server answers.',
  ]);
});

test('links that lead to where the server listens are noted', async () => {
  const smtp = await openSmtp();
  expect(await check({ SMTP_HOST: '127.0.0.1', SMTP_PORT: smtp.port, PUBLIC_URL: '' })).toEqual([
    'good The mail server answers.',
    expect.stringMatching(/^note PUBLIC_URL is not set, so links in mails lead to where the server listens/),
  ]);
});

test('mail in the clear is noted', async () => {
  const smtp = await openSmtp();
  expect(await check({ SMTP_PORT: smtp.port, SMTP_TLS: 'off' })).toEqual([
    'good The mail server answers.',
    expect.stringMatching(/^note SMTP_TLS is off/),
  ]);
});

test('a sign-in that is offered and not set is noted', async () => {
  const smtp = await openSmtp({ certificate, account });
  tls.setDefaultCACertificates([certificate.cert]);
  expect(await check({ SMTP_PORT: smtp.port })).toEqual([
    'good The mail server answers.',
    expect.stringMatching(/^note It offers a sign-in and SMTP_USER is not set/),
  ]);
});

test('a wrong password is told, not quoted', async () => {
  const smtp = await openSmtp({ certificate, account });
  tls.setDefaultCACertificates([certificate.cert]);
  expect(await check({ SMTP_PORT: smtp.port, ...signIn, SMTP_PASSWORD: 'pw-copper-other' })).toEqual([
    expect.stringMatching(/^wrong The mail server refuses SMTP_USER with SMTP_PASSWORD \(535\)/),
  ]);
});

test('a sign-in that the server does not offer is told', async () => {
  const smtp = await openSmtp();
  expect(await check({ SMTP_HOST: 'localhost', SMTP_PORT: smtp.port, ...signIn })).toEqual([
    expect.stringMatching(/^wrong The mail server does not offer the sign-in/),
  ]);
});

test('a server without STARTTLS is told, and is not given the password', async () => {
  const lines: string[] = [];
  const smtp = await openBroken((line) => {
    if (line !== undefined) lines.push(line);
    if (line === undefined) return '220 ready';
    return line.startsWith('EHLO')
      ? '250-mail\r\n250 AUTH PLAIN'
      : '502 5.5.1 amber-account: no such command';
  });
  expect(await check({ SMTP_PORT: smtp.port, ...signIn })).toEqual([
    expect.stringMatching(/^wrong The mail server does not offer STARTTLS on port \d+ \(502\)/),
  ]);
  expect(lines.join('\n')).not.toMatch(/AUTH/);
});

test('a certificate that nobody vouches for, and one of another name, are told apart', async () => {
  const smtp = await openSmtp({ certificate });
  expect(await check({ SMTP_PORT: smtp.port })).toEqual([
    expect.stringMatching(
      /^wrong Nobody whom this machine knows vouches .*\(DEPTH_ZERO_SELF_SIGNED_CERT\).*NODE_EXTRA_CA_CERTS/,
    ),
  ]);
  const other = makeSelfSignedCertificate(['smtp.example.org']);
  const impostor = await openSmtp({ certificate: other });
  tls.setDefaultCACertificates([other.cert]);
  expect(await check({ SMTP_PORT: impostor.port })).toEqual([
    expect.stringMatching(/^wrong The certificate of the mail server is for another name/),
  ]);
});

test('where nothing listens, and what is not found, are told apart', async () => {
  const port = await findFreePort();
  expect(await check({ SMTP_PORT: port })).toEqual([
    expect.stringMatching(new RegExp(`^wrong Nothing listens at SMTP_HOST on port ${port}: `)),
  ]);
  expect(await check({ SMTP_HOST: 'no.such.host.invalid' }, 3_000)).toEqual([
    expect.stringMatching(/^wrong The name in SMTP_HOST is not known/),
  ]);
});

test('a server that is silent is told after the time-out', async () => {
  const smtp = await openBroken(() => 'hang');
  expect(await check({ SMTP_PORT: smtp.port }, 300)).toEqual([
    expect.stringMatching(/^wrong SMTP_HOST does not answer on port \d+ \(ETIMEDOUT\)/),
  ]);
});

test.each<[string, (line: string | undefined) => SmtpStep]>([
  ['a server that hangs up', () => 'die'],
  ['a server that hangs up when it is greeted', (line) => (line ? 'die' : '220 ready')],
  ['a server that turns this machine away', () => '554 amber@example.org is on a list'],
  ['what is no mail server', () => 'HTTP/1.1 400 amber'],
])('%s is told', async (_what, answer) => {
  const smtp = await openBroken(answer);
  expect(await check({ SMTP_PORT: smtp.port })).toEqual([
    expect.stringMatching(/^wrong What answers at SMTP_HOST on port \d+ does not take mail \([A-Z0-9]+\)/),
  ]);
});

test('listening on every address without PUBLIC_URL is wrong, because it does not start', async () => {
  const smtp = await openSmtp({});
  const where = { SMTP_HOST: '127.0.0.1', SMTP_PORT: smtp.port, PUBLIC_URL: '' };
  expect(await check({ ...where, HOST: '0.0.0.0' })).toContainEqual(
    expect.stringMatching(/^wrong PUBLIC_URL is not set/),
  );
  expect(await check({ ...where, HOST: '192.0.2.1' })).toContainEqual(
    expect.stringMatching(/^note PUBLIC_URL is not set/),
  );
});
