import { expect, test } from 'vitest';
import { safeFileName } from './safe-file-name.ts';

test('names stay as they were typed, in any script', () => {
  for (const name of [
    'Notes.md',
    'Jahresrückblick 2025 (Entwurf).docx',
    'план на год.pdf',
    '议事录 三月.txt',
    'a  b.pdf',
    '.env',
    'no extension',
    '👩‍🍳 menu.pdf',
  ]) {
    expect(safeFileName(name)).toBe(name);
  }
});

test('names come out in NFC', () => {
  expect(safeFileName('U\u0308bersicht.pdf')).toBe('Übersicht.pdf');
});

test('folders are left behind', () => {
  expect(safeFileName('/etc/passwd')).toBe('passwd');
  expect(safeFileName('C:\\Users\\nora\\plan.docx')).toBe('plan.docx');
  expect(safeFileName('../../plan.md')).toBe('plan.md');
  expect(safeFileName('folder/')).toBe('folder');
  expect(safeFileName('folder/..')).toBe('file');
});

test('control characters and direction overrides vanish, so that no extension is disguised', () => {
  expect(safeFileName('invoice\u202efdp.exe')).toBe('invoicefdp.exe');
  expect(safeFileName('a\u2066b\u2069\u200f\u0000\u0007\u009f.pdf')).toBe('ab.pdf');
  expect(safeFileName('two\r\nlines.pdf')).toBe('two lines.pdf');
  expect(safeFileName('hi\u200bdden.pdf')).toBe('hidden.pdf');
  expect(safeFileName('half\ud83d.pdf')).toBe('half.pdf');
});

test('a control character between dots makes no folder', () => {
  expect(safeFileName('.\u0000./.\u200b.')).toBe('file');
});

test('a long name is cut to 200 characters and keeps its extension', () => {
  const name = safeFileName(`${'long '.repeat(100)}.docx`);
  expect(name.length).toBeLessThanOrEqual(200);
  expect(name).toMatch(/long\.docx$/);
  expect(safeFileName('x'.repeat(5000))).toHaveLength(200);
  expect(safeFileName(`a.${'x'.repeat(5000)}`)).toHaveLength(200);
});

test('a long name is never cut inside a character', () => {
  for (const emoji of ['👩‍🍳', '🥨', 'e\u0301\u0323']) {
    const name = safeFileName(`x${emoji.repeat(150)}.pdf`);
    expect(name.length).toBeLessThanOrEqual(200);
    expect(name.isWellFormed()).toBe(true);
    expect(name.slice(1, -4).replaceAll(emoji.normalize('NFC'), '')).toBe('');
  }
  const tower = safeFileName(`a${'\u0301'.repeat(900)}.pdf`);
  expect(tower.length).toBeLessThanOrEqual(200);
  expect(tower).toMatch(/\.pdf$/);
});

test('a name is never empty', () => {
  for (const name of ['', '   ', '.', '..', '/', '\\\\', '\u202e', '\u0000'])
    expect(safeFileName(name)).toBe('file');
});
