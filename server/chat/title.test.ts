import { expect, it } from 'vitest';
import { titleFromMessage } from './title.ts';

it.each([
  [
    'Hi there, I want to make a carousel about our bread. It should be short.',
    'I want to make a carousel about our bread',
  ],
  ['Hello!', 'Hello'],
  ['good morning coach! help me', 'Help me'],
  ['# A draft\n\n- **one** [link](https://example.org)', 'A draft one link'],
  ['```js\nalert(1)\n```', 'Carousel coach'],
  ['   ', 'Carousel coach'],
  ['wie erzähle ich von unserem Umzug?', 'Wie erzähle ich von unserem Umzug?'],
  [
    'Everything we have learned about fermenting dough slowly over the past eleven years',
    'Everything we have learned about fermenting dough slowly…',
  ],
  [`${'x'.repeat(54)} words and more`, `X${'x'.repeat(53)} words…`],
  ['x'.repeat(100), `X${'x'.repeat(59)}…`],
  ['🥨'.repeat(80), `${'🥨'.repeat(60)}…`],
  ['\u202eevil\u0000 title', 'Evil title'],
])('%j becomes %j', (message, title) => {
  expect(titleFromMessage(message, 'Carousel coach')).toBe(title);
});

it('a title always fits the database and is never empty', () => {
  for (const message of ['', '.', '…', '!!!', '\n\n', 'a'.repeat(50_000), '👩‍👩‍👧‍👦'.repeat(500)]) {
    const title = titleFromMessage(message, 'Coach');
    expect(title.length).toBeGreaterThan(0);
    expect([...title].length).toBeLessThanOrEqual(200);
  }
});

it.each(['[', '![', '.', '[a](', '`', ' ', 'a ', '- '])(
  '50,000 characters of %j take no time worth naming',
  (piece) => {
    const message = `${piece.repeat(50_000 / piece.length)}x`;
    const started = process.cpuUsage();
    titleFromMessage(message, 'Coach');
    const { user, system } = process.cpuUsage(started);
    // A pattern that grows with the square of the length takes seconds.
    expect((user + system) / 1000).toBeLessThan(200);
  },
);
