import { Worker } from 'node:worker_threads';
import { AppError, type ErrorCode } from '../platform/errors.ts';
import type { ExtractionInput, ExtractionOutcome, ExtractionProblem } from './extract-text-worker.ts';
import { inReadingPlace } from './reading-places.ts';

/**
 * What the database takes in of a document. `page_count`: null where the type has no pages. `language`: PostgreSQL's
 * name of it. `passages_json`: its words cut for search, [{ordinal, page, content, words?}] as JSON in UTF-8; nothing in this
 * thread reads it.
 */
export type ExtractedText = {
  page_count: number | null;
  words: number;
  language: string;
  passages_json: Uint8Array;
};

type Options = {
  /** From the start of the work; waiting for a place does not count. */
  timeout_ms?: number;
  memory_mb?: number;
  signal?: AbortSignal;
};

const memory_check_ms = 200;

const nothingSaved = 'Nothing was saved.';
const problems: Record<ExtractionProblem, { code: ErrorCode; message: string }> = {
  password: {
    code: 'unreadable_file',
    message: `This document has a password, so it cannot be read. ${nothingSaved} Save a copy without the password and add that.`,
  },
  broken: {
    code: 'unreadable_file',
    message: `This document is damaged or incomplete, so it cannot be read. ${nothingSaved} Open it on your device, save it anew and add it again.`,
  },
  broken_json: {
    code: 'unreadable_file',
    message: `This file is named .json, but it is no whole JSON: something in it is missing or misplaced. ${nothingSaved} Save it anew, or rename it to end in .txt, and add it again.`,
  },
  too_big_inside: {
    code: 'unreadable_file',
    message: `This document holds more than can be read in one go: a text of 20 million characters, or a table as large, is the most. ${nothingSaved} Split it into smaller ones and add those that matter.`,
  },
  timed_out: {
    code: 'unreadable_file',
    message: `Reading this document took too long, so it was given up. ${nothingSaved} Save it anew or split it into smaller ones, and add it again.`,
  },
  no_text_in_pdf: {
    code: 'empty_file',
    message: `This PDF holds pictures of pages but no text, as a scan does. ${nothingSaved} Run text recognition (OCR) on it, or paste the words into your message.`,
  },
  no_text: {
    code: 'empty_file',
    message: `This document holds no words. ${nothingSaved} Check that it is the right one and add it again.`,
  },
};

/**
 * The text of a stored document whose type `detectFileType` found, with its passages. The work is done in a
 * worker thread of its own, two at once, further ones wait; aborting ends it and throws the signal's reason.
 * Throws `unreadable_file` (damaged, password, too big, too slow), `empty_file`, or `too_many_requests` where too many
 * wait already; never the document's words.
 */
export async function extractText(
  path: string,
  file_type: string,
  { timeout_ms = 60_000, memory_mb = 512, signal }: Options = {},
): Promise<ExtractedText> {
  const outcome = await inReadingPlace(signal, () =>
    runWorker({ path, file_type }, { timeout_ms, memory_mb, signal }),
  );
  if ('problem' in outcome) {
    const { code, message } = problems[outcome.problem];
    throw new AppError(code, message, { cause: outcome.cause });
  }
  return outcome;
}

/** A worker a document: it starts in about 0.1 s, and whatever a hostile file leaves behind ends with it. */
async function runWorker(
  input: ExtractionInput,
  { timeout_ms, memory_mb, signal }: Required<Omit<Options, 'signal'>> & Pick<Options, 'signal'>,
): Promise<ExtractionOutcome> {
  signal?.throwIfAborted();
  const worker = new Worker(new URL('./extract-text-worker.ts', import.meta.url), {
    workerData: input,
    resourceLimits: { maxOldGenerationSizeMb: memory_mb },
    // Libraries print what they stumble over, and that may be the document's words.
    stdout: true,
    stderr: true,
    env: {},
    execArgv: [],
  });
  worker.stdout.resume();
  worker.stderr.resume();
  const { promise, resolve, reject } = Promise.withResolvers<ExtractionOutcome>();
  worker.once('message', resolve);
  worker.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') resolve({ problem: 'too_big_inside', cause: error.code });
    else reject(new Error(`The worker that reads documents failed: ${error.name} ${error.code ?? ''}`));
  });
  worker.once('exit', (code) => reject(new Error(`The worker that reads documents ended with ${code}.`)));
  const deadline = setTimeout(() => resolve({ problem: 'timed_out' }), timeout_ms);
  // The resource limit does not bind buffers outside the heap, into which compressed streams are unpacked.
  const memoryCheck = setInterval(async () => {
    const memory = await worker.getHeapStatistics().catch(() => undefined);
    if (memory && memory.used_heap_size + memory.external_memory > memory_mb * 1024 * 1024) {
      resolve({ problem: 'too_big_inside' });
    }
  }, memory_check_ms);
  const abort = () => reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await promise;
  } finally {
    clearTimeout(deadline);
    clearInterval(memoryCheck);
    signal?.removeEventListener('abort', abort);
    await worker.terminate();
  }
}
