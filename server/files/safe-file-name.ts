import { extname } from 'node:path';

const max_characters = 200;

/**
 * The name under which a member's file is kept and shown: as typed (Unicode, spaces), in NFC, but without
 * folders, control characters and marks that reverse the direction of writing, which can hide the true
 * extension. At most 200 characters (UTF-16 units) with the extension kept; "file" where nothing is left.
 */
export function safeFileName(name: string): string {
  const last_part = name
    .toWellFormed()
    .replace(/[\t\n\r]+/g, ' ')
    // Controls, line separators, tags, zero-width and direction marks. Joiners (U+200C, U+200D) stay:
    // Persian, Indic scripts and emoji are written with them.
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufffd]/gu, '')
    .normalize('NFC')
    .split(/[/\\]/)
    .findLast((part) => part.trim() !== '');
  const cleaned = (last_part ?? '').trim();
  // Only dots: a folder, not a name.
  if (/^[.\s]*$/.test(cleaned)) return 'file';
  if (cleaned.length <= max_characters) return cleaned;
  const extension = extname(cleaned);
  const kept_extension = extension.length <= 20 ? extension : '';
  return cut(cleaned.slice(0, cleaned.length - kept_extension.length), max_characters - kept_extension.length)
    .trimEnd()
    .concat(kept_extension);
}

/** Cuts between characters as people see them, never inside one. */
function cut(text: string, max_length: number) {
  let length = 0;
  for (const { segment } of new Intl.Segmenter('en').segment(text)) {
    if (length + segment.length > max_length) break;
    length += segment.length;
  }
  // One single cluster may be longer than the limit: then between code points.
  return length > 0 ? text.slice(0, length) : text.slice(0, max_length).replace(/[\ud800-\udbff]$/, '');
}
