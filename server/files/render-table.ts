import { splitPassages } from './split-passages.ts';

/** A sheet of a workbook, or a CSV (without a name). `cells` are clean, on one line each. */
export type Table = { name: string | undefined; rows: TableRow[] };

/** `number` counts from 1, as the program shows it that made the sheet. */
export type TableRow = { number: number; cells: string[] };

const max_characters = 1000;
/** A header that takes more of each passage is written to each value instead. */
const max_header_characters = 300;

/**
 * A table as passages in Markdown. Each names the sheet and its rows, and repeats the header, so that it is understood
 * alone: a table of as many rows as fit, or of a wide one `column: value` line by line.
 */
export function renderTable({ name, rows: all }: Table): string[] {
  const rows = all.filter(({ cells }) => cells.some((cell) => cell !== ''));
  const width = rows.reduce((most, { cells }) => Math.max(most, lastFilled(cells) + 1), 0);
  // Titles and notes above a table stand in one cell.
  const at = width === 1 ? 0 : rows.findIndex(({ cells }) => cells.filter((cell) => cell !== '').length > 1);
  const passages: string[] = [];
  const above = at < 0 ? rows : rows.slice(0, at);
  if (above.length > 0) {
    const content = above.map(({ cells }) => cells.filter((cell) => cell !== '').join(' ')).join('\n\n');
    passages.push(...cut(`${heading(name, above)}\n\n${content}`));
  }
  const header = rows[at];
  if (!header) return passages;
  const head = `${tableRow(header.cells, width)}\n${tableRow(Array(width).fill('---'), width)}`;
  const is_wide = head.length > max_header_characters;
  const body = rows.slice(at + 1);
  if (body.length === 0) {
    passages.push(...cut(`${heading(name, [header])}\n\n${is_wide ? header.cells.join('\n') : head}`));
  }

  let together: TableRow[] = [];
  let lines = '';
  const close = () => {
    if (together.length > 0) passages.push(`${heading(name, together)}\n\n${head}${lines}`);
    together = [];
    lines = '';
  };
  for (const row of body) {
    const line = is_wide ? '' : `\n${tableRow(row.cells, width)}`;
    if (is_wide || head.length + line.length > max_characters) {
      close();
      passages.push(...renderRecord(name, header.cells, row));
      continue;
    }
    if (head.length + lines.length + line.length > max_characters) close();
    together.push(row);
    lines += line;
  }
  close();
  return passages;
}

function renderRecord(name: string | undefined, header: string[], row: TableRow) {
  const title = heading(name, [row]);
  const values = row.cells
    .map((cell, index) => (cell === '' ? '' : header[index] ? `${header[index]}: ${cell}` : cell))
    .filter((line) => line !== '');
  const text = `${title}\n\n${values.join('\n')}`;
  // The pieces of a long row each say where they are from.
  return cut(text).map((piece, index) => (index === 0 ? piece : `${title}\n\n${piece}`));
}

function cut(content: string) {
  return splitPassages([{ page: null, content }]).map((passage) => passage.content);
}

function heading(name: string | undefined, rows: TableRow[]) {
  const first = rows[0]!.number;
  const last = rows.at(-1)!.number;
  const range = first === last ? `row ${first}` : `rows ${first}–${last}`;
  return name === undefined ? `## R${range.slice(1)}` : `## ${name}, ${range}`;
}

function tableRow(cells: string[], width: number) {
  const padded = Array.from({ length: width }, (_, index) => (cells[index] ?? '').replaceAll('|', '\\|'));
  return `| ${padded.join(' | ')} |`;
}

function lastFilled(cells: string[]) {
  return cells.findLastIndex((cell) => cell !== '');
}
