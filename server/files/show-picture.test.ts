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
const showPicture = createShowPicture(disk, uploads);
const { signal } = new AbortController();
const show = (storage_key: string, width: PictureWidth) =>
  showPicture({ auth_id: 'ann', storage_key, width, signal });

async function shown(picture: Buffer, width: PictureWidth = 320) {
  await disk.putStream('picture', Readable.from([picture]));
  const bytes = await show('picture', width);
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
  it('are made two at a time, and the 103rd of a member is told when to come back', async () => {
    const opened: (() => void)[] = [];
    const findStream: Storage['findStream'] = () =>
      new Promise((resolve) =>
        opened.push(() => resolve(Readable.from([readFileSync(join(fixtures, 'shopfront.webp'))]))),
      );
    const showSlowly = createShowPicture({ ...disk, findStream }, uploads);
    const leaving = new AbortController();
    const ask = (auth_id: string) =>
      showSlowly({ auth_id, storage_key: 'picture', width: 320, signal: leaving.signal });
    const asked = Array.from({ length: 102 }, () => ask('ann'));
    const settled = Promise.allSettled(asked);
    await expect(ask('ann')).rejects.toMatchObject({ code: 'too_many_requests', retry_after_ms: 5_000 });
    expect(opened).toHaveLength(2);
    const others = ask('bo');
    opened[0]!();
    await asked[0];
    await expect.poll(() => opened.length).toBe(3);
    leaving.abort(new Error('left'));
    await expect(others).rejects.toThrow('left');
    for (const open of opened) open();
    const statuses = (await settled).map(({ status }) => status);
    expect(statuses.filter((status) => status === 'rejected').length).toBeGreaterThanOrEqual(99);
    expect(opened).toHaveLength(3);
  });

  it('fail one by one: a broken one does not take a place for ever, and one that is gone is none', async () => {
    await disk.putStream('broken', Readable.from([Buffer.from('no picture')]));
    for (let index = 0; index < 5; index++) await expect(show('broken', 320)).rejects.toThrow();
    expect(await show('gone', 320)).toBeUndefined();
    expect(readdirSync(uploads)).toEqual([]);
    expect((await shown(readFileSync(join(fixtures, 'shopfront.png')))).width).toBe(320);
  });
});
