/** A goal, what was measured for it, and whether it was reached; undefined where it could not be measured. */
export type Row = { what: string; goal: string; measured: string; met: boolean | undefined };

export function renderTable(rows: Row[]): string {
  const verdict = ({ met }: Row) => (met === undefined ? 'not measured' : met ? 'met' : '**missed**');
  return [
    '| | goal | measured | |',
    '|---|---|---|---|',
    ...rows.map((row) => `| ${row.what} | ${row.goal} | ${row.measured} | ${verdict(row)} |`),
  ].join('\n');
}

/** Three digits that mean something. */
export function round(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}
