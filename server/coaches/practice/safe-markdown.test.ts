import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import Markdown from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { describe, expect, test } from 'vitest';
import { escapeMarkdown, plainText, unescapeMarkdown } from './safe-markdown.ts';

describe('plainText', () => {
  test.each([
    ['# Title', 'Title'],
    ['> ## Quoted', 'Quoted'],
    ['![pixel](http://evil.com/a.png) seen', 'seen'],
    ['[click](javascript:alert(1)) here', 'click here'],
    ['<img src=x onerror=alert(1)>hello', 'hello'],
    ['<script>alert(1)</script>hello', 'hello'],
    ['see https://evil.com/x and www.evil.com', 'see evil.com/x and evil.com'],
    ['**bold** and *soft* and `code`', 'bold and soft and code'],
    ['2 * 3 * 4 and snake_case_word', '2 * 3 * 4 and snake_case_word'],
    ['a\u202Eb\u200Bc\u0000d', 'a b c d'],
  ])('%j keeps its words only', (given, expected) => expect(plainText(given)).toBe(expected));

  test('a long hostile text is read in a moment', () => {
    const before = process.threadCpuUsage();
    for (const piece of ['<', '[', '![', '](', '**', '# ', '`', 'a.', '<a ', '(((('])
      plainText(piece.repeat(8000 / piece.length));
    const { user, system } = process.threadCpuUsage(before);
    expect((user + system) / 1e3).toBeLessThan(1500);
  });
});

describe('escapeMarkdown', () => {
  test.each([
    '# no',
    '- no',
    '1. no',
    '> no',
    '[a](b)',
    '<b>',
    '*a*',
    '_a_',
    '`a`',
    '~~a~~',
    'a|b',
    '&lt;',
    '\\*',
  ])('%j comes back whole from unescapeMarkdown', (text) => {
    expect(escapeMarkdown(text)).not.toBe(text);
    expect(unescapeMarkdown(escapeMarkdown(text))).toBe(text);
  });

  test('whatever a stranger writes shows as one paragraph of its words: no link, image, heading, list or code', () => {
    const bits =
      '# ## - + 1. 1) > * ** _ __ ` ``` ~~ [ ] ( ) ! < > a b http:// https:// www. evil.com &lt; & \\ | --- === <b> </b> <!-- --> " é 字 [^1] :'.split(
        ' ',
      );
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor((seed / 2147483648) * below);
    };
    for (let round = 0; round < 1500; round += 1) {
      const pieces = Array.from({ length: 1 + random(12) }, () => bits[random(bits.length)]);
      const text = plainText(pieces.join(random(2) === 0 ? '' : ' ')).replace(/\n/g, ' ');
      if (text === '') continue;
      const html = renderToStaticMarkup(
        createElement(Markdown, { remarkPlugins: [remarkGfm] }, escapeMarkdown(text)),
      );
      expect(html).toMatch(/^<p>[^<]*<\/p>$/);
    }
  });

  test('plain prose stays as it is', () => {
    const prose = 'In 2019, Anna’s team (of 3) grew by 12.5% – it was my_first_job.';
    expect(escapeMarkdown(prose)).toBe(prose);
  });
});
