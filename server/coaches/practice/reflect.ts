import type { PlaybookStep } from '../coach-file.ts';
import { countWords, sentencesOf } from './edit-words.ts';
import type { Answer } from './fill-deliverable.ts';
import { escapeMarkdown } from './safe-markdown.ts';
import { looksEnglish, readSign } from './signs.ts';
import { firstWords, numberInWords } from './weakness.ts';

/** One sentence that gives an answer back: its strongest phrase, and what the step's signs find good about it. */
export function reflect(step: PlaybookStep, index: number, answer: Answer, again: boolean): string {
  const { items } = answer;
  if (items.every((item) => answer.quoted.includes(item))) {
    return items.length === 1
      ? 'It goes in word for word, with its source.'
      : 'They go in word for word, with their source.';
  }
  const text = items.join('\n');
  const count = step.form === 'list' ? `That makes ${numberInWords(items.length)}. ` : '';
  const best = looksEnglish(text) ? strongestPhrase(step, items) : undefined;
  if (best) {
    const phrase = `“${escapeMarkdown(best.phrase)}”`;
    const forms = [
      `${phrase}: ${best.praise}.`,
      `Keep ${phrase}. It is ${best.praise}.`,
      `I would build on ${phrase}: ${best.praise}.`,
    ];
    return count + forms[index % forms.length]!;
  }
  const said = escapeMarkdown(firstWords(items[0] ?? '', 12).replace(/\.$/, ''));
  if (step.form === 'list') return `${count}We can work with that.`;
  return again ? `Good enough to build on: “${said}”. You can sharpen it any time.` : `I have it: “${said}”.`;
}

/** The phrase that shows a step's first sign with a praise, verbatim and short. */
function strongestPhrase(
  step: PlaybookStep,
  items: string[],
): { phrase: string; praise: string } | undefined {
  for (const { sign, praise } of step.listen_for) {
    if (praise === undefined) continue;
    for (const item of items) {
      const { shown, said } = readSign(sign, item);
      if (shown && said !== undefined) return { phrase: phraseAround(item, said), praise };
    }
  }
  return undefined;
}

/** The clause around the words, verbatim; where that is too short or long, the sentence, else the words with their neighbours. */
function phraseAround(text: string, said: string): string {
  const sentence = sentencesOf(text).find((part) => part.includes(said)) ?? text;
  const clause = sentence.split(/(?<=[,;:])\s+|\s+[–—]\s+/).find((part) => part.includes(said)) ?? said;
  for (const [part, least, most] of [
    [clause, 3, 15],
    [sentence, 3, 18],
  ] as const) {
    const words = countWords(part);
    const opensWithJoint =
      part === clause && clause !== sentence && /^(?:but|and|or|so|which|that)\b/i.test(part);
    if (words >= least && words <= most && part.length <= 140 && !opensWithJoint)
      return closeQuotes(part.trim().replace(/(?<![,;:.\s])[,;:.\s]+$/, ''));
  }
  const words = clause.split(/\s+/);
  const at = Math.max(
    0,
    words.findIndex((word) => word.includes(said.split(/\s+/)[0]!)),
  );
  const start = Math.max(0, Math.min(at - 2, words.length - 10));
  return closeQuotes(trimEnds(words.slice(start, start + 10).join(' '))).slice(0, 160);
}

/** Without loose marks and joining words at the end. */
function trimEnds(phrase: string): string {
  return phrase
    .trim()
    .replace(/(?<![,;:.\s])[,;:.\s]+$/, '')
    .replace(
      /(?:\s+(?:the|a|an|to|of|in|on|at|for|with|and|or|but|that|my|his|her|their|your|by|from|as|is|was))+$/i,
      '',
    );
}

/** A phrase that stands in quotation marks of ours loses its own outer or unpaired ones. */
function closeQuotes(phrase: string): string {
  const inner = phrase.replace(/^["“„](.*)["”]$/u, '$1');
  const marks = inner.match(/["“”„]/gu) ?? [];
  return (marks.length % 2 === 0 ? inner.replace(/["“”„]/gu, "'") : inner.replace(/["“”„]/gu, '')).trim();
}
