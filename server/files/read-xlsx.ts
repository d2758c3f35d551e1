import { cleanCell } from './read-csv.ts';
import type { Table } from './render-table.ts';
import { unpackZip } from './unpack-zip.ts';

/** All sheets of a workbook together, unpacked: about 200,000 rows of five cells, which are read in 10 s. */
const max_unpacked_bytes = 64 << 20;

/** The sheets of an Excel workbook, with the values that its formulas had when it was saved. Throws a `ZipError`. */
export async function readXlsx(bytes: Buffer): Promise<Table[]> {
  // The library sets no limit of its own: what an archive unpacks to is measured first.
  await unpackZip(bytes, { wanted: /\.(xml|rels)$/, max_bytes: max_unpacked_bytes });
  const { default: readWorkbook } = await import('read-excel-file/node');
  const sheets = await readWorkbook(bytes);
  return sheets.map(({ sheet, data }) => ({
    name: cleanCell(sheet),
    rows: data.map((cells, index) => ({ number: index + 1, cells: Array.from(cells, writeValue) })),
  }));
}

function writeValue(value: unknown): string {
  if (value instanceof Date) return writeDate(value);
  // 15 digits are what Excel keeps; more is noise of binary fractions.
  if (typeof value === 'number') return String(Number(value.toPrecision(15)));
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
  return typeof value === 'string' ? cleanCell(value) : '';
}

/** Without the time where it is midnight: then a day was meant. */
function writeDate(value: Date) {
  if (Number.isNaN(value.getTime())) return '';
  const [day, time] = value.toISOString().split('T') as [string, string];
  return time.startsWith('00:00:00') ? day : `${day} ${time.slice(0, 5)}`;
}
