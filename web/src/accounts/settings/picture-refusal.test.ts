import { expect, test } from 'vitest';
import { max_picture_bytes, pictureRefusal } from './picture-refusal.ts';

test('a picture that can be used is let through up to the very last byte', () => {
  for (const type of ['image/png', 'image/jpeg', 'image/webp']) {
    expect(pictureRefusal({ type, size: max_picture_bytes })).toBe(null);
  }
});

test('what cannot be used is refused with the reason, before it is sent', () => {
  expect(pictureRefusal({ type: 'image/svg+xml', size: 100 })).toContain('PNG, JPEG or WebP');
  expect(pictureRefusal({ type: '', size: 100 })).toContain('PNG, JPEG or WebP');
  expect(pictureRefusal({ type: 'image/png', size: 0 })).toContain('empty');
  // Never “5 MB; up to 5 MB”.
  expect(pictureRefusal({ type: 'image/png', size: max_picture_bytes + 1 })).toContain('5.1 MB');
});
