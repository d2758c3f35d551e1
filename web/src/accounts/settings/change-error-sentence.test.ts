import { expect, test } from 'vitest';
import { changeErrorSentence, isWrongPassword } from './change-error-sentence.ts';

const words = { unchanged: 'Nothing was changed.', uncertain: 'It may have changed.' };
const sentenceFor = (status: number | undefined, code?: string) =>
  changeErrorSentence({ status, code, message: '{}' }, words);

test('that nothing was changed is said only where the answer said so', () => {
  expect(sentenceFor(422, 'weak_password')).toMatch(/^Nothing was changed\. .*too easy/);
  expect(sentenceFor(429, 'over_request_rate_limit')).toMatch(/^Nothing was changed\. .*too many/);
  expect(sentenceFor(401, 'session_expired')).toMatch(/^Nothing was changed\. .*Sign in again/);
  expect(sentenceFor(400, 'something_new')).toMatch(/^Nothing was changed\. /);
  for (const status of [undefined, 0, 500, 503]) expect(sentenceFor(status)).toBe('It may have changed.');
});

test('a wrong current password is told from every other refusal', () => {
  expect(isWrongPassword({ code: 'current_password_invalid', message: '' })).toBe(true);
  expect(isWrongPassword({ code: 'weak_password', message: '' })).toBe(false);
});
