import { expect, test } from 'vitest';
import { readableLength, readableSize, refusalFor } from './file.ts';

test('a size always has its unit and at most two figures after rounding', () => {
  expect([1, 999, 1000, 48_400, 999_499, 999_500, 3_240_000, 20_000_000].map(readableSize)).toEqual([
    '1 byte',
    '999 bytes',
    '1 kB',
    '48 kB',
    '999 kB',
    '1 MB',
    '3.2 MB',
    '20 MB',
  ]);
});

const limits = { max_file_bytes: 1000, file_extensions: ['.pdf', '.md'] };

test('a file is refused before it is sent when its type, size or emptiness rules it out', () => {
  expect(refusalFor({ name: 'a.mp4', size: 10, type: 'video/mp4' }, limits)).toContain('PDF, MD');
  expect(refusalFor({ name: 'a.pdf', size: 0, type: 'application/pdf' }, limits)).toContain('empty');
  expect(refusalFor({ name: 'a.pdf', size: 1001, type: 'application/pdf' }, limits)).toContain('1 kB');
});

test.each(['Notes.PDF', 'README', 'notes.log', 'week.yaml'])(
  '%s may be tried: the server looks inside',
  (name) => {
    expect(refusalFor({ name, size: 1000, type: '' }, limits)).toBeNull();
  },
);

test.each([
  [{ file_size: 48_000 }, '48 kB'],
  [{ file_size: 48_000, pages: null }, '48 kB'],
  [{ file_size: 48_000, pages: 1 }, '48 kB, 1 page'],
  [{ file_size: 48_000, pages: 6 }, '48 kB, 6 pages'],
])('the length of %j is %s', (file, text) => {
  expect(readableLength(file)).toBe(text);
});
