import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test, vi } from 'vitest';
import { decodeText, detectFileType } from './detect-file-type.ts';
import { fileTypes } from './file-types.ts';
import { unpackZip } from './unpack-zip.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../testing/fixtures/${name}`, import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'detect-file-type-'));
afterAll(() => rm(folder, { recursive: true }));

const bytesOf = (text: string) => new TextEncoder().encode(text);
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  'base64',
);
/** Archives that list the named files; their contents do not matter here. */
function zipOf(...names: string[]) {
  const entries = names.map((name) => {
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt16LE(name.length, 28);
    return Buffer.concat([entry, Buffer.from(name)]);
  });
  const directory = Buffer.concat(entries);
  const start = Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(26)]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(start.length, 16);
  return Buffer.concat([start, directory, end]);
}

test.each([
  ['ridgeway-bakery-review.pdf', fileTypes.pdf],
  ['encrypted.pdf', fileTypes.pdf],
  ['scanned.pdf', fileTypes.pdf],
  ['brand-voice.docx', fileTypes.docx],
  ['founder-notes.md', fileTypes.markdown],
  ['interview-transcript.txt', fileTypes.text],
])('%s is known by its content, on disk and in memory', async (name, expected) => {
  expect(await detectFileType(fixture(name), name)).toEqual(expected);
  expect(await detectFileType(await readFile(fixture(name)), name)).toEqual(expected);
});

test('the name decides only between Markdown and plain text', async () => {
  const text = bytesOf('# Hello');
  expect(await detectFileType(text, 'A.MD')).toEqual(fileTypes.markdown);
  expect(await detectFileType(text, 'a.markdown')).toEqual(fileTypes.markdown);
  expect(await detectFileType(text, 'a.txt')).toEqual(fileTypes.text);
  expect(await detectFileType(text, 'notes')).toEqual(fileTypes.text);
  expect(await detectFileType(await readFile(fixture('encrypted.pdf')), 'no extension')).toEqual(
    fileTypes.pdf,
  );
});

test('an empty file is refused as empty', async () => {
  await expect(detectFileType(fixture('empty.txt'), 'empty.txt')).rejects.toMatchObject({
    code: 'empty_file',
  });
  await expect(detectFileType(new Uint8Array(), 'a.pdf')).rejects.toMatchObject({ code: 'empty_file' });
});

test('a text that is named .pdf is refused, and the sentence says so', async () => {
  await expect(detectFileType(fixture('not-really.pdf'), 'not-really.pdf')).rejects.toMatchObject({
    code: 'unsupported_file_type',
    message: expect.stringMatching(/named \.pdf, but it is plain text.*Rename it to end in \.txt/),
  });
});

test('a document under the name of another type is refused with the name it should have', async () => {
  const pdf = await readFile(fixture('ridgeway-bakery-review.pdf'));
  await expect(detectFileType(pdf, 'review.txt')).rejects.toThrow(
    /named \.txt, but it is a PDF.*end in \.pdf/,
  );
  const docx = await readFile(fixture('brand-voice.docx'));
  await expect(detectFileType(docx, 'voice.pdf')).rejects.toThrow(/named \.pdf, but it is a Word document/);
});

test.each([
  [
    'a picture of another kind',
    bytesOf('BM\x16\0\0\0\0\0\0\0'),
    'a.png',
    /named \.png, but its content is BMP/,
  ],
  ['a picture named .pdf', png, 'a.pdf', /named \.pdf, but it is a PNG picture.*end in \.png/],
  ['a text named .png', bytesOf('Hello'), 'a.png', /named \.png, but it is plain text.*end in \.txt/],
  [
    'a drawing in SVG named .png',
    bytesOf('<svg xmlns="http://www.w3.org/2000/svg"/>'),
    'a.png',
    /named \.png/,
  ],
  [
    'a workbook named .docx',
    zipOf('[Content_Types].xml', 'xl/workbook.xml'),
    'a.docx',
    /an Excel workbook.*\.xlsx/,
  ],
  [
    'a workbook with macros',
    zipOf('[Content_Types].xml', 'xl/workbook.xml', 'xl/vbaProject.bin'),
    'a.xlsx',
    /Excel workbook holds macros/,
  ],
  ['an archive named .xlsx', zipOf('xl/workbook.xml'), 'a.xlsx', /named \.xlsx/],
  ['a text named .html', bytesOf('a < b and c > d'), 'a.html', /named \.html, but it holds no HTML.*\.txt/],
  ['a picture named .csv', png, 'a.csv', /named \.csv, but it is a PNG picture/],
  ['an archive named .docx', zipOf('a.txt'), 'a.docx', /named \.docx/],
  [
    'a document with macros',
    zipOf('[Content_Types].xml', 'word/document.xml', 'word/vbaProject.bin'),
    'a.docx',
    /macros/,
  ],
  ['rich text', bytesOf('{\\rtf1\\ansi Hello}'), 'a.rtf', /type RTF/],
  [
    'an old Word file',
    Buffer.from('d0cf11e0a1b11ae1'.padEnd(1200, '0'), 'hex'),
    'a.doc',
    /older Office.*\.docx/,
  ],
  [
    'bytes that mean nothing',
    Buffer.from('0102030405ff00'.repeat(40), 'hex'),
    'a.txt',
    /named \.txt, but its content is not text/,
  ],
])('%s is refused with what to do', async (_, bytes, name, sentence) => {
  const error = await detectFileType(bytes, name).catch((thrown) => thrown);
  expect(error).toMatchObject({ code: 'unsupported_file_type' });
  expect(error.message).toMatch(sentence);
  expect(error.message).toContain('Nothing was saved.');
});

test.each(['plan.docx', 'plan.xlsx'])(
  '%s under a password is refused as unreadable, not as an unknown type',
  async (name) => {
    const container = Buffer.from('d0cf11e0a1b11ae1'.padEnd(1200, '0'), 'hex');
    await expect(detectFileType(container, name)).rejects.toMatchObject({
      code: 'unreadable_file',
      message: expect.stringContaining('password'),
    });
  },
);

test.each([
  ['a.xlsx', zipOf('[Content_Types].xml', 'xl/workbook.xml'), fileTypes.xlsx],
  ['a.csv', bytesOf('loaf,price'), fileTypes.csv],
  ['a.json', bytesOf('{"loaf": 3}'), fileTypes.json],
  ['a.html', bytesOf('Notes<br>more'), fileTypes.html],
  ['a.HTM', Buffer.from('\ufeff<!doctype html><p>Hi', 'utf16le'), fileTypes.html],
  ['saved page', bytesOf('\n <!DOCTYPE html><title>Hi</title>'), fileTypes.html],
  ['about html.txt', bytesOf('<!doctype html> begins a page'), fileTypes.text],
  ['a.png', png, fileTypes.png],
  ['pasted', png, fileTypes.png],
  ['a.jpeg', Buffer.from('ffd8ffe000104a464946', 'hex'), fileTypes.jpeg],
  ['a.gif', Buffer.from('GIF89a\x01\0\x01\0\x80', 'latin1'), fileTypes.gif],
  ['a.webp', Buffer.from('RIFF\x24\0\0\0WEBPVP8 \x18\0', 'latin1'), fileTypes.webp],
  // Browsers save pictures under each other's endings.
  ['a.jpg', png, fileTypes.png],
])('%s is known by its content', async (name, bytes, expected) => {
  expect(await detectFileType(bytes, name)).toEqual(expected);
});

test('prose that begins like a binary format is still text', async () => {
  for (const text of [
    'BMW and bread',
    'MZ is not an exe',
    'PK at Wembley, 1996',
    'ID3 tags explained',
    'RIFFs',
    'RIFF of WEBP',
    'GIF89a is a format',
    '%!PS: a postscript',
  ]) {
    expect(await detectFileType(bytesOf(text), 'a.txt')).toEqual(fileTypes.text);
  }
  expect(await detectFileType(bytesOf('A PDF begins with %PDF-1.7, they say.'), 'a.txt')).toEqual(
    fileTypes.text,
  );
});

test('a PDF after a few stray bytes is a PDF', async () => {
  const pdf = await readFile(fixture('encrypted.pdf'));
  expect(await detectFileType(Buffer.concat([Buffer.from('\r\n\r\n'), pdf]), 'a.pdf')).toEqual(fileTypes.pdf);
});

const words = 'Zwölf Brötchen für 3 €, sagte sie: „Bäckerinnen wissen’s.“';
const utf16 = (little: boolean) => {
  const bytes = Buffer.from(`\ufeff${words}`, 'utf16le');
  return little ? bytes : bytes.swap16();
};
const windows1252 = Buffer.from('Gr\xf6\xdfe: 3 \x80, \x84B\xe4cker\x93 \x96 ja', 'latin1');

test.each([
  ['UTF-8', bytesOf(words), words],
  ['UTF-8 with a mark', bytesOf(`\ufeff${words}`), words],
  ['UTF-16, little end first', utf16(true), words],
  ['UTF-16, big end first', utf16(false), words],
  ['windows-1252', windows1252, 'Größe: 3 €, „Bäcker“ – ja'],
])('text in %s is accepted and decoded', async (_, bytes, expected) => {
  expect(await detectFileType(bytes, 'a.txt')).toEqual(fileTypes.text);
  expect(decodeText(bytes)).toBe(expected);
});

test('one damaged byte does not turn UTF-8 into another encoding', async () => {
  const bytes = Buffer.concat([Buffer.from(words.repeat(4)), Buffer.from([0xc3])]);
  expect(await detectFileType(bytes, 'a.txt')).toEqual(fileTypes.text);
  expect(decodeText(bytes)).toBe(`${words.repeat(4)}\ufffd`);
});

test('a character that lies across two pieces of a large file is not taken for damage', async () => {
  const path = join(folder, 'large.txt');
  await writeFile(path, `${'x'.repeat(2 ** 20 - 1)}” she said.`);
  expect(await detectFileType(path, 'large.txt')).toEqual(fileTypes.text);
});

test('a text that turns binary only after megabytes is no text', async () => {
  const path = join(folder, 'late.txt');
  await writeFile(path, `${'flour '.repeat(500_000)}\0`);
  await expect(detectFileType(path, 'late.txt')).rejects.toMatchObject({ code: 'unsupported_file_type' });
});

test('a long text is looked at in small pieces, so that other requests go on between them', async () => {
  const path = join(folder, 'long.txt');
  await writeFile(path, 'flour '.repeat(500_000));
  const handle = await open(path);
  const read = vi.spyOn(Object.getPrototypeOf(handle), 'read');
  await handle.close();
  expect(await detectFileType(path, 'long.txt')).toEqual(fileTypes.text);
  const pieces = read.mock.calls.map(([buffer]) => (buffer as Uint8Array).length);
  read.mockRestore();
  expect(pieces.length).toBeGreaterThan(40);
  expect(Math.max(...pieces)).toBeLessThanOrEqual(64 * 1024);
});

test('an archive is unpacked up to the limit and no further', async () => {
  const bomb = await readFile(fixture('zip-bomb.docx'));
  await expect(unpackZip(bomb, { max_bytes: 1 << 20 })).rejects.toMatchObject({ reason: 'too_big' });
  const parts = await unpackZip(await readFile(fixture('brand-voice.docx')), { wanted: /document\.xml$/ });
  expect([...parts.keys()]).toEqual(['word/document.xml']);
  expect(parts.get('word/document.xml')?.toString()).toContain('<w:document');
});
