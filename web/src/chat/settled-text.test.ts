import { expect, test } from 'vitest';
import { settledText } from './settled-text.ts';

test('half words wait, whole sentences do not', () => {
  expect(settledText('The hook dec')).toBe('The hook ');
  expect(settledText('The hook decides.')).toBe('The hook decides.');
});

test('open emphasis and code are closed for the moment', () => {
  expect(settledText('This is **very important and ')).toBe('This is **very important and**');
  expect(settledText('Say *softly and ')).toBe('Say *softly and*');
  expect(settledText('Use `npm run ')).toBe('Use `npm run`');
});

test('marks that nothing follows yet are not shown', () => {
  expect(settledText('One\n- ')).toBe('One\n');
  expect(settledText('One\n\n##')).toBe('One\n\n');
  expect(settledText('This is ** ')).toBe('This is');
});

test('a list item with a star is not taken for emphasis', () => {
  expect(settledText('* one thing\n* two ')).toBe('* one thing\n* two ');
});

test('a link is shown when it is whole', () => {
  expect(settledText('See [the guide](https://exam')).toBe('See ');
  expect(settledText('See [the guide](https://example.com) ')).toBe('See [the guide](https://example.com) ');
});

test('a table grows by whole rows, and not before its head is known to be one', () => {
  expect(settledText('Here:\n\n| Slide | Text |\n')).toBe('Here:\n\n');
  const head = 'Here:\n\n| Slide | Text |\n|---|---|\n';
  expect(settledText(`${head}| 1 | Ho`)).toBe(head);
  expect(settledText(`${head}| 1 | Hook |\n`)).toBe(`${head}| 1 | Hook |\n`);
});

test('code grows by whole lines', () => {
  expect(settledText('```js\nconst a = 1;\nconst b')).toBe('```js\nconst a = 1;\n');
});

test('what is shown is the text itself up to closing marks, so citations keep their place', () => {
  const text =
    'A **bold claim** and [a link](https://example.com), `code`.\n\n- one\n- *two* things\n\n| a |\n|---|\n| 1 |\n';
  for (let end = 0; end <= text.length; end++) {
    const settled = settledText(text.slice(0, end));
    expect(text.startsWith(settled.replace(/[*`]+$/, ''))).toBe(true);
  }
});
