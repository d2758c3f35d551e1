import { expect, test } from 'vitest';
import { ApiError, apiErrorFrom, unreachable } from '../platform/api-error.ts';
import { changeProblem, chargeProblem } from './charge-problem.ts';

const refusal = (code: string, status: number, detail: string) => new ApiError(code, status, detail);

test('why no page was opened to pay at always says that nothing was charged, once', () => {
  const errors = [
    unreachable(),
    apiErrorFrom(502, '<html>Bad gateway</html>'),
    refusal(
      'too_many_requests',
      429,
      'This was tried too often. Nothing was changed; try again in 2 minutes.',
    ),
    refusal('already_subscribed', 409, 'You have a plan already. Nothing was charged; change it instead.'),
    refusal('billing_unavailable', 503, 'Your plan is as it was, and nothing was charged; try again.'),
    new TypeError('not ours'),
  ];
  for (const error of errors) {
    expect(chargeProblem(error).match(/nothing was (changed or )?charged/gi)).toHaveLength(1);
  }
});

test('a change is said to be undone only where the server says so', () => {
  const declined = refusal('payment_failed', 402, 'The payment did not go through. Nothing was charged.');
  expect(changeProblem(declined)).toBe(declined.message);
  for (const error of [
    unreachable(),
    apiErrorFrom(504, ''),
    refusal('internal_error', 500, 'Nothing was lost.'),
  ]) {
    expect(changeProblem(error)).toMatch(/not certain.*charges nothing twice/);
  }
});
