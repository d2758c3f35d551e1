import { expect, test } from 'vitest';
import { authErrorSentence } from './auth-errors.ts';

test('a wrong password does not say which of the two was wrong', () => {
  const sentence = authErrorSentence({ code: 'invalid_credentials', status: 400, message: 'x' });
  expect(sentence).toContain('email and password');
});

test('a limit without a code is still told as a limit', () => {
  expect(authErrorSentence({ status: 429, message: 'x' })).toContain('Wait a minute');
});

test('no answer at all is told as a lost connection', () => {
  expect(authErrorSentence({ status: 0, message: 'Failed to fetch' })).toContain('connection');
});

test("the service's own words never reach the page", () => {
  for (const code of [undefined, 'weak_password', 'unexpected_failure']) {
    expect(authErrorSentence({ code, status: 500, message: 'pg: relation' })).not.toContain('pg:');
  }
});
