import { AppError } from '../platform/errors.ts';
import { loadSharp } from '../platform/load-sharp.ts';
import { inReadingPlace } from './reading-places.ts';

/** What a phone's camera makes; a few bytes can claim many more. Decoded it takes up to 200 MB. */
export const most_pixels = 50_000_000;
const longest_s = 20;

/**
 * Proves that a file is a whole picture of the type that `detectFileType` found, by decoding all of it (of an animation
 * the first frame), and tells its size in pixels, turned as its camera says. Off the main thread, in one of the two
 * places of `inReadingPlace`. Throws `unreadable_file`, and `too_many_requests` where too many wait.
 */
export async function readImage(
  path: string,
  file_type: string,
  signal?: AbortSignal,
): Promise<{ width: number; height: number }> {
  const sharp = await loadSharp();
  return inReadingPlace(signal, async () => {
    try {
      const image = sharp(path, { failOn: 'error', limitInputPixels: most_pixels, sequentialRead: true });
      const { format, autoOrient } = await image.metadata();
      if (`image/${format}` !== file_type) throw new Error(`It is ${format}`);
      // Scaled down while it is read: the whole of it is decoded, and not kept.
      await image
        .timeout({ seconds: longest_s })
        .resize(1, 1, { fit: 'fill', fastShrinkOnLoad: false })
        .raw()
        .toBuffer();
      return autoOrient;
    } catch (cause) {
      throw imageError(cause as Error);
    }
  });
}

function imageError(cause: Error) {
  const nothing = 'Nothing was saved.';
  if (/pixel limit/i.test(cause.message)) {
    return new AppError(
      'unreadable_file',
      `This picture has more than ${most_pixels / 1_000_000} million pixels. ${nothing} Make it smaller and add it again.`,
      { cause },
    );
  }
  if (/timeout/i.test(cause.message)) {
    return new AppError(
      'unreadable_file',
      `Reading this picture took too long, so it was given up. ${nothing} Save it anew, or make it smaller, and add it again.`,
      { cause },
    );
  }
  return new AppError(
    'unreadable_file',
    `This picture is damaged or incomplete, so it cannot be shown to the coach. ${nothing} Save it anew and add it again.`,
    { cause },
  );
}
