import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { PDFDocument, PDFName, PDFNumber } from 'pdf-lib';
import { afterAll, expect, test } from 'vitest';
import { AppError } from '../platform/errors.ts';
import { makeWorkbook } from '../testing/make-workbook.ts';
import { extractText } from './extract-text.ts';
import { fileTypes } from './file-types.ts';
import { refuseWhenBusy } from './reading-places.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../testing/fixtures/${name}`, import.meta.url));
const { pdf, docx, xlsx, csv, html, json, text } = fileTypes;
const folder = await mkdtemp(join(tmpdir(), 'extract-text-'));
afterAll(() => rm(folder, { recursive: true }));

async function keep(name: string, content: Uint8Array | string) {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it was read'),
    (error) => error,
  );

test.each([
  ['encrypted.pdf', pdf, 'unreadable_file', /password.*Save a copy without the password/],
  ['broken.pdf', pdf, 'unreadable_file', /damaged or incomplete.*save it anew/],
  ['scanned.pdf', pdf, 'empty_file', /no text.*text recognition/],
  ['not-really.pdf', pdf, 'unreadable_file', /damaged/],
  ['zip-bomb.docx', docx, 'unreadable_file', /more than can be read.*Split it/],
  ['broken.pdf', docx, 'unreadable_file', /damaged/],
  ['zip-bomb.xlsx', xlsx, 'unreadable_file', /more than can be read.*Split it/],
  ['broken.pdf', xlsx, 'unreadable_file', /damaged/],
  ['broken.json', json, 'unreadable_file', /no whole JSON.*rename it to end in \.txt/],
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

test('half a character in a Word document is repaired before it leaves the worker', async () => {
  const body = `<w:document xmlns:w="${word}"><w:body><w:p><w:r><w:t>rye &#xD83D; bread</w:t></w:r></w:p></w:body></w:document>`;
  const { passages_json } = await extractText(await keep('half.docx', makeDocx(body)), docx.file_type);
  const [passage] = JSON.parse(new TextDecoder().decode(passages_json));
  expect(passage).toMatchObject({ ordinal: 1, page: null, content: expect.stringMatching(/^rye .*bread$/) });
  expect(passage.content.isWellFormed()).toBe(true);
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
  expect((await extractText(fixture('ridgeway-bakery-review.pdf'), pdf.file_type)).page_count).toBe(6);
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

test('no more than fifty documents wait: further ones are refused at once', async () => {
  const path = await keep('queue.txt', 'Flour, water, salt and time. '.repeat(300_000));
  const controller = new AbortController();
  const { signal } = controller;
  refuseWhenBusy();
  const reads = Array.from({ length: 52 }, () => failure(extractText(path, text.file_type, { signal })));
  const refused = { code: 'too_many_requests', retry_after_ms: 30_000 };
  expect(await failure(extractText(path, text.file_type))).toMatchObject(refused);
  expect(refuseWhenBusy).toThrow(AppError);
  controller.abort(new Error('left'));
  for (const error of await Promise.all(reads)) expect(error.message).toBe('left');
  refuseWhenBusy();
});

test('this thread has next to no work with a long document', async () => {
  const path = await keep('book.txt', 'Flour, water, salt – and time – make bread.\n\n'.repeat(330_000));
  // Once for what is done only once.
  await extractText(fixture('interview-transcript.txt'), text.file_type);
  const before = process.threadCpuUsage();
  const { passages_json, words, page_count } = await extractText(path, text.file_type);
  const used = process.threadCpuUsage(before);
  expect(passages_json.length).toBeGreaterThan(15_000_000);
  expect(words).toBe(7 * 330_000);
  expect(page_count).toBeNull();
  expect((used.user + used.system) / 1000).toBeLessThan(40);
});

/** A workbook of one sheet, whose XML may be wrong in any way. */
function makeSheet(sheet: Iterable<string>) {
  const name = 'xl/worksheets/sheet1.xml';
  return makeWorkbook([{ name: 'Sheet', rows: [['rye', 'oat']] }], { [name]: [...sheet].join('') }, 1);
}

function* rows(count: number) {
  yield '<worksheet><sheetData>';
  for (let row = 1; row <= count; row++) {
    yield `<row r="${row}"><c r="A${row}"><v>${row}</v></c><c r="B${row}" t="inlineStr"><is><t>Branch ${row % 97}</t></is></c></row>`;
  }
  yield '</sheetData></worksheet>';
}

test('a workbook of thousands of rows is read to its last row', async () => {
  const path = await keep('thousands.xlsx', makeSheet(rows(20_000)));
  const { passages_json, words } = await extractText(path, xlsx.file_type);
  const passages = JSON.parse(new TextDecoder().decode(passages_json));
  expect(passages.at(-1).content).toMatch(/^## Sheet, rows \d+–20000\n[\s\S]*\| 20000 \| Branch 18 \|$/);
  expect(words).toBe(60_000);
}, 60_000);

test('a sheet of a million rows is refused', async () => {
  const path = await keep('million.xlsx', makeSheet(rows(1_000_000)));
  const error = await failure(extractText(path, xlsx.file_type));
  expect(error).toMatchObject({
    code: 'unreadable_file',
    message: expect.stringMatching(/more than can be/),
  });
}, 60_000);

test.each([
  ['a cell in the last corner of a sheet', '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'],
  ['a cell far beyond the last corner', '<row r="9"><c r="ZZZZZZZZ999999999999"><v>1</v></c></row>'],
  ['XML that never ends', '<row r="1"><c r="A1"><v>'],
  ['words that are not in the list of words', '<row r="1"><c r="A1" t="s"><v>99999</v></c></row>'],
  [
    'an entity that unfolds',
    '<!DOCTYPE x [<!ENTITY a "rye rye">]><row r="1"><c r="A1" t="str"><v>&a;</v></c></row>',
  ],
])(
  'a workbook with %s ends in its text or a refusal',
  async (_, sheet) => {
    const path = await keep(
      'odd.xlsx',
      makeSheet([`<worksheet><sheetData>${sheet}</sheetData></worksheet>`]),
    );
    const outcome = await extractText(path, xlsx.file_type).catch((error) => error);
    if (outcome instanceof Error)
      expect(outcome).toMatchObject({ code: expect.stringMatching(/^(unreadable|empty)_file$/) });
    else expect(outcome.words).toBeLessThan(10);
  },
  60_000,
);

test('a CSV of millions of cells is refused', async () => {
  const path = await keep('cells.csv', 'rye;oat;spelt;wheat\n'.repeat(1_200_000));
  const error = await failure(extractText(path, csv.file_type));
  expect(error).toMatchObject({
    code: 'unreadable_file',
    message: expect.stringMatching(/more than can be/),
  });
}, 60_000);

test.each([
  ['brackets', '['.repeat(5_000_000)],
  ['brackets that are closed', '['.repeat(2_000_000) + ']'.repeat(2_000_000)],
  ['objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
])('a JSON of %s within each other is refused', async (_, content) => {
  const error = await failure(extractText(await keep('deep.json', content), json.file_type));
  expect(error).toMatchObject({ code: 'unreadable_file' });
});

test.each([
  ['elements within each other', '<div><ul><li>'.repeat(300_000), 'rye'],
  ['tables within each other', '<table><tr><td>'.repeat(200_000), 'rye'],
  ['one endless tag', `<div ${'a="b" '.repeat(500_000)}`, ''],
  ['ends without beginnings', '</p>'.repeat(500_000), 'rye'],
])(
  'HTML of %s ends in its text or a refusal',
  async (_, content, words) => {
    const path = await keep('deep.html', `<p>rye ${content}${words}`);
    const outcome = await extractText(path, html.file_type).catch((error) => error);
    if (outcome instanceof Error)
      expect(outcome).toMatchObject({ code: expect.stringMatching(/^(unreadable|empty)_file$/) });
    else expect(outcome.words).toBeLessThanOrEqual(2);
  },
  60_000,
);

test('a PDF that claims a million pages is refused', async () => {
  const document = await PDFDocument.create();
  const [page, pages] = [document.addPage(), document.catalog.Pages()];
  for (let at = 0; at < 300_000; at++) pages.Kids().push(page.ref);
  pages.set(PDFName.of('Count'), PDFNumber.of(1_000_000));
  const path = await keep('pages.pdf', await document.save());
  const error = await failure(extractText(path, pdf.file_type, { timeout_ms: 15_000 }));
  expect(error).toMatchObject({ code: expect.stringMatching(/^(unreadable|empty)_file$/) });
}, 60_000);
