import type { Database } from '../platform/database.ts';
import { AppError } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { withTimeLimit } from '../platform/time-limit.ts';
import { checkpointTurns } from './queries.ts';
import type { RunningTurn } from './running-turn.ts';

/** Why a turn's reply ended early: its member asked for it, or the row is gone or was ended by another server. */
export class TurnStopped extends Error {}
export class TurnGone extends Error {}
/** This process is going down and the reply had no more time. */
export class ServerStopping extends Error {}

/** The replies that this process is making, and the one statement a second that keeps them. */
export type RunningTurns = {
  /** Waits for a message that is being taken in, as `stop` does. Throws `unavailable` when this process is going down. */
  takeIn: <Result>(begin: () => Promise<Result>) => Promise<Result>;
  add: (turn: RunningTurn) => void;
  delete: (turn: RunningTurn) => void;
  get: (id: string) => RunningTurn | undefined;
  ids: () => string[];
  /** The reply that is being made for a chat. */
  ofChat: (session_id: string) => RunningTurn | undefined;
  readonly size: number;
  readonly is_stopping: boolean;
  /** Waits for the replies to end, `patience_ms` at the most; cuts the rest off, which are given back. */
  stop: (patience_ms: number) => Promise<void>;
};

/** A turn shorter than this is two statements; a longer one is kept this often. */
const checkpoint_ms = 1_000;
const look_ms = 250;
const cut_off_ms = 5_000;
const checkpoint_timeout_ms = 5_000;

/**
 * Keeps this process's running replies. Those that last longer than a second share one statement a second: it writes
 * their text so far, says that their server is alive, and brings back which of them are to be stopped.
 */
export function createRunningTurns(database: Database, logger: Logger): RunningTurns {
  const turns = new Map<string, RunningTurn>();
  let busy = false;
  let last_ms = Number.NEGATIVE_INFINITY;
  let onEmpty: (() => void) | undefined;
  const taking_in = new Set<Promise<unknown>>();
  let stopping = false;
  let cutting_off = false;
  const timer = setInterval(checkpoint, look_ms);
  timer.unref();

  async function checkpoint() {
    const now_ms = performance.now();
    // Half a look earlier is on time: timers are late by a little.
    if (busy || now_ms - last_ms < checkpoint_ms - look_ms / 2) return;
    const lasting = [...turns.values()].filter((turn) => now_ms - turn.started_ms >= checkpoint_ms);
    if (lasting.length === 0) return;
    busy = true;
    last_ms = now_ms;
    try {
      const keeping = checkpointTurns(
        database,
        lasting.map((turn) => ({ id: turn.id, reply: turn.text })),
      );
      // On a connection that has gone dead the next one must not wait: other servers take us for dead after 30 s.
      const kept = await withTimeLimit(keeping, checkpoint_timeout_ms);
      const going = new Map(kept.map((turn) => [turn.id, turn.stop_requested]));
      for (const turn of lasting) {
        if (!going.has(turn.id)) turn.abort.abort(new TurnGone());
        else if (going.get(turn.id)) turn.abort.abort(new TurnStopped());
      }
    } catch (error) {
      logger.warn({ error, turns: lasting.length }, 'a checkpoint of running turns failed and comes again');
    } finally {
      busy = false;
    }
  }

  return {
    async takeIn(begin) {
      if (stopping) {
        throw new AppError(
          'unavailable',
          'Touchline is being restarted. Nothing was sent or counted; send this again in a moment.',
          { retry_after_ms: 3_000 },
        );
      }
      const beginning = begin();
      taking_in.add(beginning);
      try {
        return await beginning;
      } finally {
        taking_in.delete(beginning);
        tellWhenEmpty();
      }
    },
    add(turn) {
      turns.set(turn.id, turn);
      if (cutting_off) turn.abort.abort(new ServerStopping());
    },
    delete(turn) {
      turns.delete(turn.id);
      tellWhenEmpty();
    },
    get: (id) => turns.get(id),
    ids: () => [...turns.keys()],
    ofChat: (session_id) => [...turns.values()].find((turn) => turn.session_id === session_id),
    get size() {
      return turns.size;
    },
    get is_stopping() {
      return stopping;
    },
    async stop(patience_ms) {
      stopping = true;
      await untilEmpty(patience_ms);
      cutting_off = true;
      for (const turn of turns.values()) turn.abort.abort(new ServerStopping());
      await untilEmpty(cut_off_ms);
      clearInterval(timer);
    },
  };

  function tellWhenEmpty() {
    if (turns.size === 0 && taking_in.size === 0) onEmpty?.();
  }

  function untilEmpty(timeout_ms: number) {
    if (turns.size === 0 && taking_in.size === 0) return Promise.resolve();
    return new Promise<void>((resolve) => {
      const timeout = setTimeout(resolve, timeout_ms);
      onEmpty = () => {
        clearTimeout(timeout);
        resolve();
      };
    });
  }
}
