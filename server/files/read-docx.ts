import { unpackZip, ZipError } from './unpack-zip.ts';

/** All parts of a Word document together, unpacked, without its pictures. */
const max_unpacked_bytes = 64 << 20;

/** A Word document's text as plain Markdown. Throws a `ZipError`. */
export async function readDocx(bytes: Buffer): Promise<string> {
  const { default: mammoth } = await import('mammoth');
  const parts = await unpackZip(bytes, { wanted: /\.(xml|rels)$/, max_bytes: max_unpacked_bytes });
  // Mammoth's own way to hand it an opened archive; its reader would unpack whatever it is given.
  const file = {
    exists: (name: string) => parts.has(name),
    read: async (name: string, encoding?: BufferEncoding) => {
      const part = parts.get(name);
      if (!part) throw new ZipError('broken');
      return encoding ? part.toString(encoding).replace(/^\ufeff/, '') : part;
    },
  };
  const input = { file } as unknown as Parameters<typeof mammoth.convertToHtml>[0];
  const { value } = await mammoth.convertToHtml(input, {
    styleMap: ["p[style-name='Title'] => h1:fresh"],
    includeEmbeddedStyleMap: false,
    externalFileAccess: false,
    convertImage: mammoth.images.imgElement(async () => ({ src: '' })),
  });
  return readHtml(value);
}

/** Mammoth's HTML (a small, well-formed subset) as plain Markdown: headings, lists, rows of tables. */
function readHtml(html: string) {
  const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' };
  const lists: { is_ordered: boolean; items: number }[] = [];
  let out = '';
  let text = '';
  let item_mark = '';
  let cells: string[] = [];
  let tables = 0;
  const flush = (before: string, after: string) => {
    if (text.trim()) out += before + text.trim() + after;
    text = '';
  };
  const flushItem = () => {
    flush(item_mark, '\n');
    // What follows in the same item goes below its text.
    item_mark = item_mark.replace(/\S/g, ' ');
  };
  for (const [, close, name, content] of html.matchAll(/<(\/?)(\w+)[^>]*>|([^<]+)/g)) {
    if (content !== undefined) {
      text += content.replace(/&(amp|lt|gt|quot);/g, (_, entity: string) => entities[entity] ?? '');
    } else if (name === 'br') {
      text += tables ? ' ' : '\n';
    } else if (name === 'table') {
      tables += close ? -1 : 1;
      if (tables === 0) out += '\n';
    } else if (tables) {
      if (close && /^(td|th)$/.test(name!) && tables === 1) {
        cells.push(text.replace(/\s+/g, ' ').trim());
        text = '';
      } else if (close && name === 'tr' && tables === 1) {
        text = cells.join(' | ');
        cells = [];
        flush('', '\n');
      } else if (close && /^(p|li|td|th|tr|h\d)$/.test(name!)) text += ' ';
    } else if (name === 'ul' || name === 'ol') {
      flushItem();
      if (close) lists.pop();
      else lists.push({ is_ordered: name === 'ol', items: 0 });
      if (lists.length === 0) out += '\n';
    } else if (name === 'li') {
      flushItem();
      const list = lists.at(-1);
      if (!close && list) {
        list.items++;
        item_mark = '  '.repeat(lists.length - 1) + (list.is_ordered ? `${list.items}. ` : '- ');
      }
    } else if (close && /^(p|h\d)$/.test(name!)) {
      if (lists.length) flushItem();
      else flush(name === 'p' ? '' : `${'#'.repeat(Number(name!.slice(1)))} `, '\n\n');
    }
  }
  flush('', '');
  return out.replace(/ ?↑$/gm, '');
}
