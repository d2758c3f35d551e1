const wordSegmenter = new Intl.Segmenter('en', { granularity: 'word' });
const sentenceSegmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

/** The words of a text in any script, as they stand. */
export function wordsOf(text: string): string[] {
  // A space parts words in every script, and most pieces between spaces need no segmenter, which costs far more; each
  // call of it costs as much as some twenty words, so a text with many other pieces goes to it whole.
  const pieces = text.split(/[ \n]+/);
  const others = pieces.filter((piece) => !plainWord.test(piece));
  if (others.length > pieces.length / 16) return segmentWords(text);
  return pieces.flatMap((piece) => plainWord.exec(piece) ?? segmentWords(piece));
}

const plainWord = /^[A-Za-z0-9]+(?=[.,;:!?]?$)/;

function segmentWords(text: string): string[] {
  return [...wordSegmenter.segment(text)].flatMap(({ segment, isWordLike }) => (isWordLike ? [segment] : []));
}

/** How many words a text has, in any script. */
export function countWords(text: string): number {
  return wordsOf(text).length;
}

/** The sentences of a text; a line break ends one, an abbreviation or an initial does not. */
export function sentencesOf(text: string): string[] {
  // The segmenter does not see that a sentence may begin with a digit or, hastily written, with a small letter.
  const lines = text
    .replace(/(?<=[\p{L}\p{N}%)]{3}[.!?])(?<!\b(?:etc|approx|max|min|incl|vs)\.)\s+(?=[\d\p{Ll}])/gu, '\n')
    .split('\n');
  return lines.flatMap((line) => {
    const sentences: string[] = [];
    for (const { segment } of sentenceSegmenter.segment(line)) {
      // Its last characters tell; a sentence put together from thousands of pieces would be read thousands of times.
      const end = sentences.at(-1)?.slice(-40);
      if (
        end !== undefined &&
        ((/["”’]\s*$/.test(end) && /^\p{Ll}/u.test(segment)) ||
          /\b(?:\p{Lu}|Mr|Mrs|Ms|Dr|St|No|vs|e\.g|i\.e|etc|ca)\.\s*$/u.test(end))
      ) {
        sentences[sentences.length - 1] += segment;
      } else sentences.push(segment);
    }
    return sentences.map((sentence) => sentence.trim()).filter((sentence) => /[\p{L}\p{N}]/u.test(sentence));
  });
}

/** A text as one tidy paragraph: first letter large, a full stop where one belongs, no loose space. */
export function tidySentence(text: string): string {
  const line = text
    .replace(/\s+/g, ' ')
    .replace(/ +([,.;:!?])(?=\s|$)/g, '$1')
    .replace(/\bi\b(?=['’ ])/g, 'I')
    .replace(/^[\s,;:.–—-]+/, '')
    .trim();
  const capital = line.replace(
    /^(["“‘']?)(\p{Ll})/u,
    (_, quote: string, letter: string) => quote + letter.toUpperCase(),
  );
  return /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}%)]$/u.test(capital)
    ? `${capital}.`
    : capital;
}

/** A sentence without its full stop; a question mark and an ellipsis stay. */
export function bare(text: string): string {
  return text.replace(/(?<!\.)\.$/, '');
}

/** A sentence as part of another one: no full stop, and a small letter where the first word is not a name. */
export function inline(text: string): string {
  return bare(text).replace(
    /^(A|An|The|My|Your|Our|Their|His|Her|This|That|These|Those|One|Some|People|Someone|Somebody|Every|Any|In|At|On|Who)(?=\s)/,
    (word) => word.toLowerCase(),
  );
}

/** A list's item as a lead and what follows: parted at its first colon or dash, else after its first sentence. */
export function leadAndRest(item: string): { lead: string; rest: string } {
  const parted = /^(.{2,80}?)(?::\s+|\s+[–—-]\s+)(.+)$/u.exec(item);
  if (parted && countWords(parted[1]!) <= 10)
    return { lead: bare(parted[1]!), rest: tidySentence(parted[2]!) };
  const [first = item, ...others] = sentencesOf(item);
  if (others.length > 0) return { lead: bare(first), rest: others.join(' ') };
  return { lead: bare(item), rest: '' };
}

/**
 * A text cut to `max_words` where it can be cut without harm: whole sentences first, then whole clauses. What does not
 * fit comes back as `left_over`. A text that offers no such place stays whole: better long than broken.
 */
export function fitWords(text: string, max_words: number): { text: string; left_over: string } {
  if (countWords(text) <= max_words) return { text, left_over: '' };
  const sentences = sentencesOf(text);
  const kept = takeWhileFits(sentences, max_words);
  if (kept > 0) {
    const [head, tail] = [sentences.slice(0, kept), sentences.slice(kept)];
    return keepsMeaning(head, tail)
      ? { text: head.join(' '), left_over: tail.join(' ') }
      : { text, left_over: '' };
  }

  const [first = text, ...others] = sentences;
  const clauses = first.split(
    /(?<=[,;:])\s+|\s+(?=[–—(])|\s+(?=(?:because|which|although|while|whereas|since)\s)/u,
  );
  const fitting = takeWhileFits(clauses, max_words);
  // Fewer than four words are seldom a thought of their own.
  const tooFew = countWords(clauses.slice(0, fitting).join(' ')) < 4;
  if (
    tooFew ||
    fitting === clauses.length ||
    !keepsMeaning(clauses.slice(0, fitting), clauses.slice(fitting))
  ) {
    return keepsMeaning([first], others)
      ? { text: first, left_over: others.join(' ') }
      : { text, left_over: '' };
  }
  const head = clauses
    .slice(0, fitting)
    .join(' ')
    .replace(/[,;:]$/, '');
  return { text: head, left_over: [tidySentence(clauses.slice(fitting).join(' ')), ...others].join(' ') };
}

/** What begins like this changes the meaning of what stands before it, so the two stay together. */
const turnsMeaning =
  /^[^\p{L}]*(?:but|yet|not|never|unless|until|except|if|only|however|instead|so|then|and)\b/iu;

function keepsMeaning(kept: string[], cut: string[]): boolean {
  const marks = kept.join(' ').match(/["“”„«»]/gu) ?? [];
  return marks.length % 2 === 0 && !cut.some((piece) => turnsMeaning.test(piece));
}

function takeWhileFits(pieces: string[], max_words: number): number {
  let words = 0;
  const tooMany = pieces.findIndex((piece) => {
    words += countWords(piece);
    return words > max_words;
  });
  return tooMany < 0 ? pieces.length : tooMany;
}

/** A text without words that carry nothing ("really", "in order to"). */
export function dropFillers(text: string): string {
  const tightened = text
    .replace(/\bin order to\b/gi, 'to')
    .replace(/\bdue to the fact that\b/gi, 'because')
    .replace(/\bat (?:this|that) point in time\b/gi, 'then')
    .replace(
      /\b(?:really|very|actually|basically|literally|simply|quite|totally|absolutely|definitely|honestly)\s+/gi,
      '',
    )
    .replace(/\b(?:kind|sort) of\s+/gi, '');
  return tightened === text ? text : tidySentence(tightened);
}

/** The pieces of a list as people write one: lines, numbers, semicolons, sentences, or commas. */
export function listItems(text: string): string[] {
  const lines = text.split('\n').filter((line) => /[\p{L}\p{N}]/u.test(line));
  const pieces = lines.length > 1 ? dropListIntro(lines) : splitLine(lines[0] ?? '');
  return pieces
    .map((piece) =>
      piece
        .replace(/^\s*(?:[-*+•·–—]|\(?\d{1,2}[.):])\s*/u, '')

        .trim(),
    )
    .filter((piece) => /[\p{L}\p{N}]/u.test(piece));
}

function dropListIntro(lines: string[]): string[] {
  const marked = lines.filter((line) => /^\s*(?:[-*+•·]|\(?\d{1,2}[.):])\s/u.test(line));
  if (marked.length >= 2 && marked.length === lines.length - 1) return marked;
  return lines[0]!.trim().endsWith(':') && lines.length > 2 ? lines.slice(1) : lines;
}

function splitLine(line: string): string[] {
  const numbered = line.split(/(?:^|\s)\(?\d{1,2}[.)]\s+/);
  if (numbered.length > 2) return numbered.slice(numbered[0]!.trim() === '' ? 1 : 0);
  const semicolons = line.split(/;\s+/);
  if (semicolons.length > 1) return semicolons;
  const sentences = sentencesOf(line);
  if (sentences.length > 1) return sentences;
  const commas = line.split(/,\s+/);
  return commas.length > 2 ? commas.map((piece) => piece.replace(/^(?:and|then)\s+/i, '')) : [line];
}
