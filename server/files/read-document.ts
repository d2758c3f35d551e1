import { cleanText, countWords } from './clean-text.ts';
import { decodeText } from './detect-file-type.ts';
import { detectLanguage } from './detect-language.ts';
import { fileTypes } from './file-types.ts';
import { readCsv } from './read-csv.ts';
import { readDocx } from './read-docx.ts';
import { readHtml } from './read-html.ts';
import { readJson } from './read-json.ts';
import { readPdf } from './read-pdf.ts';
import { readXlsx } from './read-xlsx.ts';
import { renderTable, type Table } from './render-table.ts';
import { type DocumentPage, type DocumentPassage, splitPassages } from './split-passages.ts';
import { UnreadableDocument } from './unreadable-document.ts';

/**
 * What a document says. `pages`: one a page of a PDF (also the empty ones, so that numbers stay true), a
 * single one with `page: null` of other types. `passages`: the same words, cut for search; of a table each with
 * its sheet, its rows' numbers and its header. `language`: PostgreSQL's name of it, `simple` where it is unknown.
 */
type ReadDocument = {
  pages: DocumentPage[];
  passages: DocumentPassage[];
  words: number;
  language: string;
};

const max_text_characters = 20_000_000;

/**
 * Reads a document whose type `detectFileType` found. Blocks, and trusts nobody's memory: `extractText` runs it in
 * a thread of its own. Throws `UnreadableDocument`, `ZipError` and what the libraries throw, which may quote the
 * document.
 */
export async function readDocument(bytes: Buffer, file_type: string): Promise<ReadDocument> {
  const tables = await readTables(bytes, file_type);
  const { pages, passages } = tables ? readAsTables(tables) : readAsText(await readPages(bytes, file_type));
  const words = pages.reduce((sum, page) => sum + countWords(page.content), 0);
  if (words === 0) throw new UnreadableDocument(whyEmpty(bytes, file_type));
  return { pages, passages, words, language: await detectLanguage(pages) };
}

async function readTables(bytes: Buffer, file_type: string): Promise<Table[] | undefined> {
  if (file_type === fileTypes.xlsx.file_type) return readXlsx(bytes);
  if (file_type !== fileTypes.csv.file_type) return undefined;
  const text = decodeText(bytes);
  if (text.length > max_text_characters) throw new UnreadableDocument('too_big_inside');
  return readCsv(text);
}

async function readPages(bytes: Buffer, file_type: string): Promise<DocumentPage[]> {
  if (file_type === fileTypes.pdf.file_type) return readPdf(bytes);
  return [{ page: null, content: await readSinglePage(bytes, file_type) }];
}

async function readSinglePage(bytes: Buffer, file_type: string) {
  switch (file_type) {
    case fileTypes.docx.file_type:
      return readDocx(bytes);
    case fileTypes.html.file_type:
      return readHtml(bytes);
    case fileTypes.json.file_type:
      return readJson(decodeText(bytes));
    default:
      return decodeText(bytes);
  }
}

function readAsText(read: DocumentPage[]) {
  if (read.reduce((sum, page) => sum + page.content.length, 0) > max_text_characters) {
    throw new UnreadableDocument('too_big_inside');
  }
  const pages = read.map(({ page, content }) => ({ page, content: cleanText(content) }));
  return { pages, passages: splitPassages(pages) };
}

function readAsTables(tables: Table[]) {
  const cells = tables.flatMap(({ rows }) => rows.map(({ cells }) => cells.join(' ')));
  if (cells.reduce((sum, row) => sum + row.length, 0) > max_text_characters) {
    throw new UnreadableDocument('too_big_inside');
  }
  const passages = tables
    .flatMap(renderTable)
    .map((content, index) => ({ ordinal: index + 1, page: null, content }));
  return { pages: [{ page: null, content: cells.join('\n') }], passages };
}

/** A PDF without words is a scan, unless its end is missing: then its words may have been there. */
function whyEmpty(bytes: Buffer, file_type: string) {
  if (file_type !== fileTypes.pdf.file_type) return 'no_text';
  return bytes.subarray(-65_536).includes('startxref') ? 'no_text_in_pdf' : 'broken';
}
