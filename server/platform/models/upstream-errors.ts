import { AppError } from '../errors.ts';

/**
 * What OpenAI holds of a chat and we can make anew: a conversation that is missing or locked, a vector store that is
 * missing or has expired, a history that has grown longer than the model can read.
 */
export type Mendable = 'conversation' | 'vector_store' | 'history';

/**
 * The upstream refused a request because of something that can be mended; nothing was said yet. `had_begun`: the request
 * was taken in before that, so that the conversation may hold it.
 */
export class UpstreamUnusable extends Error {
  readonly what: Mendable;
  readonly had_begun: boolean;
  constructor(what: Mendable, had_begun = false) {
    super(`the ${what} cannot be used upstream`);
    this.name = 'UpstreamUnusable';
    this.what = what;
    this.had_begun = had_begun;
  }
}

/** What is to be mended after a refusal by OpenAI (openapi 2.3.0, and its codes as they were seen); undefined: nothing. */
export function mendableIn(refusal: {
  status: number;
  code?: string | null;
  message?: string;
  param?: string | null;
}): Mendable | undefined {
  const { status, code, message = '', param } = refusal;
  if (code === 'context_length_exceeded') return 'history';
  if (code === 'conversation_locked') return 'conversation';
  if (status !== 404 && status !== 400) return undefined;
  if (/conversation/i.test(message) && (status === 404 || param === 'conversation')) return 'conversation';
  if (/vector.?store/i.test(message)) return 'vector_store';
  return undefined;
}

/** What is known of a call that failed upstream: the status (none without an answer), and OpenAI's code for it. */
type UpstreamFailure = { status?: number; code?: string | null; retry_after_ms?: number };

/** Whether an error comes from the SDK: it carries the answer's status, or says that there was no answer. */
export function isUpstreamError(error: unknown): error is Error & UpstreamFailure {
  return error instanceof Error && 'status' in error && 'headers' in error;
}

/** The documented error for a call that failed upstream, in words for the member. Nothing was counted. */
export function upstreamError(failure: UpstreamFailure): AppError {
  const { status, code, retry_after_ms } = failure;
  // What the upstream wrote can quote the request: only its status and code are kept.
  const cause = Object.assign(new Error('the upstream refused'), { status, code: code ?? undefined });
  const make = (kind: ConstructorParameters<typeof AppError>[0], sentence: string) =>
    new AppError(
      kind,
      `${sentence} This message was not counted${kind === 'model_refused' ? '; put it another way.' : '; try again in a minute.'}`,
      { cause, retry_after_ms },
    );
  if (code === 'insufficient_quota') {
    return new AppError(
      'model_balance_exhausted',
      'Coaching is paused for the moment; the operator has to see to it. This message was not counted.',
      { cause },
    );
  }
  if (code === 'context_length_exceeded') {
    return new AppError(
      'message_too_long',
      'This message is longer than the coach can read at once. It was not counted; send a shorter one, or give it as a file.',
      { cause },
    );
  }
  if (code === 'content_policy_violation')
    return make('model_refused', 'The coach will not write about this.');
  if (status === 429 || code === 'rate_limit_exceeded') {
    return make('model_rate_limited', 'Too many people are being coached right now.');
  }
  if (status === undefined) return make('model_failed', 'The coach cannot be reached.');
  if (status >= 500) return make('model_failed', 'The coach has a problem at the moment.');
  return new AppError(
    'model_misconfigured',
    'The coach is not set up correctly; the operator has to see to it. This message was not counted.',
    { cause },
  );
}
