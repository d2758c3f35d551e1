import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Document, Packer, Paragraph, TextRun } from 'docx';
import { PDFDocument, StandardFonts } from 'pdf-lib';
import { expect, test } from 'vitest';
import { fileTypes } from './file-types.ts';
import { readDocument } from './read-document.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../testing/fixtures/${name}`, import.meta.url));
const { pdf, docx, xlsx, csv, html, json, markdown, text } = fileTypes;

async function readFixture(name: string, type: { file_type: string }) {
  return readDocument(await readFile(fixture(name)), type.file_type);
}

type Written = { text: string; x?: number; y: number; size?: number };

async function makePdf(pages: Written[][]) {
  const document = await PDFDocument.create();
  const font = await document.embedFont(StandardFonts.Helvetica);
  for (const lines of pages) {
    const page = document.addPage([600, 800]);
    for (const { text, x = 50, y, size = 12 } of lines) page.drawText(text, { x, y: 800 - y, size, font });
  }
  return document.save();
}

/** Lines of a column, 15 points apart, from `y` on. */
const column = (lines: string[], { x = 50, y = 150 } = {}) =>
  lines.map((line, index) => ({ text: line, x, y: y + index * 15 }));

async function readPdfPages(pages: Written[][]) {
  const read = await readDocument(Buffer.from(await makePdf(pages)), pdf.file_type);
  return read.pages.map((page) => page.content);
}

test('a report is read page by page, without its headers and footers', async () => {
  const { pages, passages, words } = await readFixture('ridgeway-bakery-review.pdf', pdf);
  expect(pages.map(({ page }) => page)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(words).toBeGreaterThan(1200);
  expect(words).toBeLessThan(1500);
  const everything = pages.map(({ content }) => content).join('\n');
  expect(everything).not.toMatch(/Page \d of 6|Year in review/);
  expect(pages[0]?.content).toMatch(/^A year of better bread\n\nRidgeway Bakery closed 2025/);
  expect(pages[2]?.content).toContain('Ridge Rye\t64,200\t£4.80\t+6%\n');
  expect(passages.every(({ page }) => page !== null && page >= 1 && page <= 6)).toBe(true);
});

test('words that a PDF divides between lines are whole again, and paragraphs stay apart', async () => {
  const { pages } = await readFixture('ridgeway-bakery-review.pdf', pdf);
  expect(pages[3]?.content).toContain(
    'The Wednesday sourdough subscription costs £18.50 a month and brings one large loaf a week, to be picked up between four and six o’clock.',
  );
  expect(pages[0]?.content).toContain('both were what we wanted.\n\nIt was not a year of grand plans.');
  for (const { content } of pages) expect(content).not.toMatch(/[a-z]-\n|[^.:;!?”\d]\n(?=[a-z])/);
});

test('a passage can be found that holds a fact, with its page', async () => {
  const { passages } = await readFixture('ridgeway-bakery-review.pdf', pdf);
  const pageOf = (fact: string) => passages.find(({ content }) => content.includes(fact))?.page;
  expect(pageOf('412 subscribers')).toBe(4);
  expect(pageOf('Leo Brandt')).toBe(5);
  expect(pageOf('Weaver’s Wharf')).toBe(6);
});

test('a hyphen that belongs to a word survives the end of a line', async () => {
  const [content] = await readPdfPages([
    column([
      'The long-term plan of Anna Müller-',
      'Lüdenscheid is well known; it is a long-',
      'term plan with Vor- und Nachteile, Haupt-',
      'und Nebenwege, and some experi-',
      'ments.',
    ]),
  ]);
  expect(content).toBe(
    'The long-term plan of Anna Müller-Lüdenscheid is well known; it is a long-term plan with Vor- und Nachteile, Haupt- und Nebenwege, and some experiments.',
  );
});

test('two columns are read one after the other, and the sentence between them goes on', async () => {
  const left = column(['The left column speaks of rye', 'and of the mill. It ends in the']);
  const right = column(['middle of a sentence, as', 'columns do.'], { x: 320 });
  expect(await readPdfPages([[...left, ...right]])).toEqual([
    'The left column speaks of rye and of the mill. It ends in the middle of a sentence, as columns do.',
  ]);
});

test('lines that were broken on purpose stay lines', async () => {
  const [content] = await readPdfPages([
    column([
      'Ridgeway Bakery',
      '4 Harrow Lane',
      'Aldermoor',
      '',
      'We would be glad to see you here on any morning but Monday.',
    ]),
  ]);
  expect(content).toBe(
    'Ridgeway Bakery\n4 Harrow Lane\nAldermoor\n\nWe would be glad to see you here on any morning but Monday.',
  );
});

test('an empty page keeps its number', async () => {
  expect(await readPdfPages([column(['First.']), [], column(['Third.'])])).toEqual(['First.', '', 'Third.']);
});

test('a Word document keeps headings, lists and tables readable', async () => {
  const { pages, words } = await readFixture('brand-voice.docx', docx);
  expect(pages).toHaveLength(1);
  expect(pages[0]?.page).toBeNull();
  expect(pages[0]?.content).toContain('# How Ridgeway sounds\n\nWe write the way Nora talks');
  expect(pages[0]?.content).toContain('## What we always do\n\n- Name the person who baked it');
  expect(pages[0]?.content).toContain('\nneighbours | target group | They can hear us.\n');
  expect(pages[0]?.content).toContain('\n3. Check that the first line');
  expect(words).toBeGreaterThan(140);
});

test('a Word document shows its words as they are, whatever characters they hold', async () => {
  const paragraph = new Paragraph({ children: [new TextRun('1. <b>R&D</b> & "more" &amp; *stars* _a_ 🥨')] });
  const bytes = await Packer.toBuffer(new Document({ sections: [{ children: [paragraph] }] }));
  const { pages } = await readDocument(bytes, docx.file_type);
  expect(pages[0]?.content).toBe('1. <b>R&D</b> & "more" &amp; *stars* _a_ 🥨');
});

test('texts come out as they were written', async () => {
  for (const [name, type] of [
    ['founder-notes.md', markdown],
    ['interview-transcript.txt', text],
  ] as const) {
    const { pages, passages } = await readFixture(name, type);
    expect(pages).toEqual([{ page: null, content: (await readFile(fixture(name), 'utf8')).trim() }]);
    expect(passages.map(({ ordinal }) => ordinal)).toEqual(passages.map((_, index) => index + 1));
  }
});

test('what PostgreSQL refuses is removed or repaired', async () => {
  const bytes = Buffer.from('\ufeffone\0 two\ud83d three\r\nfour\u0007\f five', 'utf16le');
  const { pages, words } = await readDocument(bytes, text.file_type);
  expect(pages[0]?.content).toBe('one two\ufffd three\nfour\n five');
  expect(words).toBe(5);
});

test('a PDF that a password only keeps from being changed is read', async () => {
  const { pages } = await readFixture('owner-password.pdf', pdf);
  expect(pages).toEqual([{ page: 1, content: 'The starter sleeps in the cellar.' }]);
});

test('a passage of a workbook knows its sheet, its rows and its columns', async () => {
  const { pages, passages } = await readFixture('prices.xlsx', xlsx);
  expect(pages).toHaveLength(1);
  expect(pages[0]?.page).toBeNull();
  expect(passages.map(({ ordinal }) => ordinal)).toEqual([1, 2, 3]);
  expect(passages[0]?.content).toBe('## Prices 2026, row 1\n\nRidgeway Bakery, price list');
  const [heading, , header, , rye, , oat] = passages[1]!.content.split('\n');
  expect(heading).toBe('## Prices 2026, rows 4–7');
  expect(header).toBe('| Loaf | Price in £ | Sold in 2025 | Price since | Still baked | Takings |');
  expect(rye).toBe('| Ridge Rye | 4.8 | 64200 | 2026-02-03 | TRUE | 308160 |');
  // 4.4 * 31077 is 136738.80000000002 in binary fractions.
  expect(oat).toBe('| Weaver’s Oat & Honey | 4.4 | 31077 | 2025-03-03 | FALSE | 136738.8 |');
  expect(passages[2]?.content).toContain('## Shops, rows 2–4\n\n| Shop | Manager | Ovens |');
  expect(passages[2]?.content).toContain('| Canal Street | Leo Brandt |  |');
});

test('a CSV is read whatever its encoding, its delimiter and the line breaks in its values', async () => {
  const { passages, words } = await readFixture('orders.csv', csv);
  expect(passages).toHaveLength(1);
  expect(passages[0]?.content).toBe(
    [
      '## Rows 2–4',
      '',
      '| Kunde | Brot | Stück | Preis in € | Bemerkung |',
      '| --- | --- | --- | --- | --- |',
      '| Gasthof Größler | Roggenbrot | 40 | 3,20 | jeden Montag; vor sieben |',
      '| Café Käßmann | Dinkelbrötchen | 120 | 0,55 | zweite Tür links klingeln |',
      '| Schule am Mühlbach | Weizenbrot | 15 | 2,90 |  |',
    ].join('\n'),
  );
  expect(words).toBe(33);
});

test.each([
  [',', 'loaf,price\nrye,4'],
  ['a tab', 'loaf\tprice\nrye\t4'],
  ['|', 'loaf|price\nrye|4'],
  ['what Excel names in the first line', '\ufeffsep=^\r\nloaf^price\r\nrye^4'],
])('the values of a CSV may be parted by %s', async (_, content) => {
  const { passages } = await readDocument(Buffer.from(content), csv.file_type);
  expect(passages[0]?.content).toBe('## Row 2\n\n| loaf | price |\n| --- | --- |\n| rye | 4 |');
});

test('a web page is read as Markdown, without what it runs, loads, hides or links to', async () => {
  const { pages } = await readFixture('opening-hours.html', html);
  expect(pages[0]?.content).toBe(
    [
      '# Opening hours',
      '',
      'We bake from three in the morning; the door opens at seven.',
      'Ring if it is raining.',
      '',
      'Day | From | To',
      'Tuesday | 7:00 | 18:30',
      'Saturday | 6:30 | 14:00',
      '',
      '- Closed on Mondays',
      '- Closed on the first of January',
      '',
      'The green door in Harrow Lane',
    ].join('\n'),
  );
});

test.each([
  ['unclosed elements', '<p>One<p>Two<ul><li>in<ol><li>deep', 'One\n\nTwo\n\n- in\n  1. deep'],
  ['a list in a list', '<ul><li>a<ul><li>b</ul><li>c</ul>d', '- a\n  - b\n- c\n\nd'],
  ['code', '<pre>a\n  b</pre>c', 'a\n  b\n\nc'],
  ['a title and no heading', '<title>Bread &amp; salt</title>Hello', '# Bread & salt\n\nHello'],
  ['ends without beginnings', '</div></p></table></ul></script>Hello</h1>', 'Hello'],
  ['a script that is never closed', 'Hello<script>let x = 1', 'Hello'],
])('HTML with %s is read', async (_, content, expected) => {
  expect((await readDocument(Buffer.from(content), html.file_type)).pages[0]?.content).toBe(expected);
});

test('a page in another encoding is read as it says', async () => {
  const bytes = Buffer.concat([
    Buffer.from('<meta charset="windows-1251"><p>'),
    Buffer.from('d5ebe5e120e820f1eeebfc', 'hex'),
  ]);
  expect((await readDocument(bytes, html.file_type)).pages[0]?.content).toBe('Хлеб и соль');
});

test('a JSON is read as an outline, and its numbers keep their digits', async () => {
  const { pages } = await readFixture('suppliers.json', json);
  expect(pages[0]?.content).toBe(
    [
      'bakery: Ridgeway',
      'account: 90071992547409931234',
      '',
      'suppliers:',
      '',
      '  - name: Thornhill Mill',
      '    goods:',
      '      - rye',
      '      - spelt',
      '    terms:',
      '      days: 30',
      '      discount: 0.02',
      '    since: 2011',
      '',
      '  - name: Allgäuer Hof',
      '    goods:',
      '      - butter',
      '    terms: null',
      '    since: 2019',
    ].join('\n'),
  );
});

test.each([
  ['"just \\"words\\""', 'just "words"'],
  ['[["a", "b"], ["c"], [], {}]', '- - a\n  - b\n\n- - c\n\n- \n\n-'],
  ['{"a": {}, "b": [], "c": "d"}', 'a:\n\nb:\nc: d'],
  ['{"a\\n": "one\\ntwo \\\\"}', 'a\n: one\ntwo \\'],
])('the JSON %s is read', async (content, expected) => {
  expect((await readDocument(Buffer.from(content), json.file_type)).pages[0]?.content).toBe(expected);
});

test.each([
  ['ridgeway-bakery-review.pdf', pdf, 'english'],
  ['interview-transcript.txt', text, 'german'],
  ['orders.csv', csv, 'german'],
])('%s is known to be in its language', async (name, type, language) => {
  expect((await readFixture(name, type)).language).toBe(language);
});

test.each([
  ['Hver morgen bager vi frisk brød. Priserne steg med fire procent i februar.', 'danish'],
  [
    'Hver morgen baker vi ferskt brød, og prisene steg med fire prosent i februar. Jeg vet ikke hvorfor.',
    'norwegian',
  ],
  ['Nous cuisons chaque matin du pain frais. Les prix ont augmenté de quatre pour cent.', 'french'],
  ['Leivomme joka aamu tuoretta leipää. Hinnat nousivat helmikuussa neljä prosenttia.', 'finnish'],
  ['Каждое утро мы печём свежий хлеб. Цены выросли на четыре процента.', 'russian'],
  // PostgreSQL has no word forms for these.
  ['Każdego ranka pieczemy świeży chleb. Ceny wzrosły w lutym o cztery procent.', 'simple'],
  ['我们每天早上烤新鲜的面包。价格上涨了百分之四。我们每天早上烤新鲜的面包。', 'simple'],
  // Too little to tell.
  ['Rye 4.80', 'simple'],
  ['4.80 | 3.20 | 12.00 km | 13.00 km | 14.50 km', 'simple'],
])('the language of "%s" is %s', async (content, language) => {
  expect((await readDocument(Buffer.from(content), text.file_type)).language).toBe(language);
});
