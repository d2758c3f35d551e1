import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { createDiskStorage, type Storage } from '../platform/storage.ts';
import { createShowPicture, type PictureWidth } from './show-picture.ts';

const fixtures = join(import.meta.dirname, '..', 'testing', 'fixtures');
const folder = mkdtempSync(join(tmpdir(), 'show-picture-'));
afterAll(() => rm(folder, { recursive: true }));
const uploads = join(folder, 'uploads');
const disk = createDiskStorage(folder);
const show = createShowPicture(disk, uploads);
const { signal } = new AbortController();

async function shown(picture: Buffer, width: PictureWidth = 320) {
  await disk.putStream('picture', Readable.from([picture]));
  const bytes = await show('picture', width, signal);
  return { bytes: bytes!, ...(await sharp(bytes!).metadata()) };
}

const canvas = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#0a7a3c' } });

describe('a picture that is shown', () => {
  it.each(['shopfront.png', 'shopfront.jpg', 'shopfront.webp', 'shopfront.gif'])(
    'is WebP whatever %s was, and its first frame alone',
    async (name) => {
      const { format, pages = 1, width } = await shown(readFileSync(join(fixtures, name)));
      expect([format, pages, width]).toEqual(['webp', 1, name.endsWith('gif') ? 120 : 320]);
      expect(readdirSync(uploads)).toEqual([]);
    },
  );

  it.each([
    [1600, 1200, 320, 320, 240],
    [1600, 1200, 1280, 1280, 960],
    [200, 100, 1280, 200, 100],
    // What is much higher than wide becomes narrower: WebP ends at 16,383 pixels.
    [100, 20_000, 320, 6, 1280],
    [100, 20_000, 1280, 26, 5120],
    [20_000, 100, 1280, 1280, 6],
  ] as const)('of %i × %i pixels, asked for with %i, has %i × %i', async (width, height, asked, ...size) => {
    const made = await shown(await canvas(width, height).png().toBuffer(), asked);
    expect([made.width, made.height]).toEqual(size);
  });

  it('stands upright, and brings nothing along of what the camera noted', async () => {
    const picture = await canvas(400, 200)
      .withExif({ IFD0: { Copyright: 'A secret place' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    expect(picture.includes('A secret place')).toBe(true);
    const { width, height, exif, bytes } = await shown(picture);
    expect([width, height, exif]).toEqual([200, 400, undefined]);
    expect(Buffer.from(bytes).includes('A secret place')).toBe(false);
  });

  it('keeps what is see-through', async () => {
    const clear = await sharp({ create: { width: 9, height: 9, channels: 4, background: '#0000' } })
      .png()
      .toBuffer();
    expect((await shown(clear)).hasAlpha).toBe(true);
  });
});

describe('pictures that are asked for at once', () => {
  /** A storage whose bytes come when the test says so. */
  function slowStorage() {
    const opened: (() => void)[] = [];
    const findStream: Storage['findStream'] = () =>
      new Promise((resolve) =>
        opened.push(() => resolve(Readable.from([readFileSync(join(fixtures, 'shopfront.webp'))]))),
      );
    return { opened, storage: { ...disk, findStream } };
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it('are made two at a time; whoever leaves meanwhile is not waited for, and the 203rd is told when to come back', async () => {
    const { opened, storage } = slowStorage();
    const showSlowly = createShowPicture(storage, uploads);
    const leaving = new AbortController();
    const asked = Array.from({ length: 202 }, (_, index) =>
      showSlowly('picture', 320, index < 4 ? signal : leaving.signal),
    );
    const left = Promise.allSettled(asked.slice(4));
    await expect(showSlowly('picture', 320, signal)).rejects.toMatchObject({
      code: 'too_many_requests',
      retry_after_ms: 5_000,
    });
    await turn();
    expect(opened).toHaveLength(2);
    leaving.abort(new Error('left'));
    opened[0]!();
    await asked[0];
    await turn();
    expect(opened).toHaveLength(3);
    opened[1]!();
    await asked[1];
    await turn();
    for (const open of opened.slice(2)) open();
    expect(await Promise.all(asked.slice(0, 4))).toHaveLength(4);
    expect((await left).every(({ status }) => status === 'rejected')).toBe(true);
    expect(opened).toHaveLength(4);
    const again = showSlowly('picture', 320, signal);
    await turn();
    opened[4]!();
    expect(await again).toBeDefined();
  });

  it('fail one by one: a broken one does not take a place for ever, and one that is gone is none', async () => {
    await disk.putStream('broken', Readable.from([Buffer.from('no picture')]));
    for (let index = 0; index < 5; index++) await expect(show('broken', 320, signal)).rejects.toThrow();
    expect(await show('gone', 320, signal)).toBeUndefined();
    expect(readdirSync(uploads)).toEqual([]);
    expect((await shown(readFileSync(join(fixtures, 'shopfront.png')))).width).toBe(320);
  });
});
