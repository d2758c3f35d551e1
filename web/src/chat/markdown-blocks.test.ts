import { expect, test } from 'vitest';
import { markdownBlocks } from './markdown-blocks.ts';

const texts = (markdown: string) => markdownBlocks(markdown).map(({ text }) => text.trim());

test('the blocks together are the whole, each at its offset', () => {
  const markdown = '# Title\n\nOne\ntwo\n\n\n- a\n\n- b\n\nEnd\n';
  for (const { start, text } of markdownBlocks(markdown)) {
    expect(markdown.slice(start, start + text.length)).toBe(text);
  }
  expect(
    markdownBlocks(markdown)
      .map(({ text }) => text)
      .join(''),
  ).toBe(markdown);
});

test('paragraphs and headings part; a list with empty lines stays one list', () => {
  expect(texts('A\n\nB')).toEqual(['A', 'B']);
  expect(texts('A\n\n1. x\n\n   more\n\n2. y\n\nB')).toEqual(['A\n\n1. x\n\n   more\n\n2. y', 'B']);
});

test('code is never cut, even with empty lines and other fences inside', () => {
  const code = '````md\n\nA\n\n```\n\nB\n````';
  expect(texts(`${code}\n\nAfter`)).toEqual([code, 'After']);
});

test('a reply with link definitions stays whole', () => {
  expect(markdownBlocks('See [it][1].\n\n[1]: https://example.com')).toHaveLength(1);
});

test('blocks that are complete do not change while the reply grows', () => {
  const markdown = 'One\n\nTwo **bold**\n\n- a\n- b\n\nThree\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nFour';
  let before: string[] = [];
  for (let end = 1; end <= markdown.length; end++) {
    const now = markdownBlocks(markdown.slice(0, end)).map(({ text }) => text);
    const complete = before.slice(0, -1);
    expect(now.slice(0, complete.length)).toEqual(complete);
    before = now;
  }
});
