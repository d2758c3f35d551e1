/** A page of a document; `page` counts from 1, null where the type has no pages. */
export type DocumentPage = { page: number | null; content: string };

/** A stretch of a document that is searched and quoted as one. `ordinal` counts from 1 through the document. */
export type DocumentPassage = { ordinal: number; page: number | null; content: string };

/** Enough to be understood on its own, little enough to be quoted and to rank sharply. */
const min_characters = 600;
const max_characters = 1000;
/** A rest shorter than this joins the passage before it, which may so reach `max_characters` plus this. */
const min_rest_characters = 200;
const max_heading_characters = 200;

/** A stretch of a page: a whole paragraph, a sentence of a long one, or a piece of an endless sentence. */
type Unit = { start: number; end: number; is_heading: boolean };

/**
 * Cuts pages into passages of about 600 to 1,000 characters. A passage ends at the end of a paragraph or
 * else of a sentence, never spans two pages, and keeps a heading with what follows it. Nothing is lost but
 * white space around passages. Linear in time, but blocking: 10 MB take about half a second.
 */
export function splitPassages(pages: Iterable<DocumentPage>): DocumentPassage[] {
  const passages: DocumentPassage[] = [];
  for (const { page, content } of pages) {
    for (const [start, end] of findPassages(content)) {
      passages.push({ ordinal: passages.length + 1, page, content: content.slice(start, end).trim() });
    }
  }
  return passages;
}

/** Each passage of a page as [start, end); together they cover every character that is not white space. */
function findPassages(content: string): [number, number][] {
  const ranges: [number, number][] = [];
  let start = 0;
  let end = 0;
  /** Where the headings begin that the passage ends with, so far. */
  let headings_start: number | undefined;
  const length = () => end - start;
  const fits = (unit: Unit) => unit.end - (length() ? start : unit.start) <= max_characters;
  const add = (unit: Unit) => {
    if (length() === 0) start = unit.start;
    headings_start = unit.is_heading ? (headings_start ?? unit.start) : undefined;
    end = unit.end;
  };
  const close = () => {
    const carried = headings_start !== undefined && end - headings_start <= max_heading_characters;
    const cut = carried && headings_start! > start ? headings_start! : end;
    ranges.push([start, cut]);
    start = cut;
    if (cut === end) headings_start = undefined;
  };

  for (const paragraph of findParagraphs(content)) {
    const begins_section = paragraph.is_heading && headings_start === undefined;
    if (begins_section && length() >= min_characters) close();
    if (!fits(paragraph) && length() >= min_characters) close();
    if (fits(paragraph)) {
      add(paragraph);
      continue;
    }
    for (const sentence of findSentences(content, paragraph)) {
      // A heading alone waits for its first sentence, however long that is.
      const is_only_heading = headings_start === start && length() <= max_heading_characters;
      if (length() > 0 && !is_only_heading && !fits(sentence)) close();
      add(sentence);
    }
  }
  if (length() > 0) ranges.push([start, end]);

  const rest = ranges.at(-1);
  const before = ranges.at(-2);
  if (rest && before && rest[1] - rest[0] < min_rest_characters) {
    if (rest[1] - before[0] <= max_characters + min_rest_characters)
      ranges.splice(-2, 2, [before[0], rest[1]]);
  }
  return ranges;
}

function* findParagraphs(content: string): Generator<Unit> {
  const gap = /\n[^\S\n]*\n\s*|$/g;
  let start = content.length - content.trimStart().length;
  while (start < content.length) {
    gap.lastIndex = start;
    const match = gap.exec(content)!;
    const end = match.index;
    const is_heading = end - start <= max_heading_characters && isHeading(content.slice(start, end));
    if (end > start) yield { start, end, is_heading };
    start = Math.max(end + match[0].length, start + 1);
  }
}

/** Markdown's `#`, an underlined line, or one short line that no full stop ends: it speaks of what follows. */
function isHeading(paragraph: string) {
  if (/^#{1,6}\s[^\n]*$/.test(paragraph) || /^[^\n]+\n(=+|-+)\s*$/.test(paragraph)) return true;
  if (paragraph.length > 80 || /[\n\t|]/.test(paragraph) || /^\s*([-*+•>]|\d+[.)])\s/.test(paragraph))
    return false;
  return /\p{L}/u.test(paragraph) && !/[.!?…;,"”’)\]]\s*$/.test(paragraph);
}

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });
/** What ends with a full stop but ends no sentence: initials, and common abbreviations in English and German. */
const abbreviation =
  /(^|[\s(])(\p{L}|Mr|Mrs|Ms|Dr|Prof|St|Nr|No|vs|ca|bzw|vgl|usw|etc|e\.g|i\.e|z\.\s?B)\.\s*$/u;

function* findSentences(content: string, paragraph: Unit): Generator<Unit> {
  const text = content.slice(paragraph.start, paragraph.end);
  // A line break ends a sentence for the segmenter; in a hard-wrapped text only some lines begin anew.
  const unwrapped = text.replace(/\n(?!\s*([-*+•>#|]|\d+[.)]))/g, ' ');
  let start = 0;
  for (const { segment, index } of segmenter.segment(unwrapped)) {
    const end = index + segment.length;
    const is_long = end - start > max_characters;
    if (!is_long && end < text.length && abbreviation.test(segment.slice(-12))) continue;
    let piece_start = start;
    while (end - piece_start > max_characters) {
      const piece_end = piece_start + findBreak(text.slice(piece_start, piece_start + max_characters + 1));
      yield { start: paragraph.start + piece_start, end: paragraph.start + piece_end, is_heading: false };
      piece_start = piece_end;
    }
    yield { start: paragraph.start + piece_start, end: paragraph.start + end, is_heading: false };
    start = end;
  }
}

/** Where to break a sentence that is too long: after a line, a clause, a word, else between characters. */
function findBreak(text: string) {
  for (const pattern of [/\n/g, /[;:,–—](?=\s)/g, /\s/g]) {
    let found = 0;
    for (const match of text.matchAll(pattern)) found = match.index + 1;
    if (found >= max_characters / 2 && found <= max_characters) return found;
  }
  let end = max_characters;
  // Not between the halves of a surrogate pair, nor before a mark or a joiner.
  while (end > max_characters / 2 && /^([\udc00-\udfff\u200d]|\p{M})/u.test(text.slice(end))) end--;
  while (end > max_characters / 2 && /[\ud800-\udbff\u200d]$/.test(text.slice(0, end))) end--;
  return end;
}
