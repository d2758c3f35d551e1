import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';
import ReplyMarkdown from './reply-markdown.tsx';

const render = (markdown: string) =>
  renderToStaticMarkup(createElement(ReplyMarkdown, { markdown, citations: [], onCitation: () => {} }));

test('raw HTML stays text and never becomes an element', () => {
  const html = render(
    'Hi <img src=x onerror=alert(1)> <script>alert(1)</script>\n\n<iframe src="https://evil.example">',
  );
  expect(html).not.toMatch(/<(img|script|iframe)/);
});

test('a picture is never loaded; a link says where it would lead', () => {
  const html = render('![Chart](https://track.example/a.png?member=1)');
  expect(html).not.toContain('<img');
  expect(html).toContain('Picture: Chart');
  expect(html).toContain('(track.example)');
});

test('a link opens in a new tab that cannot reach back', () => {
  expect(render('[here](https://example.com)')).toContain('target="_blank" rel="noopener noreferrer"');
});

test.each([
  ['[microsoft.com](https://t.co/x)', '(t.co)'],
  ['[https://example.com.login/](https://example.com/)', '(example.com)'],
  ['https://bank.example@evil.example/', '(evil.example)'],
  ['[not evil.example but bank.example](https://evil.example)', '(evil.example)'],
])('%s cannot hide where it leads behind words in which its host stands', (markdown, shown) => {
  expect(render(markdown)).toContain(shown);
});

test.each([
  'https://example.com/a?b=1',
  'www.example.com/a',
  'ann@example.com',
  '<mailto:ann@example.com>',
  '[example.com](https://example.com/a)',
])('%s says by itself where it leads', (markdown) => {
  expect(render(markdown)).not.toContain('text-muted');
});

test('a script address is no link', () => {
  expect(render('[here](javascript:alert(1))')).not.toContain('href');
});

test('code is copied as it stands, by a button outside of what scrolls', () => {
  const html = render('```js\nconst a = 1;\n```\n\nWords');
  expect(html).toMatch(/<\/figure><button[^>]*aria-label="Copy code"/);
  expect(render('Words with `code`')).not.toContain('Copy code');
});
