import { AppError } from '../platform/errors.ts';

/** Files that are read at once in this process; more would starve the streams on a small machine. */
const max_at_once = 2;
/** Files that wait for a place; at a second each, the last one waits for half a minute. */
const max_waiting = 50;

let running = 0;
const waiting: (() => void)[] = [];

/** Throws `too_many_requests` where a file that is to be read now would not even find a place to wait. */
export function refuseWhenBusy(): void {
  if (waiting.length < max_waiting) return;
  throw new AppError(
    'too_many_requests',
    'Too many files are being read at the moment. Nothing was saved or counted; try again in half a minute.',
    { retry_after_ms: 30_000 },
  );
}

/** Runs `work` as one of two at once; aborting ends the waiting and throws the signal's reason. */
export async function inReadingPlace<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  await takePlace(signal);
  try {
    return await work();
  } finally {
    leavePlace();
  }
}

async function takePlace(signal: AbortSignal | undefined) {
  signal?.throwIfAborted();
  if (running < max_at_once) {
    running++;
    return;
  }
  refuseWhenBusy();
  await new Promise<void>((resolve, reject) => {
    const start = () => {
      signal?.removeEventListener('abort', giveUp);
      resolve();
    };
    const giveUp = () => {
      waiting.splice(waiting.indexOf(start), 1);
      reject(signal?.reason);
    };
    waiting.push(start);
    signal?.addEventListener('abort', giveUp, { once: true });
  });
}

function leavePlace() {
  const next = waiting.shift();
  if (next) next();
  else running--;
}
