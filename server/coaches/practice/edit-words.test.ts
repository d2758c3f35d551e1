import { describe, expect, test } from 'vitest';
import {
  countWords,
  dropFillers,
  fitWords,
  inline,
  leadAndRest,
  listItems,
  sentencesOf,
  tidySentence,
} from './edit-words.ts';

describe('words and sentences', () => {
  test('words are counted in scripts without spaces', () =>
    expect(countWords('我今天很累')).toBeGreaterThan(2));
  test('initials and titles do not end a sentence, numbers may begin one', () =>
    expect(sentencesOf('Dr. Lee asked 412 people. 62 percent said no. J. R. left.')).toEqual([
      'Dr. Lee asked 412 people.',
      '62 percent said no.',
      'J. R. left.',
    ]));
  test('a spoken line stays with its sentence', () =>
    expect(sentencesOf('He shouted "Louder!" from the back.')).toEqual([
      'He shouted "Louder!" from the back.',
    ]));
  test('a sentence gets a capital and a full stop', () =>
    expect(tidySentence(' so  i said no ')).toBe('So I said no.'));
  test('inside a sentence an article is small, a name stays', () => {
    expect(inline('A nurse.')).toBe('a nurse');
    expect(inline('Jana, a nurse.')).toBe('Jana, a nurse');
  });
});

describe('fitWords', () => {
  test('keeps whole sentences and hands back the rest', () =>
    expect(fitWords('Pick a date now. Tell them why it matters.', 5)).toEqual({
      text: 'Pick a date now.',
      left_over: 'Tell them why it matters.',
    }));
  test('cuts one sentence at a clause', () =>
    expect(fitWords('Send the email tonight, in ten minutes', 5)).toMatchObject({
      text: 'Send the email tonight',
    }));
  test.each([
    'Most people think raising prices loses clients, but silence loses them.',
    'He put the form down and said "No, I am from the bakery. You ordered this."',
    'One two three four five six seven eight nine ten',
  ])('leaves %j whole, since a cut would change or break it', (text) =>
    expect(fitWords(text, 6)).toEqual({ text, left_over: '' }),
  );
});

describe('lists', () => {
  test.each([
    ['a one\nb two\nc three', 3],
    ['1. one 2. two 3. three', 3],
    ['Pick a date; name the price; stop', 3],
    ['Pick a date. Name the price.', 2],
    ['Here they are:\n- one\n- two\n- three', 3],
    ['just one thing', 1],
  ])('%j has its items', (text, count) => expect(listItems(text)).toHaveLength(count));
  test('an item is parted at its colon', () =>
    expect(leadAndRest('Pick the date: never on an invoice')).toEqual({
      lead: 'Pick the date',
      rest: 'Never on an invoice.',
    }));
});

test('fillers go, and a text without them is not touched', () => {
  expect(dropFillers('You really need this in order to win.')).toBe('You need this to win.');
  expect(dropFillers('nothing to drop')).toBe('nothing to drop');
});
