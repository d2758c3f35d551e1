import { expect, test } from 'vitest';
import { newId } from './new-id.ts';

test('an id is a version 7 uuid that carries its time', () => {
  const id = newId(0x0192_aabb_ccdd);
  expect(id).toMatch(/^0192aabb-ccdd-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('ids sort by the time they were made', () => {
  const ids = [1_700_000_000_000, 1_700_000_000_001, 1_800_000_000_000].map(newId);
  expect([...ids].sort()).toEqual(ids);
});

test('two ids of the same millisecond differ', () => {
  expect(newId(1)).not.toBe(newId(1));
});
