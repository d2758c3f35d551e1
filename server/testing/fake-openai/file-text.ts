import { inflateRawSync, inflateSync } from 'node:zlib';

/** The formats that OpenAI's file search reads, by extension. Tables and pictures are not among them. */
const searchableExtensions = new Set(
  'c cpp cs css doc docx go html java js json md pdf php pptx py rb sh tex ts txt'.split(' '),
);

export function isSearchable(filename: string) {
  return searchableExtensions.has(extensionOf(filename));
}

/**
 * The words of a file, as far as the double can read them: text formats whole, DOCX and PPTX without
 * their layout, PDF where its fonts write plain Latin letters. Empty when nothing was found.
 */
export function fileText(filename: string, content: Buffer): string {
  const extension = extensionOf(filename);
  if (extension === 'pdf') return pdfText(content);
  if (extension === 'docx' || extension === 'pptx') return officeText(content);
  return content.toString('utf8');
}

function extensionOf(filename: string) {
  return filename.slice(filename.lastIndexOf('.') + 1).toLowerCase();
}

/** Office files are ZIP archives of XML; paragraphs end with `</w:p>` and `</a:p>`. */
function officeText(content: Buffer) {
  return zipEntries(content)
    .filter(({ name }) => /^word\/document\.xml$|^ppt\/slides\/slide\d+\.xml$/.test(name))
    .map(({ data }) =>
      data
        .toString('utf8')
        .replace(/<\/[wa]:p>/g, '\n\n')
        .replace(/<[^>]+>/g, '')
        .replace(/&lt;/g, '<')
        .replace(/&gt;/g, '>')
        .replace(/&quot;/g, '"')
        .replace(/&apos;/g, "'")
        .replace(/&amp;/g, '&'),
    )
    .join('\n\n')
    .trim();
}

/** By the central directory at the end of the archive (PKWARE APPNOTE 4.3.12). */
function zipEntries(archive: Buffer) {
  const entries: { name: string; data: Buffer }[] = [];
  const end = archive.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0) return entries;
  let at = archive.readUInt32LE(end + 16);
  while (archive.readUInt32LE(at) === 0x02014b50) {
    const method = archive.readUInt16LE(at + 10);
    const size_bytes = archive.readUInt32LE(at + 20);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((step) =>
      archive.readUInt16LE(at + step),
    ) as [number, number, number];
    const local = archive.readUInt32LE(at + 42);
    const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const packed = archive.subarray(start, start + size_bytes);
    entries.push({
      name: archive.toString('utf8', at + 46, at + 46 + nameLength),
      data: method === 8 ? inflateRawSync(packed) : packed,
    });
    at += 46 + nameLength + extraLength + commentLength;
  }
  return entries;
}

/** The strings that the pages' content streams show: `(…) Tj`, `<…> Tj` and the arrays of `TJ`. */
function pdfText(content: Buffer) {
  const pages: string[] = [];
  const streams = content.toString('latin1').matchAll(/stream\r?\n([\s\S]*?)\r?\nendstream/g);
  for (const [, data] of streams) {
    const operators = inflated(Buffer.from(data!, 'latin1'));
    if (!operators) continue;
    const shown = operators.matchAll(/(\[[^\]]*\]|\((?:\\.|[^\\)])*\)|<[0-9A-Fa-f\s]*>)\s*(?:Tj|TJ|')/g);
    const lines = [...shown].map(([, operand]) => pdfStrings(operand!));
    if (lines.length > 0) pages.push(lines.join('\n'));
  }
  return pages.join('\n\n').trim();
}

function pdfStrings(operand: string) {
  return [...operand.matchAll(/\((?:\\.|[^\\)])*\)|<[0-9A-Fa-f\s]*>/g)]
    .map(([string]) =>
      string.startsWith('<')
        ? Buffer.from(string.slice(1, -1).replace(/\s/g, ''), 'hex').toString('latin1')
        : string.slice(1, -1).replace(/\\([\\()])/g, '$1'),
    )
    .join('');
}

function inflated(data: Buffer) {
  try {
    return inflateSync(data).toString('latin1');
  } catch {
    const text = data.toString('latin1');
    return text.includes('BT') ? text : undefined;
  }
}
