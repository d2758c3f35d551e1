type Limits = {
  /** So many works go on side by side. */
  at_once: number;
  /** So many wait for one person, and for all together, at the most. */
  most_of_one: number;
  most_of_all: number;
  /** What is thrown to whom there is no more room for. */
  refuse: () => Error;
};

/**
 * Does the work of many people a few at a time. Those who wait are served in turn, one of each person, so that nobody's hundred
 * keep another one waiting. Whoever leaves (`signal`) gives up the place at once, and the signal's reason is thrown.
 */
export function takeTurns({ at_once, most_of_one, most_of_all, refuse }: Limits) {
  let running = 0;
  let waiting = 0;
  /** Of each person, in the order in which they are served. */
  const queues = new Map<string, Set<() => void>>();

  function wait(who: string, signal: AbortSignal): Promise<void> {
    const queue = queues.get(who) ?? new Set();
    if (queue.size >= most_of_one || waiting >= most_of_all) throw refuse();
    return new Promise((resolve, reject) => {
      const leave = () => {
        signal.removeEventListener('abort', giveUp);
        queue.delete(begin);
        if (queue.size === 0) queues.delete(who);
        waiting--;
      };
      const begin = () => {
        leave();
        resolve();
      };
      const giveUp = () => {
        leave();
        reject(signal.reason);
      };
      signal.addEventListener('abort', giveUp);
      queue.add(begin);
      queues.set(who, queue);
      waiting++;
    });
  }

  function serveNext() {
    for (const [who, queue] of queues) {
      // To the end of the line.
      queues.delete(who);
      queues.set(who, queue);
      for (const begin of queue) return begin();
    }
    running--;
  }

  return async <Result>(who: string, signal: AbortSignal, work: () => Promise<Result>): Promise<Result> => {
    signal.throwIfAborted();
    if (running < at_once) running++;
    else await wait(who, signal);
    try {
      return await work();
    } finally {
      serveNext();
    }
  };
}
