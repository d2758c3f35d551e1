import { describe, expect, it } from 'vitest';
import { createUniquePaths, exportName } from './export-name.ts';

const id = '1a2b3c4d-0000-4000-8000-000000000000';

describe('a file’s name in an export', () => {
  it.each([
    ['2026-11-22-Bread & butter', 'md', '2026-11-22-Bread & butter-1a2b3c4d.md'],
    ['Größe, 寸法, مقاس 🥨', 'pdf', 'Größe, 寸法, مقاس 🥨-1a2b3c4d.pdf'],
    ['../../etc/passwd', '', 'etc passwd-1a2b3c4d'],
    ['C:\\Windows\\win', 'ini', 'C Windows win-1a2b3c4d.ini'],
    ['a<b>c:d"e/f\\g|h?i*j', 'md', 'a b c d e f g h i j-1a2b3c4d.md'],
    ['one\u0000two\nthree\tfour\u0007', 'md', 'one two three four-1a2b3c4d.md'],
    ['invoice\u202efdp', 'exe', 'invoice fdp-1a2b3c4d.exe'],
    ['half \ud83e', 'md', 'half-1a2b3c4d.md'],
    ['...', 'md', 'untitled-1a2b3c4d.md'],
    ['', 'md', 'untitled-1a2b3c4d.md'],
    ['CON', 'md', 'untitled CON-1a2b3c4d.md'],
    ['lpt1', '', 'untitled lpt1-1a2b3c4d'],
    ['name. . ', '.t x/t', 'name-1a2b3c4d.txt'],
  ])('of %j with %j is %j', (words, extension, name) => {
    expect(exportName(words, { id, extension })).toBe(name);
  });

  it('takes at most 200 bytes, and no character is cut', () => {
    const name = exportName('👩‍👩‍👧‍👦'.repeat(200), { id, extension: 'md' });
    expect(Buffer.byteLength(name)).toBeLessThan(200);
    expect(name).toMatch(/^(?:👩‍👩‍👧‍👦|👩 👩 👧 👦)/u);
    expect(name.isWellFormed()).toBe(true);
  });
});

it('no two paths of an export are the same, where capitals are not told apart either', () => {
  const unique = createUniquePaths();
  const paths = ['files/a.pdf', 'files/A.PDF', 'files/a.pdf', 'a', 'A', 'b.d/c', 'b.d/c'].map(unique);
  expect(paths).toEqual(['files/a.pdf', 'files/A-2.PDF', 'files/a-3.pdf', 'a', 'A-2', 'b.d/c', 'b.d/c-2']);
});
