import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkAuthSettings } from './check-auth-settings.ts';

const token = 'sbp_0123456789abcdef0123456789abcdef01234567';
const guarded = {
  mailer_secure_email_change_enabled: true,
  security_update_password_require_current_password: true,
  security_captcha_enabled: true,
  security_captcha_provider: 'turnstile',
  password_min_length: 8,
  site_url: 'https://coach.example.org',
  uri_allow_list: '',
};
let settings: object;
let api_url: string;
let close: () => void;

/** One page of Supabase's Management API. */
beforeEach(async () => {
  settings = guarded;
  const server = createServer((request, response) => {
    const isOwner = request.headers.authorization === `Bearer ${token}`;
    const isThere = request.url === '/v1/projects/abcdefghij/config/auth';
    response
      .writeHead(isOwner ? (isThere ? 200 : 404) : 401, { 'content-type': 'application/json' })
      .end(JSON.stringify(isOwner && isThere ? settings : { message: 'Unauthorized' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  api_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = () => server.close();
});
afterEach(() => close());

type Given = { access_token?: string; captcha?: 'hcaptcha' | 'turnstile' | null; public_url?: string };

async function check({ access_token = token, captcha = 'turnstile', public_url }: Given = {}) {
  const findings = await checkAuthSettings(
    { url: 'https://abcdefghij.supabase.co', publishable_key: 'x', jwt_secret: undefined, access_token },
    { captcha: captcha ? { provider: captcha, site_key: 'x' } : undefined, public_url },
    api_url,
  );
  return findings.map(({ verdict, sentence }) => `${verdict} ${sentence}`);
}

test('a project that guards its accounts is good all over', async () => {
  expect(await check({ public_url: 'https://coach.example.org' })).toEqual([
    'good A change of email is confirmed in both mailboxes.',
    'good A new password asks for the old one.',
    'good The project checks the CAPTCHA.',
  ]);
});

test('each switch that is off is told with where it is', async () => {
  settings = { security_captcha_enabled: false, password_min_length: 6, site_url: 'http://localhost:3000' };
  expect(await check({ captcha: null, public_url: 'https://coach.example.org' })).toEqual([
    expect.stringMatching(/^wrong .*one mailbox only: turn on "Secure email change"/),
    expect.stringMatching(/^wrong .*a new password: turn on "Require current password when updating"/),
    expect.stringMatching(/^note .*own rate limits/),
    expect.stringMatching(/^wrong Passwords may be shorter than 8 characters/),
    expect.stringMatching(/^wrong Links in mails .* set the Site URL to PUBLIC_URL/),
  ]);
});

test('a CAPTCHA on one side only is told, and so is one of another maker', async () => {
  expect((await check({ captcha: null }))[2]).toMatch(/^wrong The project asks for a CAPTCHA/);
  expect((await check({ captcha: 'hcaptcha' }))[2]).toMatch(/^wrong CAPTCHA_PROVIDER is not the one/);
  settings = { ...guarded, security_captcha_enabled: false };
  expect((await check())[2]).toMatch(/^wrong CAPTCHA_PROVIDER is set, and the project does not check/);
});

test('an address in the list of redirects will do, with stars or without', async () => {
  settings = { ...guarded, uri_allow_list: 'http://localhost:3000, https://other.example.org/**' };
  expect(await check({ public_url: 'https://other.example.org' })).toHaveLength(3);
  expect(await check({ public_url: 'https://third.example.org' })).toHaveLength(4);
});

test('without a token it says what to look at, and a refused one is told without its value', async () => {
  expect(await check({ access_token: '' })).toEqual([
    expect.stringMatching(/^note .* cannot be seen without SUPABASE_ACCESS_TOKEN/),
  ]);
  const [finding] = await check({ access_token: 'sbp_another' });
  expect(finding).toMatch(/^wrong SUPABASE_ACCESS_TOKEN may not read the project's settings \(401\)/);
  expect(finding).not.toContain('sbp_another');
});
