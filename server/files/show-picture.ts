import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../platform/errors.ts';
import { loadSharp } from '../platform/load-sharp.ts';
import type { Storage } from '../platform/storage.ts';
import { most_pixels } from './read-image.ts';
import { takeTurns } from './take-turns.ts';

/** In a list, and in a panel. */
export type PictureWidth = 320 | 1280;

/** How many times as high as wide a picture may be; what is higher becomes narrower. */
const highest = 4;
const longest_s = 10;
const at_once = 2;
/** Two pages of a library, and ten of them. */
const most_of_one = 100;
const most_of_all = 500;

type PictureAsked = {
  /** By whom. */
  auth_id: string;
  storage_key: string;
  width: PictureWidth;
  signal: AbortSignal;
};

export type ShowPicture = (asked: PictureAsked) => Promise<Uint8Array<ArrayBuffer> | undefined>;

/**
 * Makes what a browser shows of a stored picture: the first frame, upright, no wider than asked and never enlarged, as WebP
 * written anew from its pixels, so that nothing else in the file comes along. Off the main thread, two at once, members in
 * turn; `folder` takes the original meanwhile, so that it is never in memory. Undefined where the bytes are gone. Throws
 * `too_many_requests` when 100 of that member wait, or 500 in all, and the signal's reason.
 */
export function createShowPicture(storage: Storage, folder: string): ShowPicture {
  const inTurn = takeTurns({ at_once, most_of_one, most_of_all, refuse: tooMany });
  return ({ auth_id, storage_key, width, signal }) =>
    inTurn(auth_id, signal, () => makePicture(storage, folder, storage_key, width, signal));
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
