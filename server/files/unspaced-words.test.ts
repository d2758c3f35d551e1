import { expect, test } from 'vitest';
import { unspacedWords } from './unspaced-words.ts';

test.each([
  ['面包店的价格', ['面包', '包店', '店的', '的价', '价格']],
  ['パンは1日2個。', ['パン', 'ンは', '日', '個']],
  ['빵 값은', ['빵', '값은']],
  ['ราคาขนมปัง', ['ราคา', 'ขนมปัง']],
  ['Brot und Käse, χρήμα, хлеб, خبز', []],
  ['', []],
])('%s is found by %j', (text, words) => {
  expect(unspacedWords(text)).toEqual(words);
});
