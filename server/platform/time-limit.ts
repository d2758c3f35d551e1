/** Something took longer than it may. What it was goes on by itself. */
export class TimeLimitExceeded extends Error {
  constructor(limit_ms: number) {
    super(`not done within ${limit_ms} ms`);
    this.name = 'TimeLimitExceeded';
  }
}

/** Waits for `going`, `limit_ms` at the most. Throws `TimeLimitExceeded`; what comes later is of no interest then. */
export async function withTimeLimit<Result>(going: Promise<Result>, limit_ms: number): Promise<Result> {
  going.catch(() => {});
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new TimeLimitExceeded(limit_ms)), limit_ms);
  try {
    return await Promise.race([going, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for something that goes on by itself, until the signal aborts; throws the signal's reason then. */
export async function unlessAborted<Result>(going: Promise<Result>, signal: AbortSignal): Promise<Result> {
  going.catch(() => {});
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([going, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
