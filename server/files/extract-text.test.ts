import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { Document, Packer, Paragraph, TextRun } from 'docx';
import { PDFDocument, StandardFonts } from 'pdf-lib';
import { afterAll, expect, test } from 'vitest';
import { AppError } from '../platform/errors.ts';
import { documentTypes } from './detect-file-type.ts';
import { extractText } from './extract-text.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../testing/fixtures/${name}`, import.meta.url));
const { pdf, docx, markdown, text } = documentTypes;
const folder = await mkdtemp(join(tmpdir(), 'extract-text-'));
afterAll(() => rm(folder, { recursive: true }));

async function keep(name: string, content: Uint8Array | string) {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
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

async function readPdfPages(name: string, pages: Written[][]) {
  const { pages: read } = await extractText(await keep(name, await makePdf(pages)), pdf.file_type);
  return read.map((page) => page.content);
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it was read'),
    (error) => error,
  );

test('a report is read page by page, without its headers and footers', async () => {
  const { pages, passages, words } = await extractText(fixture('ridgeway-bakery-review.pdf'), pdf.file_type);
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
  const { pages } = await extractText(fixture('ridgeway-bakery-review.pdf'), pdf.file_type);
  expect(pages[3]?.content).toContain(
    'The Wednesday sourdough subscription costs £18.50 a month and brings one large loaf a week, to be picked up between four and six o’clock.',
  );
  expect(pages[0]?.content).toContain('both were what we wanted.\n\nIt was not a year of grand plans.');
  for (const { content } of pages) expect(content).not.toMatch(/[a-z]-\n|[^.:;!?”\d]\n(?=[a-z])/);
});

test('a passage can be found that holds a fact, with its page', async () => {
  const { passages } = await extractText(fixture('ridgeway-bakery-review.pdf'), pdf.file_type);
  const pageOf = (fact: string) => passages.find(({ content }) => content.includes(fact))?.page;
  expect(pageOf('412 subscribers')).toBe(4);
  expect(pageOf('Leo Brandt')).toBe(5);
  expect(pageOf('Weaver’s Wharf')).toBe(6);
});

test('a hyphen that belongs to a word survives the end of a line', async () => {
  const [content] = await readPdfPages('hyphens.pdf', [
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
  expect(await readPdfPages('columns.pdf', [[...left, ...right]])).toEqual([
    'The left column speaks of rye and of the mill. It ends in the middle of a sentence, as columns do.',
  ]);
});

test('lines that were broken on purpose stay lines', async () => {
  const [content] = await readPdfPages('address.pdf', [
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
  expect(await readPdfPages('gap.pdf', [column(['First.']), [], column(['Third.'])])).toEqual([
    'First.',
    '',
    'Third.',
  ]);
});

test('a Word document keeps headings, lists and tables readable', async () => {
  const { pages, words } = await extractText(fixture('brand-voice.docx'), docx.file_type);
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
  const path = await keep(
    'marks.docx',
    await Packer.toBuffer(new Document({ sections: [{ children: [paragraph] }] })),
  );
  const { pages } = await extractText(path, docx.file_type);
  expect(pages[0]?.content).toBe('1. <b>R&D</b> & "more" &amp; *stars* _a_ 🥨');
});

test('texts come out as they were written', async () => {
  for (const [name, type] of [
    ['founder-notes.md', markdown],
    ['interview-transcript.txt', text],
  ] as const) {
    const { pages, passages } = await extractText(fixture(name), type.file_type);
    expect(pages).toEqual([{ page: null, content: (await readFile(fixture(name), 'utf8')).trim() }]);
    expect(passages.map(({ ordinal }) => ordinal)).toEqual(passages.map((_, index) => index + 1));
  }
});

test('what PostgreSQL refuses is removed or repaired', async () => {
  const path = await keep(
    'odd.txt',
    Buffer.from('\ufeffone\0 two\ud83d three\r\nfour\u0007\f five', 'utf16le'),
  );
  const { pages, words } = await extractText(path, text.file_type);
  expect(pages[0]?.content).toBe('one two\ufffd three\nfour\n five');
  expect(words).toBe(5);
});

test.each([
  ['encrypted.pdf', pdf, 'unreadable_file', /password.*Save a copy without the password/],
  ['broken.pdf', pdf, 'unreadable_file', /damaged or incomplete.*save it anew/],
  ['scanned.pdf', pdf, 'empty_file', /no text.*text recognition/],
  ['not-really.pdf', pdf, 'unreadable_file', /damaged/],
  ['zip-bomb.docx', docx, 'unreadable_file', /more than can be read.*Split it/],
  ['broken.pdf', docx, 'unreadable_file', /damaged/],
])('%s is refused with what to do', async (name, type, code, sentence) => {
  const error = await failure(extractText(fixture(name), type.file_type));
  expect(error).toBeInstanceOf(AppError);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(sentence);
  expect(error.message).toContain('Nothing was saved.');
});

test('a document of marks without words is refused as empty', async () => {
  const path = await keep('marks.txt', ' *** \n --- \n 🥨');
  expect(await failure(extractText(path, text.file_type))).toMatchObject({ code: 'empty_file' });
});

test('a PDF that a password only keeps from being changed is read', async () => {
  const { pages } = await extractText(fixture('owner-password.pdf'), pdf.file_type);
  expect(pages).toEqual([{ page: 1, content: 'The starter sleeps in the cellar.' }]);
});

/** A Word document with this XML inside, stored without compression. */
function makeDocx(body: string) {
  const name = 'word/document.xml';
  const data = Buffer.from(body);
  const common = Buffer.alloc(26);
  common.writeUInt32LE(data.length, 14);
  common.writeUInt32LE(data.length, 18);
  common.writeUInt16LE(name.length, 22);
  const file = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), data]);
  const entry = Buffer.concat([Buffer.from('PK\x01\x02\0\0'), common, Buffer.alloc(14), Buffer.from(name)]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt32LE(entry.length, 12);
  end.writeUInt32LE(file.length, 16);
  return Buffer.concat([file, entry, end]);
}

const word = 'http://schemas.openxmlformats.org/wordprocessingml/2006/main';

test('half a character in a Word document is repaired', async () => {
  const body = `<w:document xmlns:w="${word}"><w:body><w:p><w:r><w:t>rye &#xD83D; bread</w:t></w:r></w:p></w:body></w:document>`;
  const { pages, passages } = await extractText(await keep('half.docx', makeDocx(body)), docx.file_type);
  expect(pages[0]?.content).toMatch(/^rye .*bread$/);
  expect(pages[0]?.content.isWellFormed()).toBe(true);
  expect(passages[0]?.content.isWellFormed()).toBe(true);
});

test('no error carries the words of the document', async () => {
  const secret = 'Zitronenkuchen';
  const broken = Buffer.from(`%PDF-1.7\n1 0 obj << /${secret} (${secret}) >> ${secret} trailer ${secret}`);
  const document = makeDocx(`<w:document xmlns:w="${word}"><w:body>&${secret};</w:body></w:document>`);
  for (const [name, content, type] of [
    ['a.pdf', broken, pdf],
    ['a.docx', document, docx],
  ] as const) {
    const error = await failure(extractText(await keep(name, content), type.file_type));
    expect(error).toMatchObject({ code: 'unreadable_file' });
    expect(`${error.message} ${error.stack} ${error.cause} ${JSON.stringify(error)}`).not.toContain(secret);
  }
});

test('a document that needs more memory than allowed ends alone', async () => {
  const path = await keep('long.txt', 'Flour, water, salt and time. '.repeat(300_000));
  const error = await failure(extractText(path, text.file_type, { memory_mb: 24 }));
  expect(error).toMatchObject({
    code: 'unreadable_file',
    message: expect.stringContaining('more than can be read'),
  });
});

test('a PDF that unpacks beyond the memory limit ends alone', async () => {
  const document = await PDFDocument.create();
  const packed = deflateSync(Buffer.alloc(400 << 20, ' '), { level: 1 });
  const stream = document.context.stream(packed, { Filter: 'FlateDecode' });
  document.addPage().node.addContentStream(document.context.register(stream));
  const path = await keep('bomb.pdf', await document.save());
  const error = await failure(extractText(path, pdf.file_type, { memory_mb: 100 }));
  expect(error).toMatchObject({
    code: 'unreadable_file',
    message: expect.stringContaining('more than can be read'),
  });
});

test('a document that takes too long is given up', async () => {
  const path = await keep('slow.txt', 'Flour, water, salt and time. '.repeat(500_000));
  const error = await failure(extractText(path, text.file_type, { timeout_ms: 60 }));
  expect(error).toMatchObject({ code: 'unreadable_file', message: expect.stringContaining('too long') });
});

test('aborting ends the work at once, and frees the place', async () => {
  const path = await keep('long-read.txt', 'Flour, water, salt and time. '.repeat(300_000));
  const controllers = Array.from({ length: 4 }, () => new AbortController());
  const reads = controllers.map(({ signal }) => failure(extractText(path, text.file_type, { signal })));
  for (const [index, controller] of controllers.entries()) controller.abort(new Error(`left ${index}`));
  expect((await Promise.all(reads)).map((error) => error.message)).toEqual([
    'left 0',
    'left 1',
    'left 2',
    'left 3',
  ]);
  expect((await extractText(fixture('ridgeway-bakery-review.pdf'), pdf.file_type)).pages).toHaveLength(6);
});

test('aborting ends the waiting while others are being read', async () => {
  const path = await keep('two-at-once.txt', 'Flour, water, salt and time. '.repeat(300_000));
  const order: string[] = [];
  const reads = [1, 2].map(() => extractText(path, text.file_type).then(() => order.push('read')));
  const controller = new AbortController();
  const { signal } = controller;
  const waiting = failure(extractText(path, text.file_type, { signal })).then(() => order.push('left'));
  controller.abort();
  await Promise.all([...reads, waiting]);
  expect(order).toEqual(['left', 'read', 'read']);
  expect(await failure(extractText(path, text.file_type, { signal }))).toBe(signal.reason);
});

test('more documents than places are all read in turn', async () => {
  const path = fixture('interview-transcript.txt');
  const read = await Promise.all(Array.from({ length: 6 }, () => extractText(path, text.file_type)));
  expect(new Set(read.map(({ words }) => words)).size).toBe(1);
});

test('a file that is missing is our failure, not the document’s', async () => {
  const error = await failure(extractText(join(folder, 'missing.pdf'), pdf.file_type));
  expect(error).not.toBeInstanceOf(AppError);
});

test('the event loop stays free while a long document is read', async () => {
  const path = await keep('book.txt', 'Flour, water, salt and time make bread.\n\n'.repeat(250_000));
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const { passages, pages } = await extractText(path, text.file_type);
  delay.disable();
  expect(pages[0]?.content.length).toBeGreaterThan(10_000_000);
  expect(passages.length).toBeGreaterThan(10_000);
  // Reading takes about a second; what is left for this thread is to receive the result.
  expect(delay.max / 1e6).toBeLessThan(200);
});
