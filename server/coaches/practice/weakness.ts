import type { PlaybookStep } from '../coach-file.ts';
import { bare, countWords } from './edit-words.ts';
import { escapeMarkdown } from './safe-markdown.ts';
import { looksEnglish, readSign } from './signs.ts';

const smallNumbers = ['none', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];

/** What the coach would say to a weak answer, as Markdown; undefined when the answer carries the step. */
export function weaknessOf(step: PlaybookStep, items: string[]): string | undefined {
  const text = items.join('. ');
  const words = countWords(text);
  if (step.form === 'list' && items.length < step.min_items) return say(step.thin, text, items.length);
  const signs = looksEnglish(text) ? step.listen_for : [];
  const weak = signs.flatMap(({ sign, nudge }) => {
    const { shown, said } = readSign(sign, text);
    return nudge === undefined || shown ? [] : [{ nudge, said }];
  });
  // A word that can be named helps more than the remark that there are too few.
  const named = weak.find(({ said }) => said !== undefined);
  if (words < step.min_words)
    return named ? say(named.nudge, named.said!, words) : say(step.thin, text, words);
  const spaced = !/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Thai}]/u.test(text);
  if (step.too_long !== undefined && spaced && words > step.max_words) return say(step.too_long, text, words);
  return weak[0] && say(weak[0].nudge, weak[0].said ?? text, words);
}

function say(sentence: string, said: string, count: number) {
  return sentence
    .replace(/\s+/g, ' ')
    .trim()
    .replaceAll('{{said}}', () => escapeMarkdown(firstWords(bare(said), 9)))
    .replaceAll('{{count}}', numberInWords(count));
}

/** A small number as a word, a larger one in digits. */
export function numberInWords(count: number): string {
  return smallNumbers[count] ?? String(count);
}

/** The first words of a text, with an ellipsis where something follows. */
export function firstWords(text: string, max_words: number): string {
  const words = text.replace(/\s+/g, ' ').trim().split(' ');
  const head = words.slice(0, max_words).join(' ');
  const short = [...head].length > 120 ? `${[...head].slice(0, 120).join('')}…` : head;
  return words.length > max_words ? `${short.replace(/[,;:.]$/, '')} …` : short;
}
