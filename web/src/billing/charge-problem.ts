import { ApiError, sentenceFor } from '../platform/api-error.ts';

/** What holds whatever went wrong on the way to a page at Stripe: one pays there and nowhere else. */
const nothing_charged = 'Nothing was charged.';

/**
 * What holds where a change got no answer. The server says it itself where Stripe did not answer; this is for when the
 * server did not.
 */
const uncertain =
  'It is not certain whether this was done. Look in a minute how your plan stands; doing it again charges nothing twice.';

/** Why something was not bought, with whether anything was charged. */
export function chargeProblem(error: unknown) {
  const sentence = sentenceFor(error);
  return /nothing was (changed or )?charged/i.test(sentence) ? sentence : `${nothing_charged} ${sentence}`;
}

/** Why a change of the plan did not go through. Only a refusal by the server means that nothing was changed. */
export function changeProblem(error: unknown) {
  return isAnswer(error) ? sentenceFor(error) : `${uncertain} ${connectionWords(error)}`.trim();
}

/** Whether the server answered in its own words, rather than not at all or with a page of something in between. */
function isAnswer(error: unknown) {
  return (
    error instanceof ApiError &&
    error.status !== 0 &&
    error.code !== 'unexpected_answer' &&
    error.code !== 'internal_error'
  );
}

function connectionWords(error: unknown) {
  return error instanceof ApiError && error.status === 0 ? 'Check your connection first.' : '';
}
