import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, expect, test } from 'vitest';
import { createDiskStorage } from '../platform/storage.ts';
import { createModelImageReader, modelSize } from './model-image.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../testing/fixtures/${name}`, import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'model-image-'));
afterAll(() => rm(folder, { recursive: true }));
const uploads = join(folder, 'uploads');
await mkdir(join(folder, 'files'));
for (const name of ['shopfront.png', 'shopfront.jpg', 'shopfront.gif', 'cut-off.png']) {
  await copyFile(fixture(name), join(folder, 'files', name));
}
const read = createModelImageReader(createDiskStorage(folder), uploads);
const { signal } = new AbortController();

test.each([
  // It fits the square already; its shorter side is cut down.
  [1600, 1200, 1024, 768],
  [1200, 1600, 768, 1024],
  // First it has to fit the square.
  [8000, 2000, 2048, 512],
  [4000, 4000, 768, 768],
  // Nothing is made larger.
  [300, 200, 300, 200],
  [20_000, 1, 2048, 1],
])('a picture of %i × %i pixels is shown as %i × %i', (width, height, to_width, to_height) => {
  expect(modelSize({ width, height })).toEqual({ width: to_width, height: to_height });
});

async function open(data_url: string) {
  expect(data_url).toMatch(/^data:image\/jpeg;base64,/);
  return sharp(Buffer.from(data_url.split(',')[1]!, 'base64'));
}

test.each([
  ['shopfront.png', 1024, 768],
  ['shopfront.jpg', 1024, 768],
  ['shopfront.gif', 120, 90],
])(
  '%s is shown upright, in the size that the model uses, and nothing is left on the disk',
  async (name, width, height) => {
    const image = await open(await read(name, signal));
    const { exif, icc, ...found } = await image.metadata();
    expect(found).toMatchObject({ format: 'jpeg', width, height });
    expect({ exif, icc }).toEqual({ exif: undefined, icc: undefined });
    // The sky is above and the street below.
    const { data } = await image.resize(1, 9, { fit: 'fill' }).raw().toBuffer({ resolveWithObject: true });
    expect(data[2]! - data[0]!).toBeGreaterThan(10);
    expect(Math.abs(data.at(-1)! - data.at(-3)!)).toBeLessThan(10);
    expect(await readdir(uploads)).toEqual([]);
  },
);

test('what is transparent is shown on white', async () => {
  const clear = { r: 0, g: 0, b: 0, alpha: 0 };
  await sharp({ create: { width: 20, height: 20, channels: 4, background: clear } })
    .png()
    .toFile(join(folder, 'files', 'clear.png'));
  const { data } = await (await open(await read('clear.png', signal)))
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(Math.min(...data)).toBe(255);
});

test.each(['cut-off.png', 'missing.png'])('%s throws, and nothing is left on the disk', async (name) => {
  await expect(read(name, signal)).rejects.toThrow();
  expect(await readdir(uploads)).toEqual([]);
});

test('more pictures than places are all read, and one whose turn was stopped is not', async () => {
  const stopped = AbortSignal.abort(new Error('stopped'));
  const all = await Promise.allSettled([
    ...Array.from({ length: 6 }, () => read('shopfront.png', signal)),
    read('shopfront.png', stopped),
  ]);
  expect(all.map(({ status }) => status)).toEqual([...Array(6).fill('fulfilled'), 'rejected']);
  expect(await readdir(uploads)).toEqual([]);
});
