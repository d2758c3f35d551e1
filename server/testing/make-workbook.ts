import { makeZip } from './make-zip.ts';

const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const types = 'http://schemas.openxmlformats.org/package/2006/content-types';
const packages = 'http://schemas.openxmlformats.org/package/2006/relationships';
const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const workbookType = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml';

/** A date, in the days of Excel; a formula with the value that it had when the workbook was saved. */
export type Cell = string | number | boolean | null | { day: number } | { formula: string; value: number };

/**
 * A workbook as Excel writes it: shared strings, styles for dates, formulas with their values. `instead`: parts by name
 * that are written otherwise.
 */
export function makeWorkbook(
  sheets: { name: string; rows: Cell[][] }[],
  instead: Record<string, string> = {},
  level?: number,
): Buffer {
  const strings: string[] = [];
  const xml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const cell = (value: Cell, place: string) => {
    if (value === null) return '';
    if (typeof value === 'string') return `<c r="${place}" t="s"><v>${strings.push(value) - 1}</v></c>`;
    if (typeof value === 'boolean') return `<c r="${place}" t="b"><v>${Number(value)}</v></c>`;
    if (typeof value === 'number') return `<c r="${place}"><v>${value}</v></c>`;
    if ('day' in value) return `<c r="${place}" s="1"><v>${value.day}</v></c>`;
    return `<c r="${place}"><f>${value.formula}</f><v>${value.value}</v></c>`;
  };
  const written = sheets.map(({ rows }) => {
    const lines = rows.map((cells, row) => {
      const inside = cells.map((value, column) =>
        cell(value, `${String.fromCharCode(65 + column)}${row + 1}`),
      );
      return `<row r="${row + 1}">${inside.join('')}</row>`;
    });
    return `<worksheet xmlns="${main}"><sheetData>${lines.join('')}</sheetData></worksheet>`;
  });
  const numbers = sheets.map((_, index) => index + 1);
  const parts = {
    '[Content_Types].xml': `<Types xmlns="${types}"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${workbookType}"/></Types>`,
    '_rels/.rels': `<Relationships xmlns="${packages}"><Relationship Id="rId1" Type="${office}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    'xl/workbook.xml': `<workbook xmlns="${main}" xmlns:r="${office}"><sheets>${sheets.map(({ name }, index) => `<sheet name="${xml(name)}" sheetId="${index + 1}" r:id="rId${index + 1}"/>`).join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `<Relationships xmlns="${packages}">${numbers.map((n) => `<Relationship Id="rId${n}" Type="${office}/worksheet" Target="worksheets/sheet${n}.xml"/>`).join('')}<Relationship Id="rId90" Type="${office}/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId91" Type="${office}/styles" Target="styles.xml"/></Relationships>`,
    'xl/styles.xml': `<styleSheet xmlns="${main}"><cellStyleXfs count="1"><xf numFmtId="0"/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0" xfId="0"/><xf numFmtId="14" xfId="0" applyNumberFormat="1"/></cellXfs></styleSheet>`,
    ...Object.fromEntries(written.map((sheet, index) => [`xl/worksheets/sheet${index + 1}.xml`, sheet])),
    'xl/sharedStrings.xml': `<sst xmlns="${main}">${strings.map((text) => `<si><t xml:space="preserve">${xml(text)}</t></si>`).join('')}</sst>`,
    ...instead,
  };
  const declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
  return makeZip(
    Object.entries(parts).map(([name, content]) => ({ name, data: Buffer.from(declaration + content) })),
    level,
  );
}
