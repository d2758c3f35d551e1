import type { Passage } from '../../platform/models/model.ts';
import { countWords, sentencesOf, wordsOf } from './edit-words.ts';
import { plainText } from './safe-markdown.ts';

/** A sentence of a member's file, plain text, and the passage that it stands in. */
type Quote = { text: string; passage: Passage };

const stopWords = new Set(
  'the a an and or but nor of to in on at for with from by as is are was were be been being am i you he she it we they my your her his its our their me him them us this that these those not no do does did done have has had having what who whom whose which when where how why will would can could shall should may might must if so than then there here about into over under more most some any each other only just also very too up down out off own same again once make made makes want wants wanted get got say says said tell think know like really please file files document documents pdf brief notes report text page does find show give use look read quote something anything everything one'.split(
    ' ',
  ),
);

/** The words of a text that carry its content, each once, small, in their order. */
export function contentWords(text: string): string[] {
  const words = wordsOf(text).map((word) => word.toLowerCase().replace(/[’']s$/, ''));
  return [...new Set(words)].filter(
    (word) => !stopWords.has(word) && ([...word].length > 2 || /\d|[^\p{Script=Latin}]/u.test(word)),
  );
}

/**
 * The sentences of the passages that fit best, best first: two points a word of the message, two a word of the step,
 * one for a number where the step wants one. `mustFitStep` asks for a word of the step or that number. Sentences below `least` points or in `exclude` are left out.
 */
export function findQuotes(
  passages: Passage[],
  wanted: { message: string[]; step: string[]; number: boolean },
  options: { limit: number; least: number; mustFitStep: boolean; exclude: ReadonlySet<string> },
): Quote[] {
  const messageStems = new Set(wanted.message.map(stem));
  const stepStems = new Set(wanted.step.map(stem));
  const candidates = passages.flatMap((passage, rank) =>
    fileSentences(passage.content).map((text) => {
      const stems = new Set(contentWords(text).map(stem));
      const hits = [...stems].reduce(
        (sum, word) => sum + (messageStems.has(word) || stepStems.has(word) ? 2 : 0),
        0,
      );
      const number = wanted.number && /\d/.test(text) && hits > 0;
      const fitsStep = number || [...stems].some((word) => stepStems.has(word));
      return { text, passage, rank, fitsStep, score: hits + (number ? 1 : 0) };
    }),
  );
  const chosen: Quote[] = [];
  const ranked = candidates.toSorted((a, b) => b.score - a.score || a.rank - b.rank);
  for (const { text, passage, score, fitsStep } of ranked) {
    if (options.mustFitStep && !fitsStep) continue;
    if (chosen.length === options.limit || score < options.least) break;
    if (options.exclude.has(text) || chosen.some((quote) => quote.text === text)) continue;
    chosen.push({ text, passage });
  }
  return chosen;
}

/** The passage that holds a sentence quoted before, or undefined. */
export function findPassageOf(sentence: string, passages: Passage[]): Passage | undefined {
  return passages.find(({ content }) => fileSentences(content).includes(sentence));
}

/** The sentences of a file's text that can stand alone; lines that a PDF wrapped are joined, Markdown's headings left out. */
function fileSentences(content: string): string[] {
  const blocks = content
    .slice(0, 20_000)
    .replace(/\r\n?/g, '\n')
    .split(/\n\s*\n|\n(?=\s*(?:#{1,6}\s|[-*+•|]\s|\d{1,2}[.)]\s))|(?<=^#{1,6} [^\n]*)\n/m);
  const prose = blocks.filter((block) => !/^\s*#{1,6}\s/.test(block));
  return prose.flatMap(tableCells).flatMap((block) => {
    const line = plainText(block.replace(/^\s*(?:[-*+•|]|\d{1,2}[.)])\s+/, '')).replace(/\s+/g, ' ');
    return sentencesOf(line).filter((sentence) => {
      const words = countWords(sentence);
      return words >= 4 && words <= 60 && sentence.length <= 500;
    });
  });
}

/** The cells of a table's rows, each on its own; a block that is no table as it is. */
function tableCells(block: string): string[] {
  if (!/^\s*\|/.test(block)) return [block];
  const rows = block.split('\n').filter((row) => !/^[\s|:-]+$/.test(row));
  return rows.flatMap((row) => row.split('|'));
}

const irregular: Record<string, string | undefined> = {
  lost: 'los',
  paid: 'pay',
  sold: 'sell',
  bought: 'buy',
  grew: 'grow',
  fell: 'fall',
  rose: 'ris',
  women: 'woman',
  men: 'man',
  people: 'person',
};

/** A word without the commonest endings, so that "raised" finds "raise". */
function stem(word: string): string {
  const present = irregular[word];
  if (present !== undefined) return present;
  return word.length > 3 ? word.replace(/(?:ings?|ied|ies|ed|es|s|e|y)$/, '') : word.replace(/s$/, '');
}
