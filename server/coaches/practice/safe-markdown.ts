/**
 * A stranger's text without its Markdown and HTML: no tags, headings, links, images, code or emphasis; of a link
 * its words stay, of a web address everything but scheme and `www.` (so that no reader turns it into a link). Lines stay.
 */
export function plainText(text: string): string {
  const blocks = text
    .normalize('NFC')
    .replace(/\r\n?/g, '\n')
    .replace(/<!--[\s\S]*?(?:-->|$)/g, ' ')
    .replace(/<(script|style)\b[\s\S]*?(?:<\/\1\s*>|$)/gi, ' ')
    .replace(/<\/?[a-z][^<>]{0,2000}>/gi, ' ')
    .replace(/!\[[^[\]]{0,500}\](?:\([^()\n]{0,2000}\)|\[[^[\]]{0,200}\])/g, ' ')
    .replace(/\[([^[\]]{0,500})\]\((?:[^()\n]|\([^()\n]{0,200}\)){0,2000}\)/g, '$1')
    .replace(/\[([^[\]]{0,500})\]\[[^[\]]{0,200}\]/g, '$1')
    .replace(/^[ \t]{0,8}(?:(?:#{1,6}(?=\s)|>)[ \t]*){1,20}/gm, '')
    .replace(/^[ \t]*[-*_=][-*_= \t]+$/gm, '')
    .replace(/^[ \t]*(?:```|~~~).*$/gm, '');
  const plain = withoutPairs(blocks)
    .replace(/(?<![\p{L}\p{N}*])\*(?=[^\s*])([^*\n]{0,500}?[^\s*])\*(?![\p{L}\p{N}*])/gu, '$1')
    .replace(/[\p{Cc}\p{Bidi_Control}\u200B\uFEFF]/gu, (character) => (character === '\n' ? '\n' : ' '))
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ *\n */g, '\n')
    .trim();
  return withoutSchemes(plain);
}

/**
 * Without the marks of bold, struck and code text around up to 501 characters of one line. By hand, since a regular
 * expression looks 500 characters ahead at each mark that nothing closes.
 */
function withoutPairs(text: string): string {
  const marks = /\*\*|__|~~|`/g;
  const closers = new Map<string, number>();
  let lineEnd = -1;
  let written = '';
  let from = 0;
  for (let open = marks.exec(text); open; open = marks.exec(text)) {
    const [mark] = open;
    const inside = open.index + mark.length;
    if (lineEnd < inside) lineEnd = indexOrEnd(text, '\n', inside);
    let closer = closers.get(mark) ?? -1;
    if (closer <= inside) {
      closer = indexOrEnd(text, mark, inside + 1);
      while (closer < text.length && /\s/.test(text[closer - 1]!))
        closer = indexOrEnd(text, mark, closer + 1);
      closers.set(mark, closer);
    }
    if (closer < lineEnd && closer - inside <= 501 && /\S/.test(text[inside]!)) {
      written += text.slice(from, open.index) + text.slice(inside, closer);
      from = closer + mark.length;
      marks.lastIndex = from;
    } else marks.lastIndex = open.index + 1;
  }
  return written + text.slice(from);
}

function indexOrEnd(text: string, part: string, from: number) {
  const at = text.indexOf(part, from);
  return at < 0 ? text.length : at;
}

/** Addresses that a reader of Markdown would turn into links by themselves; taking one away may make another. */
function withoutSchemes(text: string): string {
  let before = text;
  for (let round = 0; round < 8; round += 1) {
    const next = before
      .replace(/(?:https?|ftps?|wss?|file):\/{2,}/gi, '')
      .replace(/\b(?:mailto|xmpp):/gi, '')
      .replace(/(?<![\p{L}\p{N}])(?:www\.)+/giu, '');
    if (next === before) return before.trim();
    before = next;
  }
  // Who nests deeper than that is after the time it takes; a space breaks each address for good.
  return before
    .replace(/:\/{2,}|\b(?:mailto|xmpp):/gi, ' ')
    .replace(/www\./gi, 'www ')
    .trim();
}

/** A plain text of one line as Markdown that shows exactly it, wherever in a line it stands. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[\\`*[\]<>|~]/g, '\\$&')
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\_')
    .replace(/&(?=#?\w+;)/g, '\\&')
    .replace(/^(\s*)([#+=-])/, '$1\\$2')
    .replace(/^(\s*\d{1,9})([.)])(?=\s|$)/, '$1\\$2');
}

/** The text that `escapeMarkdown` was given. */
export function unescapeMarkdown(markdown: string): string {
  return markdown.replace(/\\([!-/:-@[-`{-~])/g, '$1');
}
