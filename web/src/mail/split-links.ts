/** A stretch of plain text, or an address in it that may be opened. */
type TextPart = { text: string; href: string | null };

/**
 * Plain text in parts, so that web addresses can be followed. An address is http or https and shown as it stands; the
 * punctuation after it belongs to the sentence.
 */
export function splitLinks(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(/\bhttps?:\/\/[^\s<>"]+/g)) {
    const address = withoutEndMarks(found);
    if (!URL.canParse(address)) continue;
    if (index > from) parts.push({ text: text.slice(from, index), href: null });
    parts.push({ text: address, href: address });
    from = index + address.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), href: null });
  return parts;
}

function withoutEndMarks(found: string) {
  let end = found.length;
  while (".,;:!?'’)]}".includes(found[end - 1]!)) end--;
  return found.slice(0, end);
}
