import { expect, test } from 'vitest';
import { readArrivedLink } from './arrived-link.ts';

const site = 'https://coach.example.org';

test('a link of our mails is read from the fragment', () => {
  expect(readArrivedLink(`${site}/verify-email#token=abc`)).toMatchObject({
    path: '/verify-email',
    token: 'abc',
  });
  expect(readArrivedLink(`${site}/reset-password#token_hash=abc&type=recovery`)).toMatchObject({
    path: '/reset-password',
    token_hash: 'abc',
    code: null,
  });
});

test("a link of Supabase's own mails brings a code, or the reason why it does not work", () => {
  expect(readArrivedLink(`${site}/magic-link?code=12345`)).toMatchObject({ code: '12345' });
  const refused = '?error=access_denied&error_code=otp_expired#error=access_denied&error_code=otp_expired';
  expect(readArrivedLink(`${site}/reset-password${refused}`)).toMatchObject({ error: 'otp_expired' });
  expect(readArrivedLink(`${site}/auth/callback?error=access_denied`)).toMatchObject({
    error: 'access_denied',
  });
});

test('what Supabase leads to the front page is a callback, and nothing else is', () => {
  expect(readArrivedLink(`${site}/?code=abc`)).toMatchObject({ path: '/auth/callback', code: 'abc' });
  expect(readArrivedLink(`${site}/#error_code=otp_expired`)).toMatchObject({ path: '/auth/callback' });
  expect(readArrivedLink(`${site}/`)).toBeNull();
  expect(readArrivedLink(`${site}/chats/1?code=abc`)).toBeNull();
});
