import type { Formats } from '../accounts/formats.ts';
import { countOf } from './allowance-words.ts';
import type { Measure } from './usage.ts';

const things: Record<Measure, string> = { messages: 'message', tokens: 'token', files: 'file' };

/** `12 messages`, `1 file` */
export function amountOf(amount: number, measure: Measure, { number }: Pick<Formats, 'number'>) {
  return countOf(amount, things[measure], number);
}
