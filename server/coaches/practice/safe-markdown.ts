/**
 * A stranger's text without its Markdown and HTML: no tags, headings, links, images, code or emphasis; of a link
 * its words stay, of a web address everything but scheme and `www.` (so that no reader turns it into a link). Lines stay.
 */
export function plainText(text: string): string {
  const plain = text
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
    .replace(/^[ \t]*(?:```|~~~).*$/gm, '')
    .replace(/(\*\*|__|~~|`)(?=\S)([^\n]{0,500}?\S)\1/g, '$2')
    .replace(/(?<![\p{L}\p{N}*])\*(?=[^\s*])([^*\n]{0,500}?[^\s*])\*(?![\p{L}\p{N}*])/gu, '$1')
    .replace(/[\p{Cc}\p{Bidi_Control}\u200B\uFEFF]/gu, (character) => (character === '\n' ? '\n' : ' '))
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ *\n */g, '\n')
    .trim();
  return withoutSchemes(plain);
}

/** Addresses that a reader of Markdown would turn into links by themselves; taking one away may make another. */
function withoutSchemes(text: string): string {
  const next = text
    .replace(/(?:https?|ftps?|wss?|file):\/{2,}/gi, '')
    .replace(/\b(?:mailto|xmpp):/gi, '')
    .replace(/(?<![\p{L}\p{N}])(?:www\.)+/giu, '');
  return next === text ? text.trim() : withoutSchemes(next);
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
