import { expect, it } from 'vitest';
import { createMarkReader } from './cited-marks.ts';

function readInPieces(text: string, size: number, count = 3) {
  const reader = createMarkReader(count);
  const parts: (string | number)[] = [];
  for (let from = 0; from < text.length; from += size)
    parts.push(...reader.read(text.slice(from, from + size)));
  parts.push(...reader.rest());
  // Neighbouring stretches are one: how the text was cut does not matter.
  return parts.reduce<(string | number)[]>((joined, part) => {
    const last = joined.at(-1);
    if (typeof part === 'string' && typeof last === 'string') joined[joined.length - 1] = last + part;
    else joined.push(part);
    return joined;
  }, []);
}

it.each([
  ['It has 412 [[1]].', ['It has 412 ', 1, '.']],
  ['[[1]][[2]]', [1, 2]],
  ['a [[9]] b', ['a  b']],
  ['a [[0]] b', ['a  b']],
  ['a [link](x) and [1]', ['a [link](x) and [1]']],
  ['ends in [[', ['ends in [[']],
  ['ends in [[1', ['ends in [[1']],
  ['ends in [[1]', ['ends in [[1]']],
  ['[[[1]]]', ['[', 1, ']']],
  ['[[12345]]', ['[[12345]]']],
])('%j is read the same however it is cut', (text, expected) => {
  for (let size = 1; size <= text.length; size++) expect(readInPieces(text, size)).toEqual(expected);
});
