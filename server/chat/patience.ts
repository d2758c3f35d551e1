/** The time that a turn has until its reply begins. */
export type Patience = {
  /** Aborts with the turn, or with a `TimeoutError` when the time is up. */
  signal: AbortSignal;
  /** When the time is up, as `performance.now()`. */
  readonly deadline_ms: number;
  /** Stops the clock while something goes on that may take as long as it makes headway. */
  outside: <Result>(work: () => Promise<Result>) => Promise<Result>;
};

/** Starts the clock. `signal`: the turn's own. */
export function createPatience(patience_ms: number, signal: AbortSignal): Patience {
  const late = new AbortController();
  let deadline_ms = performance.now() + patience_ms;
  let outside = 0;
  let stopped_ms = 0;
  let timer: NodeJS.Timeout;

  function run() {
    timer = setTimeout(
      () => late.abort(new DOMException('The turn took too long to become ready.', 'TimeoutError')),
      Math.max(0, deadline_ms - performance.now()),
    );
    timer.unref();
  }
  run();
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });

  return {
    signal: AbortSignal.any([signal, late.signal]),
    get deadline_ms() {
      return outside > 0 ? deadline_ms + performance.now() - stopped_ms : deadline_ms;
    },
    async outside(work) {
      if (outside++ === 0) {
        clearTimeout(timer);
        stopped_ms = performance.now();
      }
      try {
        return await work();
      } finally {
        if (--outside === 0) {
          deadline_ms += performance.now() - stopped_ms;
          run();
        }
      }
    },
  };
}
