import { AppError, type ErrorCode, errorStatuses } from '../platform/errors.ts';

/** The error of a turn that ended with its server. */
export function serverStopped(): AppError {
  return new AppError(
    'server_stopped',
    'The server stopped in the middle of this reply. This message was not counted; try again.',
  );
}

/** What is not mended by trying the same again. */
const sentences: Partial<Record<ErrorCode, string>> = {
  message_too_long:
    'This message is longer than the coach can read at once. It was not counted; send a shorter one, or give it as a file.',
  model_refused: 'The coach will not write about this. It was not counted; put it another way.',
  model_balance_exhausted:
    'Coaching was paused; the operator has to see to it. This message was not counted; try again later.',
  model_misconfigured:
    'The coach was not set up correctly; the operator has to see to it. This message was not counted; try again later.',
};

/** The error behind a failed turn's code, in words for its member. */
export function failureOf(code: string | null): AppError {
  if (code === 'server_stopped') return serverStopped();
  const known = code !== null && code in errorStatuses ? (code as ErrorCode) : 'model_failed';
  return new AppError(
    known,
    sentences[known] ?? 'The reply to this message failed. It was not counted; try again.',
  );
}
