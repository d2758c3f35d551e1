import { expect, test } from 'vitest';
import { renderTable, type TableRow } from './render-table.ts';

const rowsOf = (...rows: string[][]): TableRow[] =>
  rows.map((cells, index) => ({ number: index + 1, cells }));

test('each passage of a long table repeats the header, names its rows, and no row is lost or twice', () => {
  const body = Array.from({ length: 500 }, (_, n) => [`Branch ${n}`, String(n * 7)]);
  const passages = renderTable({ name: 'Shops', rows: rowsOf(['Shop', 'Loaves'], ...body) });
  expect(passages.length).toBeGreaterThan(5);
  let next = 2;
  for (const passage of passages) {
    const [heading, blank, header, rule, ...lines] = passage.split('\n');
    expect([blank, header, rule]).toEqual(['', '| Shop | Loaves |', '| --- | --- |']);
    expect(heading).toBe(`## Shops, rows ${next}–${next + lines.length - 1}`);
    for (const line of lines) {
      expect(line).toBe(`| Branch ${next - 2} | ${(next - 2) * 7} |`);
      next++;
    }
    expect(passage.length).toBeLessThan(1_100);
  }
  expect(next).toBe(502);
});

test('a wide table is written line by line, each value with its column', () => {
  const header = Array.from({ length: 30 }, (_, n) => `A long name of column ${n}`);
  const [passage] = renderTable({ name: 'Wide', rows: rowsOf(header, ['rye', '', 'oat']) });
  expect(passage).toBe('## Wide, row 2\n\nA long name of column 0: rye\nA long name of column 2: oat');
});

test('a row that is longer than a passage is cut, and each piece says where it is from', () => {
  const story = 'The oven broke twice that year. '.repeat(100).trim();
  const passages = renderTable({
    name: 'Notes',
    rows: rowsOf(['Day', 'Story'], ['Monday', story], ['Tuesday', 'Rest.']),
  });
  expect(passages.length).toBeGreaterThan(3);
  const pieces = passages.slice(0, -1);
  for (const piece of pieces) expect(piece).toMatch(/^## Notes, row 2\n\n/);
  expect(pieces.join(' ').match(/oven broke/g)).toHaveLength(100);
  expect(passages.at(-1)).toBe('## Notes, row 3\n\n| Day | Story |\n| --- | --- |\n| Tuesday | Rest. |');
});

test.each([
  ['nothing but a header', [['Loaf', 'Price']], ['## Sheet, row 1\n\n| Loaf | Price |\n| --- | --- |']],
  ['one column', [['Loaf'], ['Rye']], ['## Sheet, row 2\n\n| Loaf |\n| --- |\n| Rye |']],
  ['notes in single cells', [['', 'Ask Leo'], ['Ask Nora']], ['## Sheet, rows 1–2\n\nAsk Leo\n\nAsk Nora']],
  ['no cell', [], []],
  ['empty cells', [['', ''], ['']], []],
  [
    'rows of different lengths',
    [['a', 'b'], ['c'], ['d', '', '']],
    ['## Sheet, rows 2–3\n\n| a | b |\n| --- | --- |\n| c |  |\n| d |  |'],
  ],
  [
    'what Markdown would take for a column',
    [
      ['a', 'b'],
      ['c | d', 'e'],
    ],
    ['## Sheet, row 2\n\n| a | b |\n| --- | --- |\n| c \\| d | e |'],
  ],
])('a table with %s is written', (_, cells, expected) => {
  expect(renderTable({ name: 'Sheet', rows: rowsOf(...cells) })).toEqual(expected);
});
