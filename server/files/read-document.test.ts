import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Document, Packer, Paragraph, TextRun } from 'docx';
import { PDFDocument, StandardFonts } from 'pdf-lib';
import { expect, test } from 'vitest';
import { documentTypes } from './detect-file-type.ts';
import { readDocument } from './read-document.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../testing/fixtures/${name}`, import.meta.url));
const { pdf, docx, markdown, text } = documentTypes;

async function readFixture(name: string, type: { file_type: string }) {
  return readDocument(await readFile(fixture(name)), type.file_type);
}

type Written = { text: string; x?: number; y: number; size?: number };

async function makePdf(pages: Written[][]) {
  const document = await PDFDocument.create();
  const font = await document.embedFont(StandardFonts.Helvetica);
  for (const lines of pages) {
    const page = document.addPage([600, 800]);
    for (const { text, x = 50, y, size = 12 } of lines) page.drawText(text, { x, y: 800 - y, size, font });
  }
  return document.save();
}

/** Lines of a column, 15 points apart, from `y` on. */
const column = (lines: string[], { x = 50, y = 150 } = {}) =>
  lines.map((line, index) => ({ text: line, x, y: y + index * 15 }));

async function readPdfPages(pages: Written[][]) {
  const read = await readDocument(Buffer.from(await makePdf(pages)), pdf.file_type);
  return read.pages.map((page) => page.content);
}

test('a report is read page by page, without its headers and footers', async () => {
  const { pages, passages, words } = await readFixture('ridgeway-bakery-review.pdf', pdf);
  expect(pages.map(({ page }) => page)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(words).toBeGreaterThan(1200);
  expect(words).toBeLessThan(1500);
  const everything = pages.map(({ content }) => content).join('\n');
  expect(everything).not.toMatch(/Page \d of 6|Year in review/);
  expect(pages[0]?.content).toMatch(/^A year of better bread\n\nRidgeway Bakery closed 2025/);
  expect(pages[2]?.content).toContain('Ridge Rye\t64,200\t£4.80\t+6%\n');
  expect(passages.every(({ page }) => page !== null && page >= 1 && page <= 6)).toBe(true);
});

test('words that a PDF divides between lines are whole again, and paragraphs stay apart', async () => {
  const { pages } = await readFixture('ridgeway-bakery-review.pdf', pdf);
  expect(pages[3]?.content).toContain(
    'The Wednesday sourdough subscription costs £18.50 a month and brings one large loaf a week, to be picked up between four and six o’clock.',
  );
  expect(pages[0]?.content).toContain('both were what we wanted.\n\nIt was not a year of grand plans.');
  for (const { content } of pages) expect(content).not.toMatch(/[a-z]-\n|[^.:;!?”\d]\n(?=[a-z])/);
});

test('a passage can be found that holds a fact, with its page', async () => {
  const { passages } = await readFixture('ridgeway-bakery-review.pdf', pdf);
  const pageOf = (fact: string) => passages.find(({ content }) => content.includes(fact))?.page;
  expect(pageOf('412 subscribers')).toBe(4);
  expect(pageOf('Leo Brandt')).toBe(5);
  expect(pageOf('Weaver’s Wharf')).toBe(6);
});

test('a hyphen that belongs to a word survives the end of a line', async () => {
  const [content] = await readPdfPages([
    column([
      'The long-term plan of Anna Müller-',
      'Lüdenscheid is well known; it is a long-',
      'term plan with Vor- und Nachteile, Haupt-',
      'und Nebenwege, and some experi-',
      'ments.',
    ]),
  ]);
  expect(content).toBe(
    'The long-term plan of Anna Müller-Lüdenscheid is well known; it is a long-term plan with Vor- und Nachteile, Haupt- und Nebenwege, and some experiments.',
  );
});

test('two columns are read one after the other, and the sentence between them goes on', async () => {
  const left = column(['The left column speaks of rye', 'and of the mill. It ends in the']);
  const right = column(['middle of a sentence, as', 'columns do.'], { x: 320 });
  expect(await readPdfPages([[...left, ...right]])).toEqual([
    'The left column speaks of rye and of the mill. It ends in the middle of a sentence, as columns do.',
  ]);
});

test('lines that were broken on purpose stay lines', async () => {
  const [content] = await readPdfPages([
    column([
      'Ridgeway Bakery',
      '4 Harrow Lane',
      'Aldermoor',
      '',
      'We would be glad to see you here on any morning but Monday.',
    ]),
  ]);
  expect(content).toBe(
    'Ridgeway Bakery\n4 Harrow Lane\nAldermoor\n\nWe would be glad to see you here on any morning but Monday.',
  );
});

test('an empty page keeps its number', async () => {
  expect(await readPdfPages([column(['First.']), [], column(['Third.'])])).toEqual(['First.', '', 'Third.']);
});

test('a Word document keeps headings, lists and tables readable', async () => {
  const { pages, words } = await readFixture('brand-voice.docx', docx);
  expect(pages).toHaveLength(1);
  expect(pages[0]?.page).toBeNull();
  expect(pages[0]?.content).toContain('# How Ridgeway sounds\n\nWe write the way Nora talks');
  expect(pages[0]?.content).toContain('## What we always do\n\n- Name the person who baked it');
  expect(pages[0]?.content).toContain('\nneighbours | target group | They can hear us.\n');
  expect(pages[0]?.content).toContain('\n3. Check that the first line');
  expect(words).toBeGreaterThan(140);
});

test('a Word document shows its words as they are, whatever characters they hold', async () => {
  const paragraph = new Paragraph({ children: [new TextRun('1. <b>R&D</b> & "more" &amp; *stars* _a_ 🥨')] });
  const bytes = await Packer.toBuffer(new Document({ sections: [{ children: [paragraph] }] }));
  const { pages } = await readDocument(bytes, docx.file_type);
  expect(pages[0]?.content).toBe('1. <b>R&D</b> & "more" &amp; *stars* _a_ 🥨');
});

test('texts come out as they were written', async () => {
  for (const [name, type] of [
    ['founder-notes.md', markdown],
    ['interview-transcript.txt', text],
  ] as const) {
    const { pages, passages } = await readFixture(name, type);
    expect(pages).toEqual([{ page: null, content: (await readFile(fixture(name), 'utf8')).trim() }]);
    expect(passages.map(({ ordinal }) => ordinal)).toEqual(passages.map((_, index) => index + 1));
  }
});

test('what PostgreSQL refuses is removed or repaired', async () => {
  const bytes = Buffer.from('\ufeffone\0 two\ud83d three\r\nfour\u0007\f five', 'utf16le');
  const { pages, words } = await readDocument(bytes, text.file_type);
  expect(pages[0]?.content).toBe('one two\ufffd three\nfour\n five');
  expect(words).toBe(5);
});

test('a PDF that a password only keeps from being changed is read', async () => {
  const { pages } = await readFixture('owner-password.pdf', pdf);
  expect(pages).toEqual([{ page: 1, content: 'The starter sleeps in the cellar.' }]);
});
