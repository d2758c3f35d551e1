import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { splitPassages } from './split-passages.ts';

const split = (content: string) => splitPassages([{ page: null, content }]).map((passage) => passage.content);
const squeeze = (text: string) => text.replace(/\s+/g, '');
const sentence = (number: number, length: number) =>
  `Sentence ${number} ${'goes on and on '
    .repeat(Math.ceil(length / 15))
    .slice(0, length - 19)
    .trim()} then.`;
const paragraph = (sentences: number, length = 100) =>
  Array.from({ length: sentences }, (_, index) => sentence(index, length)).join(' ');

test('a short text is one passage', () => {
  expect(split('Bread.\n\nSalt.')).toEqual(['Bread.\n\nSalt.']);
});

test('a text without words has no passages', () => {
  expect(split('')).toEqual([]);
  expect(split(' \n\n\t\n')).toEqual([]);
});

test('passages are numbered through the document and never span two pages', () => {
  const passages = splitPassages([
    { page: 1, content: 'One.' },
    { page: 2, content: '' },
    { page: 3, content: `${paragraph(8)}\n\n${paragraph(8)}` },
  ]);
  expect(passages.map(({ ordinal, page }) => [ordinal, page])).toEqual([
    [1, 1],
    [2, 3],
    [3, 3],
  ]);
});

test('passages of prose have 600 to 1,000 characters and end where a sentence ends', () => {
  const paragraphs = Array.from({ length: 60 }, (_, index) =>
    paragraph((index * 7) % 17 || 3, 40 + ((index * 31) % 160)),
  );
  const passages = split(paragraphs.join('\n\n'));
  for (const passage of passages) expect(passage).toMatch(/\.$/);
  for (const passage of passages) expect(passage.length).toBeLessThanOrEqual(1200);
  const in_range = passages.filter((passage) => passage.length >= 600 && passage.length <= 1000);
  expect(in_range.length).toBeGreaterThan(passages.length * 0.8);
});

test('a passage ends with a paragraph where one ends in time', () => {
  const paragraphs = [paragraph(4), paragraph(4), paragraph(4), paragraph(4)];
  expect(split(paragraphs.join('\n\n'))).toEqual([
    paragraphs.slice(0, 2).join('\n\n'),
    paragraphs.slice(2).join('\n\n'),
  ]);
});

test('a heading stays with what follows it', () => {
  for (const heading of [
    '## What we baked',
    'What we baked',
    'What we baked\n=============',
    'Wiebke Größler:',
  ]) {
    for (let length = 300; length < 1400; length += 37) {
      const passages = split(`${sentence(1, length)}\n\n${heading}\n\n${sentence(2, 990)}\n\nEnd.`);
      const with_heading = passages.filter((passage) => passage.includes(heading));
      expect(with_heading).toHaveLength(1);
      expect(with_heading[0]).toContain('Sentence 2');
    }
  }
});

test('a hard-wrapped paragraph is divided after sentences, not after lines', () => {
  const sentences = Array.from({ length: 40 }, (_, index) => sentence(index, 60 + ((index * 37) % 90)));
  const wrapped = sentences.join(' ').replace(/(.{60,72}) /g, '$1\n');
  for (const passage of split(wrapped)) expect(passage).toMatch(/\.$/);
});

test('a long list is divided between its items', () => {
  const list = Array.from({ length: 60 }, (_, index) => `- item ${index} without a full stop`).join('\n');
  for (const passage of split(list)) expect(passage).toMatch(/^- item [\s\S]* stop$/);
});

test('an abbreviation ends no passage', () => {
  const text = 'Then Dr. Ashdown spoke to Prof. J. Brandt, e.g. about z. B. the oven '.repeat(14);
  const passages = split(`${text.trim()}. ${text.trim()}.`);
  for (const passage of passages) expect(passage).not.toMatch(/(Dr|Prof|J|e\.g|z)\.$/);
});

test('a sentence without end is divided after a word, a word without end between characters', () => {
  const words = 'flour water salt time '.repeat(200);
  for (const passage of split(words))
    expect(passage).toMatch(/^(flour|water|salt|time)[\s\S]*(flour|water|salt|time)$/);
  const emoji = split('🥨'.repeat(3000));
  expect(emoji.every((passage) => passage.isWellFormed() && passage.length <= 1200)).toBe(true);
  expect(emoji.join('')).toBe('🥨'.repeat(3000));
});

test('nothing is lost or said twice, whatever the text', () => {
  const pieces = [
    '\n',
    '\n\n',
    ' ',
    '# Head\n',
    'Word',
    '. ',
    'ü',
    '🥨',
    '- item\n',
    'x'.repeat(700),
    'Dr. ',
    '\t',
    '| a |\n',
    '\u0301',
  ];
  let seed = 7;
  const random = () => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  for (let round = 0; round < 300; round++) {
    const text = Array.from(
      { length: 1 + random() * 400 },
      () => pieces[Math.floor(random() * pieces.length)],
    ).join('');
    const passages = split(text);
    expect(squeeze(passages.join(''))).toBe(squeeze(text));
    for (const passage of passages) {
      expect(passage.trim()).not.toBe('');
      expect(passage.length).toBeLessThanOrEqual(1400);
    }
  }
});

test('the notes of a founder are divided at their sections', () => {
  const notes = readFileSync(new URL('../testing/fixtures/founder-notes.md', import.meta.url), 'utf8');
  const passages = split(notes);
  expect(passages.length).toBeGreaterThan(2);
  expect(squeeze(passages.join(''))).toBe(squeeze(notes));
  expect(passages.find((passage) => passage.includes('## What I believe'))).toContain('26 hours');
});

test('time grows with the length of the text, not faster', () => {
  const measure = (text: string) => {
    const before = process.threadCpuUsage();
    split(text);
    const used = process.threadCpuUsage(before);
    return (used.user + used.system) / 1000;
  };
  for (const unit of [
    `${paragraph(7)}\n\n`,
    `${sentence(1, 80)} `,
    'Line of words\n',
    'x',
    '\n \n',
    '# Head\n\n',
  ]) {
    const short = unit.repeat(Math.ceil(250_000 / unit.length));
    measure(short);
    const short_ms = Math.min(measure(short), measure(short));
    // Eight times the text; a quadratic step would take 64 times as long.
    expect(measure(short.repeat(8))).toBeLessThan(short_ms * 30 + 50);
  }
});
