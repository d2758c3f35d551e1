import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../platform/database.ts';
import { tryWhileAway } from '../platform/database.ts';
import type { Logger } from '../platform/logger.ts';
import type { OpenAIUpstream } from '../platform/models/openai-client.ts';
import { unlessAborted } from '../platform/time-limit.ts';
import { ClaimLost, fillVectorStore, VectorStoresMissing } from './fill-vector-store.ts';
import type { Document } from './queries.ts';
import {
  type Complaint,
  claimVectorStore,
  discardVectorStore,
  finishVectorStore,
  type Held,
  type Place,
  type Progress,
} from './vector-store-queries.ts';

/** What a place has at OpenAI after it was seen to. */
export type Readiness = {
  /** Null: nothing can be searched there. */
  store_id: string | null;
  revision: number;
  documents: Document[];
  /** Why documents are missing in the store; undefined: none are, but those that OpenAI refused to index. */
  failure?: unknown;
};

type Wanting = {
  /** Documents that the store must hold; one that was deleted meanwhile is not waited for. */
  documents?: Pick<Document, 'original_id'>[];
  complaint?: Complaint;
  /** Tries at once what failed a moment ago, and what OpenAI has refused to index before. */
  at_once?: boolean;
  /** Told at once where it stands, and whenever that changes. */
  onProgress?: (progress: Progress) => void;
  /** Ends the waiting, not the work. */
  signal?: AbortSignal;
};

/** Makes stores at OpenAI: for each place one at a time, in whatever process. */
export type VectorStores = {
  /**
   * Waits until a place's store holds its documents: makes it, makes it anew, or waits for whoever does. What fails is told
   * in `failure`, and a job tries again. Throws `VectorStoresMissing` where the upstream has no stores, and the signal's
   * reason.
   */
  makeReady: (place: Place, wanting?: Wanting) => Promise<Readiness>;
  /**
   * What OpenAI says of a store: undefined when it has `expected` files or more, and when it does not say in time.
   */
  inspect: (store: {
    store_id: string;
    revision: number;
    expected: number;
  }) => Promise<Complaint | undefined>;
  /** Gives up what is under way: another process goes on with it at once. */
  stop: () => Promise<void>;
};

type Attempt = {
  done: Promise<Readiness>;
  progress: Progress | undefined;
  listeners: Set<(progress: Progress) => void>;
};

/** How often a store is looked at that another process makes. */
const look_ms = 300;
const inspection_timeout_ms = 3_000;

/** An attempt to make a store failed a moment ago; a job tries again. */
export class FilesPutOff extends Error {}

/** This process is going down; another one goes on. */
class Stopping extends Error {}

/** Makes and mends the stores of one process. `mark`: how they are known at OpenAI as ours. */
export function createVectorStores({
  database,
  upstream,
  logger,
  mark,
}: {
  database: Database;
  upstream: OpenAIUpstream;
  logger: Logger;
  mark: () => Promise<string>;
}): VectorStores {
  const attempts = new Map<string, Attempt>();
  const stopping = new AbortController();
  /** How many files OpenAI counts in stores of which we looked up that they lack none: not every server counts alike. */
  const accepted = new Map<string, number>();
  const counted = new Map<string, number>();

  function begin(key: string, place: Place, wanting: Wanting): Attempt {
    const attempt: Attempt = { done: undefined!, progress: undefined, listeners: new Set() };
    const onProgress = (progress: Progress) => {
      attempt.progress = { ...progress };
      for (const listener of attempt.listeners) listener(attempt.progress);
    };
    attempt.done = seeTo(place, wanting, onProgress).finally(() => attempts.delete(key));
    attempt.done.catch(() => {});
    attempts.set(key, attempt);
    return attempt;
  }

  async function seeTo(
    place: Place,
    { complaint, at_once = false }: Wanting,
    onProgress: (progress: Progress) => void,
  ): Promise<Readiness> {
    const { signal } = stopping;
    const name = place.session_id ? `chat ${place.session_id}` : `library ${place.user_id}`;
    let failure: unknown;
    for (;;) {
      signal.throwIfAborted();
      const token = randomUUID();
      const claim = await claimVectorStore(database, place, { name, token, complaint, at_once });
      switch (claim.outcome) {
        case 'missing':
        case 'empty':
          return { store_id: null, revision: 0, documents: [] };
        case 'ready':
          return claim;
        case 'put_off':
          return { ...claim, failure: failure ?? new FilesPutOff('the files are tried again later') };
        case 'busy':
          // Whoever waits for an attempt takes what comes of it.
          at_once = false;
          onProgress({ ready: claim.files_ready, total: claim.files_total });
          await delay(look_ms, undefined, { signal });
          break;
        case 'claimed': {
          const held = { id: claim.id, token };
          try {
            const filling = { database, upstream, mark: await mark(), place, name, claim, token, at_once };
            const { store_id, was_whole } = await fillVectorStore({ ...filling, onProgress, signal });
            const done = new Date(Date.now() + upstream.config.store_days * 86_400_000);
            await tryWhileAway(() => finishVectorStore(database, held, { done }));
            accepted.delete(store_id);
            if (was_whole) accept(store_id);
          } catch (error) {
            failure = error;
            await giveUp(held, error);
            if (error instanceof VectorStoresMissing) throw error;
          }
          // Asked for once: what was done for it is done, and what failed is not tried in a circle.
          complaint = undefined;
          at_once = false;
        }
      }
    }
  }

  async function giveUp(held: Held, error: unknown) {
    if (error instanceof ClaimLost) return;
    if (error instanceof VectorStoresMissing) {
      upstream.has_vector_stores = false;
      await discardVectorStore(database, held);
      return;
    }
    const isStopping = stopping.signal.aborted;
    if (!isStopping) logger.warn({ error }, 'files could not be made ready at OpenAI and are tried again');
    await finishVectorStore(database, held, isStopping ? 'given_up' : 'failed').catch((finishError) => {
      logger.warn({ error: finishError }, 'the making of a store could not be given up; it lapses by itself');
    });
  }

  function accept(store_id: string) {
    const count = counted.get(store_id);
    if (count === undefined) return;
    if (accepted.size > 10_000) accepted.clear();
    accepted.set(store_id, count);
  }

  return {
    async makeReady(place, wanting = {}) {
      const key = `${place.user_id} ${place.session_id}`;
      const { onProgress, signal = new AbortController().signal } = wanting;
      for (;;) {
        const running = attempts.get(key);
        const attempt = running ?? begin(key, place, wanting);
        if (onProgress) {
          attempt.listeners.add(onProgress);
          if (attempt.progress) onProgress(attempt.progress);
        }
        try {
          const result = await unlessAborted(attempt.done, signal);
          // What began before us may not know of what we want.
          if (!running || answers(result, wanting)) return result;
        } finally {
          if (onProgress) attempt.listeners.delete(onProgress);
        }
      }
    },
    async inspect({ store_id, revision, expected }) {
      try {
        const client = await upstream.client();
        const { status, file_counts } = await client.vectorStores.retrieve(store_id, {
          timeout: inspection_timeout_ms,
          maxRetries: 0,
        });
        if (status === 'expired') return { store_id, revision, what: 'gone' };
        const count = file_counts?.completed;
        if (count === undefined || count >= Math.min(expected, accepted.get(store_id) ?? expected)) return;
        if (counted.size > 10_000) counted.clear();
        counted.set(store_id, count);
        return { store_id, revision, what: 'incomplete' };
      } catch (error) {
        if ((error as { status?: number }).status === 404) return { store_id, revision, what: 'gone' };
        // It is asked to be sure: a reply does not fail because nobody could say.
        return undefined;
      }
    },
    async stop() {
      stopping.abort(new Stopping());
      await Promise.allSettled([...attempts.values()].map(({ done }) => done));
    },
  };
}

/** Whether what an earlier attempt came to is what somebody who joined it wanted. */
function answers({ store_id, revision, documents, failure }: Readiness, wanting: Wanting): boolean {
  if (failure) return true;
  const { complaint } = wanting;
  if (complaint?.store_id === store_id && complaint?.revision === revision) return false;
  const ready = new Set(
    documents
      .filter((document) => document.vector_store_id === store_id || document.index_error !== null)
      .map(({ original_id }) => original_id),
  );
  return (wanting.documents ?? []).every(({ original_id }) => ready.has(original_id));
}
