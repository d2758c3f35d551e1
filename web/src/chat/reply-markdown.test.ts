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

test('a script address is no link', () => {
  expect(render('[here](javascript:alert(1))')).not.toContain('href');
});

test('code is copied as it stands, by a button outside of what scrolls', () => {
  const html = render('```js\nconst a = 1;\n```\n\nWords');
  expect(html).toMatch(/<\/figure><button[^>]*aria-label="Copy code"/);
  expect(render('Words with `code`')).not.toContain('Copy code');
});
