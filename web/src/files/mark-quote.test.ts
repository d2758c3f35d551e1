import { expect, test } from 'vitest';
import { markQuote } from './mark-quote.ts';

test('the quote is found across line breaks and runs of spaces', () => {
  expect(markQuote('We sold\n  more than ever (in May).', 'sold more than ever (in')).toEqual({
    before: 'We ',
    quote: 'sold\n  more than ever (in',
    after: ' May).',
  });
});

test('nothing is marked when the quote does not stand there, or there is none', () => {
  expect(markQuote('One thing', 'Another thing')).toBeNull();
  expect(markQuote('One thing', '  ')).toBeNull();
  expect(markQuote('One thing', null)).toBeNull();
});

test('the three parts together are the passage', () => {
  const marked = markQuote('a b c b a', 'b');
  expect(`${marked?.before}${marked?.quote}${marked?.after}`).toBe('a b c b a');
});
