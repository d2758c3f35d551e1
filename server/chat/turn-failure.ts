import { AppError, type ErrorCode, errorStatuses } from '../platform/errors.ts';

/** The error of a turn that ended with its server. */
export function serverStopped(): AppError {
  return new AppError(
    'server_stopped',
    'The server stopped in the middle of this reply. This message was not counted; try again.',
  );
}

/** The error behind a failed turn's code, in words for its member. */
export function failureOf(code: string | null): AppError {
  if (code === 'server_stopped') return serverStopped();
  const known = code !== null && code in errorStatuses ? (code as ErrorCode) : 'model_failed';
  return new AppError(known, 'The reply to this message failed. It was not counted; try again.');
}
