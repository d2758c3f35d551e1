import { cleanText } from './clean-text.ts';
import type { Table } from './render-table.ts';

/** The rows of a CSV, whatever separates its values; a row's number is that of the record, not of the line. */
export async function readCsv(text: string): Promise<Table[]> {
  const { default: Papa } = await import('papaparse');
  // Excel names the delimiter in a line of its own.
  const [named, delimiter] = /^\ufeff?sep=(.)\r?\n/i.exec(text) ?? [];
  const { data } = Papa.parse<string[]>(named ? text.slice(named.length) : text.replace(/^\ufeff/, ''), {
    delimiter,
    delimitersToGuess: [',', ';', '\t', '|'],
  });
  const rows = data.map((cells, index) => ({ number: index + 1, cells: cells.map(cleanCell) }));
  return [{ name: undefined, rows }];
}

/** A cell's words on one line. */
export function cleanCell(cell: string): string {
  return cleanText(cell).replace(/\s+/g, ' ');
}
