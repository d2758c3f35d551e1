type Sharp = typeof import('sharp')['default'];

let loading: Promise<Sharp> | undefined;

/**
 * The library for pictures, loaded with the first of them, which takes a tenth of a second. Only the decoders of PNG,
 * JPEG, WebP and GIF can be reached, from files and from memory, and each picture takes one thread.
 */
export function loadSharp(): Promise<Sharp> {
  loading ??= import('sharp').then(({ default: sharp }) => {
    sharp.block({ operation: ['VipsForeignLoad'] });
    sharp.unblock({
      operation: ['Png', 'Jpeg', 'Webp', 'Nsgif'].flatMap((format) => [
        `VipsForeignLoad${format}File`,
        `VipsForeignLoad${format}Buffer`,
      ]),
    });
    sharp.concurrency(1);
    sharp.cache(false);
    return sharp;
  });
  return loading;
}
