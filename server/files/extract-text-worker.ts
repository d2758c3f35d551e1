/**
 * Runs in a worker thread of `extract-text.ts`: reads one document and answers with its pages, passages and
 * words, or with the problem. Messages of libraries may quote the document; only the names of errors leave.
 */
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { decodeText, documentTypes, ZipError } from './detect-file-type.ts';
import type { ExtractedText } from './extract-text.ts';
import { readDocx } from './read-docx.ts';
import { readPdf } from './read-pdf.ts';
import { type DocumentPage, splitPassages } from './split-passages.ts';

export type ExtractionInput = { path: string; file_type: string };
export type ExtractionProblem =
  | 'password'
  | 'broken'
  | 'too_big_inside'
  | 'timed_out'
  | 'no_text_in_pdf'
  | 'no_text';
export type ExtractionOutcome = ExtractedText | { problem: ExtractionProblem; cause?: string };

const max_text_characters = 20_000_000;

class Unreadable extends Error {
  readonly problem: ExtractionProblem;
  constructor(problem: ExtractionProblem) {
    super(problem);
    this.name = 'Unreadable';
    this.problem = problem;
  }
}

async function answer(bytes: Buffer, file_type: string) {
  const pages = await readPages(bytes, file_type);
  const words = pages.reduce((sum, page) => sum + countWords(page.content), 0);
  if (words === 0) throw new Unreadable(whyEmpty(bytes, file_type));
  const outcome: ExtractionOutcome = { pages, passages: splitPassages(pages), words };
  parentPort?.postMessage(outcome);
}

function answerProblem(error: unknown) {
  const cause = error instanceof Error && /^\w{1,40}$/.test(error.name) ? error.name : 'unknown';
  const outcome: ExtractionOutcome = { problem: findProblem(error), cause };
  parentPort?.postMessage(outcome);
}

function findProblem(error: unknown): ExtractionProblem {
  if (error instanceof Unreadable) return error.problem;
  if (error instanceof ZipError) return error.reason === 'too_big' ? 'too_big_inside' : error.reason;
  // The name that pdf.js gives to its error.
  return error instanceof Error && error.name === 'PasswordException' ? 'password' : 'broken';
}

async function readPages(bytes: Buffer, file_type: string): Promise<DocumentPage[]> {
  let pages: DocumentPage[];
  if (file_type === documentTypes.pdf.file_type) pages = await readPdf(bytes);
  else if (file_type === documentTypes.docx.file_type)
    pages = [{ page: null, content: await readDocx(bytes) }];
  else pages = [{ page: null, content: decodeText(bytes) }];
  if (pages.reduce((sum, page) => sum + page.content.length, 0) > max_text_characters) {
    throw new Unreadable('too_big_inside');
  }
  return pages.map(({ page, content }) => ({ page, content: clean(content) }));
}

/** PostgreSQL refuses NUL; other control characters and halves of characters help nobody. */
function clean(text: string) {
  return (
    text
      .replace(/\r\n?|[\v\f\u0085\u2028\u2029]/g, '\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to remove
      .replace(/[\0-\x08\x0e-\x1f\x7f-\x9f\ufeff]/g, '')
      .toWellFormed()
      .trim()
  );
}

function countWords(text: string) {
  const word = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]|[\p{L}\p{N}][\p{L}\p{N}\p{M}'’-]*/gu;
  let words = 0;
  while (word.exec(text)) words++;
  return words;
}

/** A PDF without words is a scan, unless its end is missing: then its words may have been there. */
function whyEmpty(bytes: Buffer, file_type: string): ExtractionProblem {
  if (file_type !== documentTypes.pdf.file_type) return 'no_text';
  return bytes.subarray(-65_536).includes('startxref') ? 'no_text_in_pdf' : 'broken';
}

if (parentPort) {
  const { path, file_type } = workerData as ExtractionInput;
  // A file that is not there is no fault of the document: this error ends the worker.
  const bytes = readFileSync(path);
  process.on('unhandledRejection', answerProblem);
  process.on('uncaughtException', answerProblem);
  await answer(bytes, file_type).catch(answerProblem);
}
