import type { DocumentPage } from './split-passages.ts';

type Line = {
  text: string;
  /** In points from the page's top left corner, as displayed. */
  x: number;
  end_x: number;
  y: number;
  size: number;
  font: string;
  /** In the outer eighth of the page's height, where headers and footers are. */
  is_at_edge: boolean;
};

/** The pages of a PDF in reading order, with its paragraphs put together again and its headers and footers left out. */
export async function readPdf(bytes: Buffer): Promise<DocumentPage[]> {
  const { getDocumentProxy } = await import('unpdf');
  const pdf = await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0 });
  const pages: Line[][] = [];
  for (let number = 1; number <= pdf.numPages; number++) {
    const page = await pdf.getPage(number);
    pages.push(await readLines(page));
    page.cleanup();
  }
  const running = findRunningLines(pages);
  const bodies = pages.map((lines) =>
    lines.filter((line) => !(line.is_at_edge && running.has(edgeKey(line)))),
  );
  const vocabulary = new Set<string>();
  for (const lines of bodies) {
    for (const { text } of lines) {
      for (const [word] of text.slice(0, -1).matchAll(/[\p{L}\p{N}]+(-[\p{L}\p{N}]+)*/gu)) {
        vocabulary.add(word.toLowerCase());
      }
    }
  }
  return bodies.map((lines, index) => ({ page: index + 1, content: joinLines(lines, vocabulary) }));
}

type PdfPage = Awaited<ReturnType<Awaited<ReturnType<typeof import('unpdf').getDocumentProxy>>['getPage']>>;

async function readLines(page: PdfPage): Promise<Line[]> {
  const viewport = page.getViewport({ scale: 1 });
  const { items } = await page.getTextContent();
  const lines: Line[] = [];
  let line: Line | undefined;
  let after_space = false;
  for (const item of items) {
    if (!('str' in item)) continue;
    if (item.str.trim() === '') {
      after_space ||= item.str !== '';
      continue;
    }
    const [x, y] = viewport.convertToViewportPoint(item.transform[4], item.transform[5]) as [number, number];
    const size = Math.hypot(item.transform[2], item.transform[3]) || item.height || 1;
    const gap = line && item.dir !== 'rtl' ? x - line.end_x : 0;
    if (line && Math.abs(y - line.y) < size * 0.5 && gap > -size) {
      const is_apart = after_space || item.dir === 'rtl' || gap > size * 0.15;
      line.text += (gap > size * 1.5 ? '\t' : is_apart ? ' ' : '') + item.str;
      line.end_x = Math.max(line.end_x, x + item.width);
      line.size = Math.max(line.size, size);
    } else {
      const is_at_edge = y < viewport.height / 8 || y > (viewport.height * 7) / 8;
      line = { text: item.str, x, end_x: x + item.width, y, size, font: item.fontName, is_at_edge };
      lines.push(line);
    }
    after_space = false;
  }
  for (const each of lines) each.text = repairCharacters(each.text);
  return lines;
}

/** Ligatures to letters, bullets of symbol fonts to bullets, spaces to plain ones. */
function repairCharacters(text: string) {
  return text
    .replace(/[\ufb00-\ufb06]/g, (ligature) => ligature.normalize('NFKC'))
    .replace(/[\uf0b7\uf0a7]/g, '•')
    .replace(/[\u00a0\u2000-\u200a\u202f ]+/g, ' ')
    .normalize('NFC')
    .trim();
}

/** Headers, footers and page numbers: at an edge, alike but for numbers, on three pages and two in five. */
function findRunningLines(pages: Line[][]) {
  const counts = new Map<string, number>();
  for (const lines of pages) {
    for (const key of new Set(lines.filter((line) => line.is_at_edge).map(edgeKey))) {
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const least = Math.max(3, pages.length * 0.4);
  return new Set([...counts].filter(([, count]) => count >= least).map(([key]) => key));
}

function edgeKey(line: Line) {
  return `${line.text.replace(/\d+/g, '#')} ${Math.round(line.y / 4)}`;
}

function joinLines(lines: Line[], vocabulary: Set<string>) {
  const pitches = lines.flatMap((line, index) => {
    const pitch = (line.y - (lines[index - 1]?.y ?? line.y)) / line.size;
    return pitch > 0.8 && pitch < 3 ? [pitch] : [];
  });
  // Lines of a paragraph are the closest ones; a page may have more gaps around paragraphs than in them.
  const pitch = pitches.sort((a, b) => a - b)[pitches.length >> 2] ?? 1.2;
  const rights = findRightEdges(lines);
  let text = lines[0]?.text ?? '';
  for (const [index, line] of lines.entries()) {
    const before = lines[index - 1];
    if (!before) continue;
    const joint = findJoint(before, line, { pitch, right: rights.get(columnKey(before)) ?? 0 });
    if (joint !== 'same paragraph') text += (joint === 'new line' ? '\n' : '\n\n') + line.text;
    else text = joinWords(text, line.text, vocabulary);
  }
  return text.replaceAll('\u00ad', '');
}

/** Where the lines of each column and size usually end. */
function findRightEdges(lines: Line[]) {
  const columns = Map.groupBy(lines, columnKey);
  return new Map(
    [...columns].map(([key, column]) => {
      const ends = column.map((line) => line.end_x).sort((a, b) => a - b);
      return [key, ends[Math.floor(ends.length * 0.8)]!];
    }),
  );
}

function columnKey(line: Line) {
  return `${Math.round(line.x / 24)} ${Math.round(line.size)}`;
}

const list_item = /^([•◦▪‣–*-]|\d{1,2}[.)])\s/;
const sentence_end = /[.!?…:]["”’»)]*$/;

function findJoint(before: Line, line: Line, { pitch, right }: { pitch: number; right: number }) {
  const gap = (line.y - before.y) / Math.min(line.size, before.size);
  const is_resized = Math.abs(line.size - before.size) > 0.08 * before.size;
  // A new column: the sentence goes on where it was left.
  if (gap <= 0) {
    const goes_on = !is_resized && !sentence_end.test(before.text) && /^\p{Ll}/u.test(line.text);
    return goes_on ? 'same paragraph' : 'new paragraph';
  }
  if (is_resized || gap > pitch * 1.25) return 'new paragraph';
  if (list_item.test(line.text) || before.text.includes('\t') || line.text.includes('\t')) return 'new line';
  const filled = (before.end_x - before.x) / (right - before.x);
  if (filled < 0.8 && (before.font !== line.font || sentence_end.test(before.text))) return 'new paragraph';
  // An address, a verse, a caption: it was broken here on purpose.
  if (filled < 0.65 && !/[-\u2010\u00ad]$/.test(before.text)) return 'new line';
  const is_indented = line.x > before.x + line.size * 0.8 && !list_item.test(before.text);
  return is_indented && sentence_end.test(before.text) ? 'new paragraph' : 'same paragraph';
}

/** Joins a line to the text before it, and the halves of a word that was divided between them. */
function joinWords(text: string, line: string, vocabulary: Set<string>) {
  const first = /(\p{L}[\p{L}\p{N}]*)[-\u2010\u00ad]$/u.exec(text.slice(-60))?.[1];
  const second = /^\p{L}+/u.exec(line)?.[0];
  if (!first || !second) return /\S[-\u2010]$/.test(text) ? text + line : `${text} ${line}`;
  // "Vor- und Nachteile": a hyphen that stands for a word left out.
  if (/^(und|oder|bis|and|or|to)$/.test(second)) return `${text} ${line}`;
  const is_compound = /^\p{Lu}/u.test(second) || vocabulary.has(`${first}-${second}`.toLowerCase());
  const is_word = vocabulary.has((first + second).toLowerCase());
  return is_compound && !is_word ? text + line : text.slice(0, -1) + line;
}
