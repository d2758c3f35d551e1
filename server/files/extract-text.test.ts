import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { PDFDocument } from 'pdf-lib';
import { afterAll, expect, test } from 'vitest';
import { AppError } from '../platform/errors.ts';
import { documentTypes } from './detect-file-type.ts';
import { extractText, refuseWhenBusy } from './extract-text.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../testing/fixtures/${name}`, import.meta.url));
const { pdf, docx, text } = documentTypes;
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
