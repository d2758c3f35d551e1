import { expect, test } from 'vitest';
import { splitLinks } from './split-links.ts';

const links = (text: string) =>
  splitLinks(text)
    .filter(({ href }) => href !== null)
    .map(({ href }) => href);

test('nothing of the text is lost, and what is shown is where it leads', () => {
  const text =
    'Open it:\nhttp://localhost:3000/reset?token=a&b=%20c#d\n\nOr (https://example.org/a_(b)), please.';
  const parts = splitLinks(text);
  expect(parts.map((part) => part.text).join('')).toBe(text);
  expect(parts.filter(({ href }) => href !== null).every(({ text, href }) => text === href)).toBe(true);
  expect(links(text)).toEqual(['http://localhost:3000/reset?token=a&b=%20c#d', 'https://example.org/a_(b']);
});

test.each([
  '',
  'No address.',
  'javascript:alert(1)',
  'data:text/html,x',
  'xhttps://a.example',
  'http://',
  'https://:80/',
])('what is no web address stays text: %j', (text) => {
  expect(links(text)).toEqual([]);
  expect(splitLinks(text).map((part) => part.text)).toEqual(text ? [text] : []);
});

test.each(['.', ',', '!', '?', ')', '…'])(
  'the end of a sentence is not the end of an address: %s',
  (mark) => {
    expect(links(`See https://example.org/x${mark} Then`)[0]).toBe(
      mark === '…' ? 'https://example.org/x…' : 'https://example.org/x',
    );
  },
);

test('endless text is split at once', () => {
  const text = `https://example.org/${')'.repeat(200_000)}`;
  expect(splitLinks(text)[0]?.text).toBe('https://example.org/');
  expect(splitLinks(`${text}a`)).toHaveLength(1);
});
