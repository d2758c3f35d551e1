import { expect, test } from 'vitest';
import { pastedFiles } from './pasted-files.ts';

const clipboard = (text: string, ...names: string[]) => ({
  files: names.map((name) => new File(['x'], name)) as unknown as FileList,
  getData: (type: string) => (type === 'text/plain' ? text : ''),
});

test('what is copied as words is pasted as words, also where a picture of them comes along', () => {
  expect(pastedFiles(clipboard('Flour\t900 g', 'image.png'))).toEqual([]);
  expect(pastedFiles(null)).toEqual([]);
});

test('files and screenshots are pasted as they are', () => {
  expect(pastedFiles(clipboard('', 'image.png', 'report.pdf')).map(({ name }) => name)).toEqual([
    'image.png',
    'report.pdf',
  ]);
});
