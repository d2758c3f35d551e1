import { decodeText } from './detect-file-type.ts';
import { UnreadableDocument } from './unreadable-document.ts';

/** Deeper than any page that a person reads, also one that never closes its elements. */
const max_depth = 5_000;

/** Elements whose content is not what a page says. */
const left_out = new Set(
  'script style noscript template svg math iframe frame object embed applet canvas audio video select textarea datalist'.split(
    ' ',
  ),
);
/** Elements that stand on lines of their own. */
const blocks = new Set(
  'address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure footer form header hr html legend main nav p section summary'.split(
    ' ',
  ),
);

/**
 * What a web page says, as Markdown: its title, headings, paragraphs, lists and the rows of its tables; the words of
 * links and the descriptions of pictures. Nothing is run or loaded, and no address is kept.
 */
export async function readHtml(bytes: Uint8Array): Promise<string> {
  const { Parser } = await import('htmlparser2');
  return htmlToMarkdown(decodeHtml(bytes), Parser);
}

/** As text is decoded; where that is no UTF-8 and the page names its encoding, by that. */
function decodeHtml(bytes: Uint8Array) {
  const start = Buffer.from(bytes.subarray(0, 4096)).toString('latin1');
  const named = /<meta[^>]+charset\s*=\s*["']?([\w-]{2,30})/i.exec(start)?.[1];
  if (named && !/^utf-?(8|16)/i.test(named) && !/^(\xef\xbb\xbf|\xff\xfe|\xfe\xff)/.test(start)) {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      try {
        return new TextDecoder(named).decode(bytes);
      } catch {
        // It names one that nobody knows.
      }
    }
  }
  return decodeText(bytes);
}

/** Markdown of HTML, however broken it is. */
function htmlToMarkdown(html: string, Parser: typeof import('htmlparser2').Parser): string {
  const out: string[] = [];
  let title = '';
  let has_heading = false;
  let text = '';
  let before = '';
  /** How many elements are open that are left out, and in which the title, a `pre` or a table. */
  const depth = { left_out: 0, title: 0, pre: 0, table: 0 };
  const lists: { is_ordered: boolean; items: number }[] = [];
  let cells: string[] = [];

  const flush = (after = '\n\n') => {
    const line = depth.pre ? text.replace(/^\n|\s+$/g, '') : tidy(text);
    if (line.trim() !== '') {
      out.push(before + line + after);
      // What follows in the same item goes below its text.
      before = before.replace(/\S/g, ' ');
    }
    text = '';
  };
  const flushRow = () => {
    if (tidy(text)) cells.push(tidy(text));
    text = '';
    if (cells.length > 0) out.push(`${cells.join(' | ')}\n`);
    cells = [];
  };
  const startLine = () => {
    if (depth.table) text += ' ';
    else flush(lists.length ? '\n' : '\n\n');
  };

  const opened: boolean[] = [];
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        // The library needs time with the square of the depth.
        if (opened.length === max_depth) throw new UnreadableDocument('too_big_inside');
        const is_hidden =
          left_out.has(name) || 'hidden' in attributes || attributes['aria-hidden'] === 'true';
        opened.push(is_hidden);
        if (is_hidden) depth.left_out++;
        if (depth.left_out) return;
        if (name === 'title') depth.title++;
        else if (name === 'br') text += depth.table ? ' ' : '\n';
        else if (name === 'img') text += attributes.alt ? ` ${attributes.alt} ` : '';
        else if (name === 'pre') {
          startLine();
          depth.pre++;
        } else if (name === 'table') {
          if (depth.table === 0) flush();
          depth.table++;
        } else if (name === 'tr') {
          if (depth.table === 1) flushRow();
        } else if (name === 'td' || name === 'th') text += ' ';
        else if (name === 'ul' || name === 'ol') {
          startLine();
          lists.push({ is_ordered: name === 'ol', items: 0 });
        } else if (name === 'li') {
          startLine();
          const list = lists.at(-1);
          if (list && !depth.table) {
            list.items++;
            before =
              '  '.repeat(Math.min(lists.length, 10) - 1) + (list.is_ordered ? `${list.items}. ` : '- ');
          }
        } else if (/^h[1-6]$/.test(name)) {
          startLine();
          has_heading = true;
          if (!depth.table && !lists.length) before = `${'#'.repeat(Number(name[1]))} `;
        } else if (blocks.has(name)) startLine();
      },
      ontext(data) {
        if (depth.left_out) return;
        if (depth.title) title += data;
        else text += depth.pre ? data : data.replace(/\s+/g, ' ');
      },
      onclosetag(name) {
        const was_left_out = depth.left_out > 0;
        if (opened.pop()) depth.left_out--;
        if (was_left_out) return;
        if (name === 'title') depth.title = Math.max(0, depth.title - 1);
        else if (name === 'pre') {
          startLine();
          depth.pre = Math.max(0, depth.pre - 1);
        } else if (name === 'table') {
          if (depth.table === 1) {
            flushRow();
            out.push('\n');
          }
          depth.table = Math.max(0, depth.table - 1);
        } else if ((name === 'td' || name === 'th') && depth.table === 1) {
          cells.push(tidy(text));
          text = '';
        } else if (name === 'tr') {
          if (depth.table === 1) flushRow();
        } else if (name === 'ul' || name === 'ol') {
          startLine();
          lists.pop();
          before = '';
          if (lists.length === 0) out.push('\n');
        } else if (name === 'li' || /^h[1-6]$/.test(name)) {
          startLine();
          before = '';
        } else if (blocks.has(name)) startLine();
      },
    },
    { decodeEntities: true, lowerCaseTags: true },
  );
  parser.write(html);
  parser.end();
  flush();
  const body = out.join('').replace(/\n{3,}/g, '\n\n');
  return title.trim() && !has_heading ? `# ${tidy(title)}\n\n${body}` : body;
}

/** One line, or the lines that `br` made of it. */
function tidy(text: string) {
  return text
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .trim();
}
