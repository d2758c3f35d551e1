/**
 * The part of a growing reply that may be shown without changing its shape a moment later: whole words,
 * whole table rows, and emphasis, code and links that are still open either closed or held back.
 * Only the end is touched, so offsets of citations stay true.
 */
export function settledText(text: string) {
  const open_code = openFence(text);
  if (open_code) return text.slice(0, text.lastIndexOf('\n') + 1);
  let settled = text.slice(0, lastWordEnd(text));
  const line_start = settled.lastIndexOf('\n') + 1;
  const line = settled.slice(line_start);
  if (/^\s*\|/.test(line)) return holdBackTableHead(settled.slice(0, line_start));
  // A line of marks alone may yet become a list item, a heading, a rule or a fence.
  if (/^\s*([-*+#>=_`~]+|\d{1,9}[.)]?)\s*$/.test(line)) return settled.slice(0, line_start);
  settled = holdBackTableHead(settled);
  return line_start > settled.length ? settled : closeInline(settled);
}

/** The end of the last whole word: the last white space, unless the text ends with a finished sentence. */
function lastWordEnd(text: string) {
  if (/[\s.!?:;,)\]]$/.test(text)) return text.length;
  return Math.max(text.lastIndexOf(' '), text.lastIndexOf('\n')) + 1;
}

function openFence(text: string) {
  let open: string | null = null;
  for (const line of text.split('\n')) {
    const marker = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (marker === undefined) continue;
    if (open === null) open = marker;
    else if (marker.startsWith(open) && line.trim() === marker) open = null;
  }
  return open !== null;
}

/** A table's first line looks like words until the line of dashes below it has come. */
function holdBackTableHead(text: string) {
  const lines = text.replace(/\n$/, '').split('\n');
  const last = lines.at(-1) ?? '';
  const before_last = lines.at(-2) ?? '';
  if (!/^\s*\|.*\|\s*$/.test(last) || before_last.trim().startsWith('|')) return text;
  return text.slice(0, text.lastIndexOf(last));
}

/** Closes `**`, `*`, `_` and backticks that are open in the last paragraph; holds back a link that is not whole. */
function closeInline(text: string) {
  const paragraph_start = text.lastIndexOf('\n\n') + 1;
  let paragraph = text.slice(paragraph_start);
  const link = /!?\[[^\]\n]*(\]\([^)\n]*)?$/.exec(paragraph);
  if (link !== null && !/\]$/.test(link[0])) paragraph = paragraph.slice(0, link.index);
  const without_code = paragraph.replace(/`[^`]*`/g, '');
  if (without_code.includes('`')) return `${text.slice(0, paragraph_start)}${paragraph.trimEnd()}\``;
  const without_lists = without_code.replace(/^\s*[*+-]\s/gm, '');
  const bold_open = (without_lists.match(/\*\*/g)?.length ?? 0) % 2 === 1;
  const italic_open = (without_lists.replaceAll('**', '').match(/\*/g)?.length ?? 0) % 2 === 1;
  const closing = `${italic_open ? '*' : ''}${bold_open ? '**' : ''}`;
  if (closing === '') return text.slice(0, paragraph_start) + paragraph;
  const trimmed = paragraph.trimEnd();
  // Marks that nothing follows yet would close as empty emphasis.
  if (/\*+$/.test(trimmed)) return text.slice(0, paragraph_start) + trimmed.replace(/\s*\*+$/, '');
  return text.slice(0, paragraph_start) + trimmed + closing;
}
