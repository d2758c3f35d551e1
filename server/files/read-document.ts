import { decodeText, documentTypes } from './detect-file-type.ts';
import { readDocx } from './read-docx.ts';
import { readPdf } from './read-pdf.ts';
import { type DocumentPage, type DocumentPassage, splitPassages } from './split-passages.ts';

/**
 * What a document says. `pages`: one a page of a PDF (also the empty ones, so that numbers stay true), a
 * single one with `page: null` of other types. `passages`: the same words, cut for search.
 */
export type ReadDocument = { pages: DocumentPage[]; passages: DocumentPassage[]; words: number };

/** Why a document that its type's reader accepted cannot be taken in. */
export class UnreadableDocument extends Error {
  readonly problem: 'broken' | 'too_big_inside' | 'no_text_in_pdf' | 'no_text';
  constructor(problem: UnreadableDocument['problem']) {
    super(problem);
    this.name = 'UnreadableDocument';
    this.problem = problem;
  }
}

const max_text_characters = 20_000_000;

/**
 * Reads a document whose type `detectFileType` found. Blocks, and trusts nobody's memory: `extractText` runs it in
 * a thread of its own. Throws `UnreadableDocument`, `ZipError` and what the libraries throw, which may quote the
 * document.
 */
export async function readDocument(bytes: Buffer, file_type: string): Promise<ReadDocument> {
  const pages = await readPages(bytes, file_type);
  const words = pages.reduce((sum, page) => sum + countWords(page.content), 0);
  if (words === 0) throw new UnreadableDocument(whyEmpty(bytes, file_type));
  return { pages, passages: splitPassages(pages), words };
}

async function readPages(bytes: Buffer, file_type: string): Promise<DocumentPage[]> {
  let pages: DocumentPage[];
  if (file_type === documentTypes.pdf.file_type) pages = await readPdf(bytes);
  else if (file_type === documentTypes.docx.file_type)
    pages = [{ page: null, content: await readDocx(bytes) }];
  else pages = [{ page: null, content: decodeText(bytes) }];
  if (pages.reduce((sum, page) => sum + page.content.length, 0) > max_text_characters) {
    throw new UnreadableDocument('too_big_inside');
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
function whyEmpty(bytes: Buffer, file_type: string) {
  if (file_type !== documentTypes.pdf.file_type) return 'no_text';
  return bytes.subarray(-65_536).includes('startxref') ? 'no_text_in_pdf' : 'broken';
}
