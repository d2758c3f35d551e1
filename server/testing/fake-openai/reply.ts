import { bestSentence, type RetrievedPassage, sentencesOf } from './search.ts';

export type ReplyRequest = {
  /** The words of the last message of the request. */
  input: string;
  instructions: string | null;
  /** What the file search found, best first. */
  passages: RetrievedPassage[];
  /** The messages before this one that the conversation (or the previous responses) hold, oldest first. */
  earlier: { role: string; text: string }[];
};

/** Writes the reply. Whatever sentence of a passage it repeats word for word is cited. */
export type Reply = (request: ReplyRequest) => string;

/** A plausible coach: takes up the last message, shows what it remembers and quotes the best passage. */
export const coachReply: Reply = ({ input, passages, earlier }) => {
  const opening = `Let us work on this: “${firstWords(input, 14)}”.`;
  const first = earlier.find((message) => message.role === 'user');
  const memory = first
    ? ` I remember ${earlier.length} earlier message${earlier.length === 1 ? '' : 's'}; ` +
      `you began with “${firstWords(first.text, 6)}”.`
    : '';
  const best = passages[0];
  const quote = best
    ? `\n\nYour file ${best.filename} says: “${bestSentence(best.text, input)}” Build on that.`
    : '';
  const steps = [
    'Name the one reader you write for.',
    'Say the point in a single sentence.',
    'Cut whatever does not serve it.',
  ];
  return `${opening}${memory}${quote}\n\n${steps.map((step) => `- ${step}`).join('\n')}\n\nWhich of these shall we begin with?`;
};

type Citation = { file_id: string; filename: string; index: number };

/**
 * Where the text repeats a sentence of a passage: `index` is the offset at which the quote ends (with its
 * closing quotation mark), in characters as Python counts them, that is in code points and not in UTF-16
 * units. The specification leaves the unit open.
 */
export function citationsIn(text: string, passages: RetrievedPassage[]): Citation[] {
  const found = new Map<string, Citation>();
  for (const { file_id, filename, text: passage } of passages) {
    for (const sentence of sentencesOf(passage).filter((one) => one.length >= 12)) {
      const at = text.indexOf(sentence);
      if (at < 0) continue;
      const end = at + sentence.length;
      const index = charactersIn(text.slice(0, /[”"»]/.test(text[end] ?? '') ? end + 1 : end));
      found.set(`${file_id} ${index}`, { file_id, filename, index });
    }
  }
  return [...found.values()].sort((a, b) => a.index - b.index);
}

export function charactersIn(text: string) {
  return [...text].length;
}

function firstWords(text: string, count: number) {
  const words = text.trim().split(/\s+/);
  return words.slice(0, count).join(' ') + (words.length > count ? ' …' : '');
}
