/** What a picture of a member may be. The server looks at the bytes and has the last word. */
export const picture_types = ['image/png', 'image/jpeg', 'image/webp'];
export const max_picture_bytes = 5 * 1024 * 1024;

/** Why a file need not even be sent as a picture, as a sentence; null when it may be tried. */
export function pictureRefusal({ type, size }: Pick<File, 'type' | 'size'>) {
  if (!picture_types.includes(type)) {
    return 'This is not a PNG, JPEG or WebP picture. Save it as one of these, or choose another one.';
  }
  if (size === 0) return 'This file is empty. Choose another one.';
  if (size > max_picture_bytes) {
    const megabytes = Math.ceil(size / 1024 / 102.4) / 10;
    return `This picture has ${megabytes} MB; up to 5 MB can be used. Choose a smaller one.`;
  }
  return null;
}
