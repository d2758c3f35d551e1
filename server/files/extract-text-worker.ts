/**
 * Runs in a worker thread of `extract-text.ts`: reads one document and answers with what the database takes in, or
 * with the problem. Messages of libraries may quote the document; only the names of errors leave.
 */
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { ExtractedText } from './extract-text.ts';
import { readDocument } from './read-document.ts';
import { ZipError } from './unpack-zip.ts';
import { UnreadableDocument } from './unreadable-document.ts';
import { unspacedWords } from './unspaced-words.ts';

export type ExtractionInput = { path: string; file_type: string };
export type ExtractionProblem = UnreadableDocument['problem'] | 'password' | 'timed_out';
export type ExtractionOutcome = ExtractedText | { problem: ExtractionProblem; cause?: string };

async function answer(bytes: Buffer, file_type: string) {
  const { pages, passages, words, language } = await readDocument(bytes, file_type);
  const page_count = pages[0]?.page === null ? null : pages.length;
  const searchable = passages.map((passage) => {
    const unspaced = unspacedWords(passage.content);
    return unspaced.length > 0 ? { ...passage, words: unspaced } : passage;
  });
  const passages_json = new TextEncoder().encode(JSON.stringify(searchable));
  const outcome: ExtractionOutcome = { page_count, words, language, passages_json };
  // Moved and not copied: the main thread pays nothing for a long text.
  parentPort?.postMessage(outcome, [passages_json.buffer]);
}

function answerProblem(error: unknown) {
  const cause = error instanceof Error && /^\w{1,40}$/.test(error.name) ? error.name : 'unknown';
  const outcome: ExtractionOutcome = { problem: findProblem(error), cause };
  parentPort?.postMessage(outcome);
}

function findProblem(error: unknown): ExtractionProblem {
  if (error instanceof UnreadableDocument) return error.problem;
  if (error instanceof ZipError) return error.reason === 'too_big' ? 'too_big_inside' : error.reason;
  // The name that pdf.js gives to its error.
  return error instanceof Error && error.name === 'PasswordException' ? 'password' : 'broken';
}

const { path, file_type } = workerData as ExtractionInput;
// A file that is not there is no fault of the document: this error ends the worker.
const bytes = readFileSync(path);
process.on('unhandledRejection', answerProblem);
process.on('uncaughtException', answerProblem);
await answer(bytes, file_type).catch(answerProblem);
