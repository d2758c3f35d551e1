import type { Formats } from '../accounts/formats.ts';
import { countOf } from './allowance-words.ts';
import { wordsOf } from './plan-words.ts';
import type { Measure } from './usage.ts';

/** `12 messages`, `1 file`; of tokens about how many words they are: `130 words`. */
export function amountOf(amount: number, measure: Measure, { number }: Pick<Formats, 'number'>) {
  if (measure === 'tokens') return countOf(wordsOf(amount), 'word', number);
  return countOf(amount, measure === 'messages' ? 'message' : 'file', number);
}

/** The figure of it alone, where its unit stands beside. */
export function figureOf(amount: number, measure: Measure) {
  return measure === 'tokens' ? wordsOf(amount) : amount;
}
