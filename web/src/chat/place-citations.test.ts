import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import Markdown from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { expect, test } from 'vitest';
import { placeCitations } from './place-citations.ts';

/** Renders Markdown in which ‸ stands where a mark belongs; marks come out as [n]. */
function render(marked: string, start = 0) {
  const citations: { number: number; index: number }[] = [];
  let markdown = '';
  for (const letter of marked) {
    if (letter === '‸') citations.push({ number: citations.length + 1, index: start + markdown.length });
    else markdown += letter;
  }
  const plugins: Parameters<typeof Markdown>[0]['remarkPlugins'] = [
    remarkGfm,
    [placeCitations, { citations, start }],
  ];
  return renderToStaticMarkup(createElement(Markdown, { remarkPlugins: plugins }, markdown))
    .replace(/<data value="(\d+)"><\/data>/g, '[$1]')
    .replaceAll('\n', '');
}

test('marks stand where they belong in running text, several in order', () => {
  expect(render('Sales rose‸ in May.‸ Then‸‸ fell.')).toBe(
    '<p>Sales rose[1] in May.[2] Then[3][4] fell.</p>',
  );
});

test('a mark inside a word moves behind it, one after a space before it', () => {
  expect(render('Sales ro‸se ‸in May.')).toBe('<p>Sales rose[1][2] in May.</p>');
});

test('a mark never breaks emphasis, code, links, lists or tables', () => {
  expect(render('**bo‸ld**‸ and `co‸de` x')).toBe(
    '<p><strong>bold[1]</strong>[2] and <code>code</code>[3] x</p>',
  );
  expect(render('[a li‸nk](https://e‸xample.com) x')).toContain('</a>[1][2] x');
  expect(render('- one‸\n- two‸')).toBe('<ul><li>one[1]</li><li>two[2]</li></ul>');
  expect(render('One.\n‸\n- two')).toBe('<p>One.[1]</p><ul><li>two</li></ul>');
  expect(render('| a | b |\n|---|---|\n| 1‸ | 2‸ |')).toContain('<td>1[1]</td><td>2[2]</td>');
});

test('a mark on code stands behind the words before it, or alone where there are none', () => {
  expect(render('See:\n\n```\nco‸de\n```')).toContain('<p>See:[1]</p>');
  expect(render('```\nco‸de\n```')).toMatch(/<\/pre><p>\[1\]<\/p>$/);
});

test('offsets count in UTF-16 units and from where the block starts', () => {
  expect(render('✅ 🏁 done‸ now', 120)).toBe('<p>✅ 🏁 done[1] now</p>');
});

test('a mark at the very end or beyond it stands at the end', () => {
  expect(render('The end.‸')).toBe('<p>The end.[1]</p>');
});
