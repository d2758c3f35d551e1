import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { loadSharp } from '../platform/load-sharp.ts';
import type { Storage } from '../platform/storage.ts';
import { most_pixels } from './read-image.ts';

/** What OpenAI makes of a picture before its model sees it: it fits a square, then its shorter side is cut down. */
const square_px = 2048;
const shorter_side_px = 768;
const longest_s = 10;
/** Turns wait for these, so they do not stand in line behind uploads. */
const max_at_once = 2;

export type ReadModelImage = (storage_key: string, signal: AbortSignal) => Promise<string>;

/**
 * Reads a stored picture as a model is shown it: the first frame, upright, on white, no larger than the model uses, as a
 * JPEG in a data URL; nothing else that was in the file comes along. Two at once; `folder` takes the original meanwhile,
 * so that it is never in memory. Throws what the storage or the library says, or the signal's reason.
 */
export function createModelImageReader(storage: Storage, folder: string): ReadModelImage {
  let running = 0;
  const waiting: (() => void)[] = [];
  const leave = () => {
    running--;
    waiting.shift()?.();
  };
  return async (storage_key, signal) => {
    while (running >= max_at_once) await new Promise<void>((resolve) => waiting.push(resolve));
    running++;
    try {
      signal.throwIfAborted();
      return await readModelImage(storage, folder, storage_key, signal);
    } finally {
      leave();
    }
  };
}

async function readModelImage(storage: Storage, folder: string, storage_key: string, signal: AbortSignal) {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, randomUUID());
  try {
    const sharp = await loadSharp();
    await pipeline(await storage.getStream(storage_key), createWriteStream(path, { mode: 0o600 }), {
      signal,
    });
    const image = sharp(path, { limitInputPixels: most_pixels, autoOrient: true });
    const { autoOrient } = await image.metadata();
    const jpeg = await image
      .timeout({ seconds: longest_s })
      .resize({ ...modelSize(autoOrient), fit: 'fill' })
      .flatten({ background: '#ffffff' })
      .jpeg({ quality: 85, chromaSubsampling: '4:4:4' })
      .toBuffer();
    signal.throwIfAborted();
    return `data:image/jpeg;base64,${jpeg.toString('base64')}`;
  } finally {
    await rm(path, { force: true });
  }
}

/** The size at which OpenAI's models see a picture ("Images and vision", detail high); never larger than it is. */
export function modelSize({ width, height }: { width: number; height: number }) {
  const fitting = Math.min(1, square_px / Math.max(width, height));
  const scale = fitting * Math.min(1, shorter_side_px / (Math.min(width, height) * fitting));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
