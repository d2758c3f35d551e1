import { AppError } from '../platform/errors.ts';
import { loadSharp } from '../platform/load-sharp.ts';

export const max_avatar_bytes = 5 * 1024 * 1024;
const side_px = 256;
/** What a phone's camera makes; a few bytes can claim many more, and each may take 8 bytes of memory. */
const most_pixels = 25_000_000;
const longest_s = 10;
/** Each holds up to 5 MB while it waits. */
const most_waiting = 10;

type MakeAvatar = (picture: Buffer) => Promise<Buffer>;

/**
 * Makes 256 × 256 pixels of WebP out of a PNG, JPEG or WebP picture: turned as its camera says, cut to a square, and
 * written anew from its pixels, so that nothing else in the file comes along. One at a time, off the main thread.
 * Throws `empty_file`, `unsupported_file_type`, `file_too_large`, `unreadable_file`, and `unavailable` when ten wait.
 */
export function createAvatarMaker(): MakeAvatar {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return async (picture) => {
    refuseByContent(picture);
    if (waiting >= most_waiting) {
      throw new AppError(
        'unavailable',
        'Many pictures are being worked on at the moment. Nothing was changed; try again in a moment.',
        { retry_after_ms: 5_000 },
      );
    }
    waiting += 1;
    const made = last.then(() => convert(picture));
    last = made.catch(() => {});
    try {
      return await made;
    } finally {
      waiting -= 1;
    }
  };
}

/** By the bytes, before any decoder sees them: a name and a type are what somebody claims. */
function refuseByContent(picture: Buffer) {
  if (picture.length === 0) {
    throw new AppError('empty_file', 'This picture is empty. Nothing was changed; choose another one.');
  }
  const isPng = picture.subarray(0, 8).equals(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'));
  const isJpeg = picture.subarray(0, 3).equals(Buffer.from('\xff\xd8\xff', 'latin1'));
  const isWebp = /^RIFF[\s\S]{4}WEBP$/.test(picture.toString('latin1', 0, 12));
  if (!isPng && !isJpeg && !isWebp) {
    throw new AppError(
      'unsupported_file_type',
      'This is no PNG, JPEG or WebP picture. Nothing was changed; save it as one of these, or choose another one.',
    );
  }
}

async function convert(picture: Buffer): Promise<Buffer> {
  const sharp = await loadSharp();
  try {
    return await sharp(picture, {
      // What only earns a warning, such as odd bytes in what a phone noted, is no reason to refuse a picture.
      failOn: 'error',
      limitInputPixels: most_pixels,
      autoOrient: true,
    })
      .timeout({ seconds: longest_s })
      .resize(side_px, side_px, { fit: 'cover' })
      .webp({ quality: 85 })
      .toBuffer();
  } catch (cause) {
    if (/pixel limit/i.test((cause as Error).message)) {
      throw new AppError(
        'file_too_large',
        `This picture has more than ${most_pixels / 1_000_000} million pixels. Nothing was changed; make it smaller.`,
        { cause },
      );
    }
    throw new AppError(
      'unreadable_file',
      'This picture cannot be read: it is damaged or not what it claims to be. Nothing was changed; choose another one.',
      { cause },
    );
  }
}
