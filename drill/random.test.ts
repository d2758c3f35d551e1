import { expect, it } from 'vitest';
import { createRandom } from './random.ts';

function choose(seed: string) {
  const random = createRandom(seed);
  return [
    random.number(),
    random.between(3, 9),
    random.uuid(),
    random.shuffle([1, 2, 3, 4, 5]),
    random.of('a').uuid(),
  ];
}

it('the same seed makes the same choices, another one others', () => {
  expect(choose('7')).toEqual(choose('7'));
  expect(choose('7')).not.toEqual(choose('8'));
});

it('a part chooses the same, whatever was chosen elsewhere before', () => {
  const random = createRandom('7');
  const first = random.of('part').uuid();
  random.number();
  expect(random.of('part').uuid()).toBe(first);
  expect(random.of('another part').uuid()).not.toBe(first);
});

it('choices stay within their bounds and use all of them', () => {
  const random = createRandom('7');
  const chosen = Array.from({ length: 1_000 }, () => random.between(3, 6));
  expect([...new Set(chosen)].sort()).toEqual([3, 4, 5, 6]);
  expect(random.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(random.shuffle([1, 2, 3, 4, 5]).sort()).toEqual([1, 2, 3, 4, 5]);
});
