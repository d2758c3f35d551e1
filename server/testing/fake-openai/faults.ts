/**
 * What goes wrong with one request. `n` in the `…_after` faults counts stream events, beginning with
 * `response.created`; `after` counts stretches of text, by default half of the reply. Outside of a
 * stream `stall_after` never answers, `cut_after` and `end_after` close the connection, and
 * `corrupt_after` breaks the JSON of the answer.
 */
export type Fault =
  /** An error answer in OpenAI's shape, instead of the real one. */
  | FaultAnswer
  /** The request is read and never answered. */
  | { hang: true }
  /** It is answered as usual, but later. */
  | { wait_ms: number }
  /** A refusal whose body never ends. */
  | { refusal_without_end: number }
  /** The stream falls silent and stays open. */
  | { stall_after: number }
  /** The socket is destroyed in the middle of the stream. */
  | { cut_after: number }
  /** The stream ends in good order, but without one of the final events. */
  | { end_after: number }
  /** The event after the first `n` carries broken JSON. */
  | { corrupt_after: number }
  /** `response.failed` with this code, such as `server_error` or `rate_limit_exceeded`. */
  | { failed: string; message?: string; after?: number }
  | { incomplete: 'max_output_tokens' | 'content_filter'; after?: number }
  /** The model declines with these words instead of answering. */
  | { refusal: string }
  /** An `error` event, after which the stream ends. */
  | { error_event: { code: string | null; message: string; param?: string | null }; after?: number };

export type FaultAnswer = { status: number; headers?: Record<string, string>; error: FaultError };

type FaultError = { message: string; type?: string; code?: string | null; param?: string | null };

/** `body`: parsed JSON, or what is logged of a form. */
type FaultRequest = { method: string; path: string; body: unknown };

/**
 * Which requests a fault is for: a path (`/v1/responses`), one with a method in front
 * (`GET /v1/vector_stores/:id`, where `:id` stands for any segment), a pattern or a function.
 */
type FaultMatcher = string | RegExp | ((request: FaultRequest) => boolean);

export type Faults = {
  /** Queues a fault for the next request that matches, and for that one alone. */
  next(matcher: FaultMatcher, fault: Fault): void;
  /** How many faults still wait for their request. */
  readonly waiting: number;
  clear(): void;
};

/** The queue with its other end, at which the server takes the faults out. */
type FaultQueue = Faults & { take(request: FaultRequest): Fault | undefined };

export function createFaults(): FaultQueue {
  const queue: { matcher: FaultMatcher; fault: Fault }[] = [];
  return {
    next(matcher, fault) {
      queue.push({ matcher, fault });
    },
    take(request) {
      const at = queue.findIndex(({ matcher }) => matches(matcher, request));
      return at < 0 ? undefined : queue.splice(at, 1)[0]!.fault;
    },
    get waiting() {
      return queue.length;
    },
    clear() {
      queue.length = 0;
    },
  };
}

function matches(matcher: FaultMatcher, request: FaultRequest) {
  if (typeof matcher === 'function') return matcher(request);
  if (matcher instanceof RegExp) return matcher.test(request.path);
  const [path, method] = matcher.split(' ').reverse();
  if (method && method !== request.method) return false;
  const wanted = path!.split('/');
  const given = request.path.split('/');
  return (
    wanted.length === given.length && wanted.every((part, at) => part.startsWith(':') || part === given[at])
  );
}

/** Too many requests or tokens in a minute: worth another try after the time that the headers name. */
export function rateLimited(retry_after_ms: number): Fault {
  return {
    status: 429,
    headers: {
      'retry-after-ms': String(retry_after_ms),
      'retry-after': String(Math.ceil(retry_after_ms / 1000)),
    },
    error: {
      message: `Rate limit reached. Please try again in ${retry_after_ms}ms.`,
      type: 'tokens',
      code: 'rate_limit_exceeded',
    },
  };
}

/** No credit is left: a 429 too, but no retry helps. */
export function balanceExhausted(): Fault {
  return {
    status: 429,
    error: {
      message: 'You exceeded your current quota, please check your plan and billing details.',
      type: 'insufficient_quota',
      code: 'insufficient_quota',
    },
  };
}

export function serverError(): Fault {
  return {
    status: 500,
    error: { message: 'The server had an error while processing your request.', type: 'server_error' },
  };
}

export function overloaded(): Fault {
  return {
    status: 503,
    error: { message: 'The engine is currently overloaded, please try again later.', type: 'server_error' },
  };
}
