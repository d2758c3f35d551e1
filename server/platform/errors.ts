/**
 * Every error code of the product with its HTTP status. Codes are permanent: clients branch on them.
 * The public sentence belongs to the place that throws; it says what happened, whether anything was
 * counted or lost, and what to do next.
 */
export const errorStatuses = {
  invalid_request: 400,
  unreadable_file: 422,
  empty_file: 422,
  unsupported_file_type: 415,
  sign_in_required: 401,
  account_closed: 403,
  account_inactive: 403,
  plan_required: 403,
  email_unconfirmed: 403,
  not_found: 404,
  already_confirmed: 409,
  link_expired: 410,
  turn_in_progress: 409,
  turn_id_taken: 409,
  file_in_use: 409,
  file_too_large: 413,
  request_too_large: 413,
  message_too_long: 413,
  quota_exhausted: 429,
  too_many_requests: 429,
  invalid_signature: 400,
  payment_failed: 402,
  billing_off: 409,
  already_subscribed: 409,
  no_subscription: 409,
  billing_changed: 409,
  preview_outdated: 409,
  internal_error: 500,
  model_failed: 502,
  model_cut_off: 502,
  model_refused: 502,
  model_rate_limited: 503,
  model_balance_exhausted: 503,
  model_misconfigured: 503,
  model_timed_out: 504,
  server_stopped: 503,
  mail_not_sent: 503,
  billing_unavailable: 503,
  unavailable: 503,
} as const;

export type ErrorCode = keyof typeof errorStatuses;

/**
 * An error that may reach a person. `message` is public; the cause stays on the server.
 * `details` travel with it in the problem document: plain data, never a member's words or keys.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: Record<string, unknown> | undefined;
  readonly retry_after_ms: number | undefined;

  constructor(
    code: ErrorCode,
    publicMessage: string,
    options: { cause?: unknown; details?: Record<string, unknown>; retry_after_ms?: number } = {},
  ) {
    super(publicMessage, { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.details = options.details;
    this.retry_after_ms = options.retry_after_ms;
  }

  get status() {
    return errorStatuses[this.code];
  }
}

/** The answer for what does not exist and for what belongs to somebody else: the two look the same. */
export function notFound(what: string) {
  return new AppError('not_found', `This ${what} does not exist, or it is not yours.`);
}
