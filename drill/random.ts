/** Choices that come again with the same seed. Not for secrets. */
export type Random = {
  /** From 0 up to, but without, 1. */
  number: () => number;
  /** A whole number, both bounds included. */
  between: (least: number, most: number) => number;
  chance: (probability: number) => boolean;
  pick: <Item>(items: readonly Item[]) => Item;
  shuffle: <Item>(items: readonly Item[]) => Item[];
  uuid: () => string;
  /**
   * A generator of its own for a part of the work. Which one of two things at the same time chooses first depends on the
   * machine; with a generator each, that changes nothing.
   */
  of: (part: string) => Random;
};

export function createRandom(seed: string): Random {
  let [a, b, c, counter] = hash(seed) as [number, number, number, number];

  /** sfc32 (PractRand): 32 bits a step, from 128 bits of state. */
  function step() {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  }
  for (let warming = 0; warming < 15; warming++) step();

  const number = () => step() / 2 ** 32;
  const between = (least: number, most: number) => least + Math.floor(number() * (most - least + 1));
  return {
    number,
    between,
    chance: (probability) => number() < probability,
    pick: (items) => items[between(0, items.length - 1)]!,
    shuffle(items) {
      const shuffled = [...items];
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = between(0, last);
        [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
      }
      return shuffled;
    },
    uuid() {
      const digits = Array.from({ length: 4 }, () => step().toString(16).padStart(8, '0')).join('');
      const variant = '89ab'[between(0, 3)];
      return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-${variant}${digits.slice(17, 20)}-${digits.slice(20)}`;
    },
    of: (part) => createRandom(`${seed}/${part}`),
  };
}

/** Four numbers of 32 bits from a text (FNV-1a, each with a beginning of its own). */
function hash(text: string) {
  return [0x811c9dc5, 0x01000193, 0x9e3779b9, 0x85ebca6b].map((start) => {
    let value = start;
    for (let at = 0; at < text.length; at++) {
      value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
      value ^= value >>> 13;
    }
    return value | 0;
  });
}
