import { expect, test } from 'vitest';
import { takeTurns } from './take-turns.ts';

const { signal } = new AbortController();
const turn = () => new Promise((resolve) => setImmediate(resolve));

function start(limits: Partial<Parameters<typeof takeTurns>[0]> = {}) {
  const inTurn = takeTurns({
    ...{ at_once: 1, most_of_one: 3, most_of_all: 5, refuse: () => new Error('full') },
    ...limits,
  });
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  /** Work that goes on until the test ends it. */
  const ask = (who: string, name: string, leaves = signal) =>
    inTurn(who, leaves, async () => {
      begun.push(name);
      await new Promise<void>((resolve) => ends.push(resolve));
      return name;
    });
  const endNext = async () => {
    ends.shift()!();
    await turn();
  };
  return { ask, begun, endNext, ends };
}

test('those who wait are served in turn, one of each person', async () => {
  const { ask, begun, endNext } = start();
  const asked = [ask('ann', 'a1'), ask('ann', 'a2'), ask('ann', 'a3'), ask('bo', 'b1'), ask('cy', 'c1')];
  for (let index = 0; index < 5; index++) await endNext();
  expect(begun).toEqual(['a1', 'a2', 'b1', 'c1', 'a3']);
  expect(await Promise.all(asked)).toEqual(['a1', 'a2', 'a3', 'b1', 'c1']);
});

test('no more go on at once than may, also after one has failed', async () => {
  const { ask, begun, endNext, ends } = start({ at_once: 2 });
  const asked = ['a1', 'a2', 'a3', 'a4'].map((name) => ask('ann', name));
  await turn();
  expect(begun).toEqual(['a1', 'a2']);
  await endNext();
  expect(begun).toEqual(['a1', 'a2', 'a3']);
  await endNext();
  await endNext();
  await endNext();
  await Promise.all(asked);
  const failing = takeTurns({ at_once: 1, most_of_one: 1, most_of_all: 1, refuse: () => new Error('full') });
  for (let index = 0; index < 3; index++) {
    await expect(failing('ann', signal, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  }
  expect(ends).toEqual([]);
});

test('whom there is no room for is refused: for the one who has too many first, then for all', async () => {
  const { ask, endNext } = start();
  const asked = ['a1', 'a2', 'a3', 'a4'].map((name) => ask('ann', name));
  await expect(ask('ann', 'a5')).rejects.toThrow('full');
  asked.push(ask('bo', 'b1'), ask('cy', 'c1'));
  await expect(ask('di', 'd1')).rejects.toThrow('full');
  for (let index = 0; index < 6; index++) await endNext();
  expect(await Promise.all(asked)).toHaveLength(6);
});

test('who leaves gives up the place at once, and nothing of it is begun', async () => {
  const { ask, begun, endNext } = start();
  const leaving = new AbortController();
  const first = ask('ann', 'a1');
  const left = ['a2', 'a3', 'a4'].map((name) => ask('ann', name, leaving.signal));
  leaving.abort(new Error('left'));
  for (const gone of left) await expect(gone).rejects.toThrow('left');
  const later = ['a5', 'a6', 'a7'].map((name) => ask('ann', name));
  for (let index = 0; index < 4; index++) await endNext();
  await Promise.all([first, ...later]);
  expect(begun).toEqual(['a1', 'a5', 'a6', 'a7']);
  await expect(ask('ann', 'a8', leaving.signal)).rejects.toThrow('left');
});
