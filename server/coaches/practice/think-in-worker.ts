import { Worker } from 'node:worker_threads';
import { AppError } from '../../platform/errors.ts';
import type { ModelTurn, Passage } from '../../platform/models/model.ts';
import type { ReplyPiece } from './reply-with-files.ts';
import type { Thought } from './think.ts';
import type { Stretch, ThoughtMessage } from './think-worker.ts';

type Options = {
  searchFiles: ModelTurn['searchFiles'];
  signal: AbortSignal;
  /** For the thinking alone; waiting for others, for a search and for whoever reads the pieces does not count. */
  limit_ms: number;
};

/**
 * What `think` says, thought in a worker thread: a chat of 200 messages takes long enough to hold up every stream on
 * the main thread. All thoughts share one worker, which thinks one stretch at a time; one that takes too long or dies
 * is replaced. Throws `model_failed`, or the signal's reason.
 */
export async function* thinkInWorker(
  thought: Thought,
  { searchFiles, signal, limit_ms }: Options,
): AsyncGenerator<ReplyPiece, void, void> {
  const id = ++lastId;
  let left_ms = limit_ms;
  let worker: ThinkingWorker | undefined;
  const thinkOn = (message: ThoughtMessage): Promise<Stretch> =>
    inLine(async () => {
      worker ??= await getWorker();
      signal.throwIfAborted();
      const started = performance.now();
      const stretch = await worker.ask(message, left_ms);
      left_ms -= performance.now() - started;
      return stretch;
    });
  try {
    let message: ThoughtMessage = { id, kind: 'think', thought };
    while (true) {
      const stretch: Stretch = await untilAborted(thinkOn(message), signal);
      if ('failed' in stretch) throw brokeOff(stretch.failed);
      yield* stretch.pieces;
      if (!stretch.search) return;
      const { query, limit }: { query: string; limit: number } = stretch.search;
      // A search that fails costs the quotes, not the reply.
      const found: Promise<Passage[]> = searchFiles(query, limit);
      const passages: Passage[] | null = await untilAborted(
        found.catch(() => null),
        signal,
      );
      message = { id, kind: 'found', passages };
    }
  } finally {
    worker?.forget(id);
  }
}

type ThinkingWorker = Awaited<ReturnType<typeof startWorker>>;

let lastId = 0;
let current: Promise<ThinkingWorker> | undefined;
let last: Promise<unknown> = Promise.resolve();

/** Runs one after the other, in the order of the calls. */
function inLine<Result>(run: () => Promise<Result>): Promise<Result> {
  const result = last.then(run);
  last = result.catch(() => {});
  return result;
}

async function getWorker(): Promise<ThinkingWorker> {
  const known = await current?.catch(() => undefined);
  if (known && !known.hasEnded()) return known;
  current = startWorker();
  return current;
}

async function startWorker() {
  const worker = new Worker(new URL('./think-worker.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: 256 },
    // Whatever might be printed may be a member's words. It is not read: reading would keep the process alive.
    stdout: true,
    stderr: true,
    env: {},
    execArgv: [],
  });
  let ended = false;
  let waiting: PromiseWithResolvers<'ready' | Stretch> | undefined;
  worker.on('message', (answer: 'ready' | Stretch) => waiting?.resolve(answer));
  worker.once('error', (error: NodeJS.ErrnoException) => end(`${error.name} ${error.code ?? ''}`));
  worker.once('exit', (code) => end(`it ended with ${code}`));

  function end(reason: string) {
    ended = true;
    waiting?.reject(brokeOff(reason));
  }

  /** The next answer; the process stays alive for it, and for nothing else of the worker. */
  async function nextAnswer() {
    waiting = Promise.withResolvers();
    worker.ref();
    try {
      return await waiting.promise;
    } finally {
      waiting = undefined;
      worker.unref();
    }
  }

  async function ask(message: ThoughtMessage, limit_ms: number): Promise<Stretch> {
    if (ended) throw brokeOff('it ended while a search ran');
    const timer = setTimeout(() => {
      end(`it took longer than ${Math.round(limit_ms)} ms`);
      void worker.terminate();
    }, limit_ms);
    try {
      const answer = nextAnswer();
      worker.postMessage(message);
      return (await answer) as Stretch;
    } finally {
      clearTimeout(timer);
    }
  }

  await nextAnswer();
  return {
    hasEnded: () => ended,
    ask,
    forget(id: number) {
      if (!ended) worker.postMessage({ id, kind: 'forget' } satisfies ThoughtMessage);
    },
  };
}

function brokeOff(reason: string) {
  return new AppError(
    'model_failed',
    'The coach did not get to the end of its thought. Nothing was counted; send your message again or start a new chat.',
    { cause: new Error(`The practice coach’s worker: ${reason}`) },
  );
}

async function untilAborted<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
