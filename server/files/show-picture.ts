import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../platform/errors.ts';
import { loadSharp } from '../platform/load-sharp.ts';
import type { Storage } from '../platform/storage.ts';
import { most_pixels } from './read-image.ts';

/** In a list, and in a panel. */
export type PictureWidth = 320 | 1280;

/** How many times as high as wide a picture may be; what is higher becomes narrower. */
const highest = 4;
const longest_s = 10;
const max_at_once = 2;
/** Two pages of a library. */
const max_waiting = 200;

export type ShowPicture = (
  storage_key: string,
  width: PictureWidth,
  signal: AbortSignal,
) => Promise<Uint8Array<ArrayBuffer> | undefined>;

/**
 * Makes what a browser shows of a stored picture: the first frame, upright, no wider than asked and never enlarged, as WebP
 * written anew from its pixels, so that nothing else in the file comes along. Off the main thread, two at once; `folder`
 * takes the original meanwhile, so that it is never in memory. Undefined where the bytes are gone. Throws
 * `too_many_requests` when 200 wait, and the signal's reason.
 */
export function createShowPicture(storage: Storage, folder: string): ShowPicture {
  let running = 0;
  const waiting: (() => void)[] = [];

  return async (storage_key, width, signal) => {
    if (running >= max_at_once) {
      if (waiting.length >= max_waiting) throw tooMany();
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running++;
    try {
      signal.throwIfAborted();
      return await makePicture(storage, folder, storage_key, width, signal);
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}

async function makePicture(
  storage: Storage,
  folder: string,
  storage_key: string,
  width: PictureWidth,
  signal: AbortSignal,
) {
  const bytes = await storage.findStream(storage_key);
  if (!bytes) return undefined;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, randomUUID());
  try {
    await pipeline(bytes, createWriteStream(path, { mode: 0o600 }), { signal });
    const sharp = await loadSharp();
    const { buffer, byteOffset, byteLength } = await sharp(path, {
      limitInputPixels: most_pixels,
      autoOrient: true,
    })
      .timeout({ seconds: longest_s })
      .resize({ width, height: width * highest, fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 80, effort: 2 })
      .toBuffer();
    return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
  } finally {
    await rm(path, { force: true });
  }
}

function tooMany() {
  return new AppError(
    'too_many_requests',
    'Too many pictures are being shown at the moment. Nothing was changed; try again in a moment.',
    { retry_after_ms: 5_000 },
  );
}
