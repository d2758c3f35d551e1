import { setTimeout as delay } from 'node:timers/promises';

/** Waits so many milliseconds. */
export type Pause = (wait_ms: number) => Promise<unknown>;

/**
 * How long an answer takes at least that must not tell whether an address has an account: several times what either case
 * takes on a calm machine.
 */
export const least_answer_ms = 750;

/** Does some work and gives its result, or its error, not before `least_answer_ms` have passed. */
type EvenTime = <Result>(work: () => Promise<Result>) => Promise<Result>;

export function createEvenTime(pause: Pause = delay): EvenTime {
  return async (work) => {
    const [[outcome]] = await Promise.all([Promise.allSettled([work()]), pause(least_answer_ms)]);
    if (outcome!.status === 'rejected') throw outcome!.reason;
    return outcome!.value;
  };
}
