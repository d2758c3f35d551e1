import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { AppError } from '../platform/errors.ts';
import { readImage } from './read-image.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../testing/fixtures/${name}`, import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'read-image-'));
afterAll(() => rm(folder, { recursive: true }));

async function keep(name: string, content: Uint8Array | string) {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

test.each([
  ['shopfront.png', 'image/png', 1600, 1200],
  // Its pixels lie on the side; it is shown upright.
  ['shopfront.jpg', 'image/jpeg', 1600, 1200],
  ['shopfront.webp', 'image/webp', 800, 600],
  // Three frames, of which the first counts.
  ['shopfront.gif', 'image/gif', 120, 90],
])('%s is a picture, and its size is told', async (name, type, width, height) => {
  expect(await readImage(fixture(name), type)).toEqual({ width, height });
});

function chunk(type: string, data: Buffer) {
  const head = Buffer.concat([Buffer.from(type), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(head));
  return Buffer.concat([length, head, sum]);
}

/** A grey PNG that claims a size, with as many rows of pixels as are given. */
function makePng(width: number, height: number, rows: number) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc((width + 1) * rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const jpeg = await readFile(fixture('shopfront.jpg'));
const webp = await readFile(fixture('shopfront.webp'));
const gif = await readFile(fixture('shopfront.gif'));

test.each<[string, Uint8Array | string, string, RegExp]>([
  ['a PNG that breaks off', await readFile(fixture('cut-off.png')), 'image/png', /damaged or incomplete/],
  ['a JPEG that breaks off', jpeg.subarray(0, jpeg.length * 0.6), 'image/jpeg', /damaged or incomplete/],
  ['a WebP that breaks off', webp.subarray(0, webp.length * 0.6), 'image/webp', /damaged or incomplete/],
  ['a GIF that breaks off', gif.subarray(0, 300), 'image/gif', /damaged or incomplete/],
  ['a PNG with fewer rows than it claims', makePng(100, 100, 40), 'image/png', /damaged or incomplete/],
  [
    'a PNG that claims billions of pixels',
    makePng(60_000, 60_000, 1),
    'image/png',
    /more than 50 million pixels/,
  ],
  [
    'a PNG of more pixels than a camera makes',
    makePng(8_000, 8_000, 8_000),
    'image/png',
    /more than 50 million/,
  ],
  ['a beginning and nothing else', '\x89PNG\r\n\x1a\n', 'image/png', /damaged/],
  ['a JPEG under the type of a PNG', jpeg, 'image/png', /damaged/],
  // A drawing could load others; its decoder is not to be reached.
  [
    'a drawing in SVG',
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    'image/svg+xml',
    /damaged/,
  ],
])('%s is refused with what to do', async (_, content, type, sentence) => {
  const error = await readImage(await keep('picture', content), type).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(AppError);
  expect(error).toMatchObject({ code: 'unreadable_file', message: expect.stringMatching(sentence) });
  expect(error.message).toContain('Nothing was saved.');
});

test('a picture of as many pixels as allowed is read', async () => {
  const path = await keep('large.png', makePng(10_000, 5_000, 5_000));
  expect(await readImage(path, 'image/png')).toEqual({ width: 10_000, height: 5_000 });
});

test('a picture whose sender has left is not read', async () => {
  const signal = AbortSignal.abort(new Error('left'));
  await expect(readImage(fixture('shopfront.png'), 'image/png', signal)).rejects.toThrow('left');
});
