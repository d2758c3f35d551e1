import { expect, test } from 'vitest';
import { authErrorSentence } from './auth-errors.ts';

test('a wrong password does not say which of the two was wrong', () => {
  const sentence = authErrorSentence({ code: 'invalid_credentials', status: 400, message: 'x' });
  expect(sentence).toContain('email and password');
});

test('a limit without a code is still told as a limit', () => {
  expect(authErrorSentence({ status: 429, message: 'x' })).toContain('Wait a minute');
});

test('a limit says how long to wait, where the server said so', () => {
  const told = (wait_s: number) => authErrorSentence({ status: 429, message: 'x' }, wait_s);
  expect(told(1)).toContain('Wait 1 second,');
  expect(told(61)).toContain('Wait 61 seconds,');
  expect(told(840)).toContain('Wait 14 minutes,');
  expect(told(80_000)).toContain('Wait 23 hours,');
});

test('a sign-up that is refused does not tell that the address has an account', () => {
  for (const code of ['signup_refused', 'user_already_exists', 'email_exists']) {
    expect(authErrorSentence({ code, status: 422, message: 'x' })).toMatch(
      /^An account could not be made with this address\. If you already have one,/,
    );
  }
});

test('no answer at all is told as a lost connection', () => {
  expect(authErrorSentence({ status: 0, message: 'Failed to fetch' })).toContain('connection');
});

test("the service's own words never reach the page", () => {
  for (const code of [undefined, 'weak_password', 'unexpected_failure']) {
    expect(authErrorSentence({ code, status: 500, message: 'pg: relation' })).not.toContain('pg:');
  }
});
