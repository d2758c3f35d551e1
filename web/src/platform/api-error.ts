/** A refusal by the server, or (`code: 'unreachable'`, `status: 0`) no answer at all. `message` is the sentence to show. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  /** The problem document with what its code brings along. */
  readonly details: Record<string, unknown>;
  /** How long to wait before trying again, where the server said so. */
  readonly retry_after_ms: number | null;

  constructor(
    code: string,
    status: number,
    detail: string,
    options: ErrorOptions & { details?: Record<string, unknown>; retry_after_ms?: number | null } = {},
  ) {
    super(detail, options);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
    this.details = options.details ?? {};
    this.retry_after_ms = options.retry_after_ms ?? null;
  }
}

/** The error for a request that got no answer. */
export function unreachable(cause?: unknown) {
  return new ApiError(
    'unreachable',
    0,
    'Touchline could not be reached. Check your connection and try again.',
    { cause },
  );
}

/**
 * Reads a problem document (RFC 9457); whatever else came (a proxy's page) becomes a sentence of ours.
 * `retry_after`: the header of that name, in seconds.
 */
export function apiErrorFrom(status: number, body: string, retry_after: string | null = null) {
  try {
    const problem = JSON.parse(body);
    if (typeof problem.code === 'string' && typeof problem.detail === 'string') {
      const seconds = Number(retry_after);
      const retry_after_ms = seconds > 0 ? seconds * 1000 : null;
      return new ApiError(problem.code, status, problem.detail, { details: problem, retry_after_ms });
    }
  } catch {
    // Not a problem document.
  }
  return new ApiError(
    'unexpected_answer',
    status,
    `The server answered with an error (${status}) that it did not explain. Wait a moment and try again.`,
  );
}

/** The sentence to show for anything that was thrown. */
export function sentenceFor(error: unknown) {
  return error instanceof ApiError
    ? error.message
    : 'Something went wrong on this page. Load it again; what you wrote is kept.';
}
