/**
 * Writes the documents of `server/testing/fixtures/` that are not plain text, the same bytes every time:
 * a believable report and a Word document, and small hostile files. Run it after changing one:
 * `node scripts/make-fixtures.ts`. (The two texts in the folder are written by hand.)
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import {
  AlignmentType,
  Document,
  HeadingLevel,
  LevelFormat,
  Packer,
  Paragraph,
  Table,
  TableCell,
  TableRow,
  TextRun,
  WidthType,
} from 'docx';
import { PDFDocument, type PDFFont, type PDFPage, rgb, StandardFonts } from 'pdf-lib';
import { fileTypes } from '../server/files/file-types.ts';
import { unpackZip } from '../server/files/unpack-zip.ts';
import { makeZip } from '../server/testing/make-zip.ts';
import { tableFixtures } from './make-table-fixtures.ts';

const folder = new URL('../server/testing/fixtures/', import.meta.url);
const fixed_date = new Date('2026-01-12T08:00:00Z');
const green = rgb(0.1, 0.3, 0.22);
const ink = rgb(0.13, 0.13, 0.13);
const grey = rgb(0.45, 0.45, 0.45);

type Block =
  | { heading: string }
  | { text: string }
  | { quote: string; by: string }
  | { list: string[] }
  | { rows: string[][] }
  | { bars: [label: string, amount: number][] };

/** `~` marks where a word may be divided at the end of a line. */
const report: { title: string; blocks: Block[] }[] = [
  {
    title: 'A year of better bread',
    blocks: [
      {
        text: 'Ridgeway Bakery closed 2025 with takings of £2.38 mil~lion, eleven per cent more than the year be~fore, and a net profit of £143,000. Our four shops sold 418,000 loaves. Sixty-one people work here now, and for the first time more than half of them have been with us longer than three years.',
      },
      { heading: 'From the founder' },
      {
        text: 'When I opened the door in Harrow Lane in 2006, I meant to bake for one street. Nineteen years later I still count the people in the queue before I count the money in the till. This year the queue got longer on weekdays and shorter on Saturdays, and both were what we wanted.',
      },
      {
        text: 'It was not a year of grand plans. We dropped what did not work, we slept more, and we wrote things down. If you read only one page of this review, read page four: the small sub~scrip~tion that we started with neigh~bours has changed how we plan the whole week.',
      },
      { quote: 'Bread first, screens second.', by: 'The rule above the bench in Harrow Lane' },
      { heading: 'What we decided' },
      {
        list: [
          'The evening café in Canal Street ended on 30 June; the room now belongs to the pastry team.',
          'Prices rose once, on 3 February, by an average of four per cent, with the reasons on the door.',
          'All night bakers moved to a four-day week in June, on full pay.',
        ],
      },
      { text: 'Nora Ashdown, founder and managing director' },
    ],
  },
  {
    title: 'Takings by shop',
    blocks: [
      {
        text: 'Three of the four shops grew. The surprise was Station Yard, which took 23 per cent more after we began to open at 6:15, in time for the first train to the city. Commuters buy less per visit than families do, but they come on four mornings out of five.',
      },
      {
        bars: [
          ['Harrow Lane', 812],
          ['Station Yard', 694],
          ['Millbrook', 521],
          ['Canal Street', 353],
        ],
      },
      {
        text: 'Canal Street lost eight per cent. The footbridge was closed for repairs from February to Sep~tember, and with it went half of the people who used to pass the window. Since the bridge opened again in the last week of September, takings there are back at the level of 2024.',
      },
      { heading: 'What a visit is worth' },
      {
        text: 'The average receipt rose from £6.90 to £7.35. Geoff Lindley, who keeps our books, puts two thirds of that down to the whole loaf: customers who used to take two rolls now take half a loaf and freeze the rest. He would like it noted that he said so in 2023.',
      },
      {
        text: 'Rent takes 9.1 per cent of takings, energy 6.4 per cent and wages 41 per cent. Energy is the only one of the three that fell, because the Millbrook oven now runs on the cheap hours be~tween one and five in the morning.',
      },
    ],
  },
  {
    title: 'What we baked',
    blocks: [
      {
        text: 'The Ridge Rye is still the loaf that people drive for: 64,200 of them left the ovens this year. The cinnamon knot, which Tomasz Wieczorek calls a hobby that got out of hand, reached 118,000 pieces and paid for the new proving cabinet alone.',
      },
      {
        rows: [
          ['Product', 'Sold in 2025', 'Price', 'Change'],
          ['Cinnamon knot', '118,000', '£2.60', '+14%'],
          ['Ridge Rye', '64,200', '£4.80', '+6%'],
          ['Seeded spelt baton', '31,500', '£3.40', 'new'],
          ['Harrow white tin', '88,900', '£3.10', '-3%'],
        ],
      },
      { heading: 'Two goodbyes' },
      {
        text: 'Avocado toast left the menu in March. It earned £0.31 a plate and held up the counter for four minutes. The charcoal bun followed in May; nobody has asked for it since, apart from the man who de~signed it.',
      },
      { heading: 'Less in the bin' },
      {
        text: 'Unsold bread fell from 9.4 per cent of what we bake to 5.1 per cent. Priya Raman, who runs the shops, did it with a piece of chalk: at five o’clock whatever is left goes into evening bags at £4, and the board outside says how many there are. On most days the last bag is gone by 5:40.',
      },
      {
        text: 'What still remains goes to the Saint Anne’s kitchen, 340 crates in the year. The kitchen’s cook sends back the crates with a note about what was liked best; the spelt baton leads.',
      },
    ],
  },
  {
    title: 'The Wednesday loaf',
    blocks: [
      {
        text: 'In April we asked 57 neigh~bours to pay for their bread before it was baked. The Wednes~day sour~dough sub~scrip~tion costs £18.50 a month and brings one large loaf a week, to be picked up between four and six o’clock. By the end of December it had 412 sub~scribers.',
      },
      {
        text: 'It matters more than its £91,000 a year suggest. Wednes~day used to be our quietest day and is now the second strongest. We know on Monday night how much flour we need, and nothing from that batch is ever thrown away.',
      },
      { heading: 'Who stays, who leaves' },
      {
        text: 'In an average month 3.2 per cent cancel. We ring everyone who does. The com~monest reason is a holiday, so since October a sub~scrip~tion can rest for up to eight weeks; cancel~lations have halved since.',
      },
      {
        quote: 'I do not have to think about bread any more, and I think about it all Tuesday.',
        by: 'Desmond Achterberg, subscriber number 14',
      },
      { heading: 'How people hear of us' },
      {
        list: [
          'The newsletter “Crumbs” goes to 2,870 readers; 46 per cent open it.',
          'On Instagram we have 9,300 followers. The post that did best showed a burnt tray, and said why.',
          'One in three new subscribers was brought by a neighbour; each such neighbour gets a tin of shortbread.',
        ],
      },
      {
        text: 'Paid advertising was tried for six weeks in the spring. It cost £2,150 and brought nine sub~scribers, so we stopped and bought a second bicycle.',
      },
    ],
  },
  {
    title: 'The people on both sides of the counter',
    blocks: [
      {
        text: 'In November 638 customers answered our yearly questions. They gave us 8.7 points out of ten, up from 8.1. What they like least is waiting: on Satur~days it took fourteen minutes to be served. Since the second till in Harrow Lane it takes nine.',
      },
      {
        quote: 'I set my alarm by your oven. When the smell comes up the hill, it is time.',
        by: 'Margaret Oyelaran, customer in Harrow Lane for nineteen years',
      },
      {
        quote:
          'You told me to come back on Thursday because today’s rye was not good enough. I have trusted you ever since.',
        by: 'Piotr Hallam, Millbrook',
      },
      { heading: 'The night bakery' },
      {
        text: 'Since June the night bakers work four nights of nine hours. The experi~ment was to last three months; it is now in the contracts. Staff turnover in the whole company fell from 34 to 19 per cent, and sick days in the night team by almost half.',
      },
      { heading: 'A prize' },
      {
        text: 'Leo Brandt, in his second year as an ap~pren~tice, won the regional prize for young bakers in Aldermoor with a plaited saffron loaf. The judges praised the crumb. Leo thanked the cellar, which is the only room in the house that stays at exactly 18 degrees.',
      },
    ],
  },
  {
    title: 'What comes next',
    blocks: [
      {
        text: 'The board met on 4 December and took three decisions for 2026. None of them needs a bank.',
      },
      {
        list: [
          'A second deck oven for £86,000, paid from reserves. It arrives in Harrow Lane on 12 May.',
          'A fifth shop at Weaver’s Wharf, to open in September, with Priya Raman in charge of the first year.',
          'One story a week from the night shift, told by those who work it, on LinkedIn and in the newsletter.',
        ],
      },
      { heading: 'What we will not do' },
      {
        text: 'We will not join a delivery app: the fee is 28 per cent, and bread does not travel well on a moped. We will not franchise. Both questions were asked this year, politely, by people with slides.',
      },
      { heading: 'Aims and risks' },
      {
        text: 'We aim for 600 sub~scribers by December 2026 and for waste below four per cent. The greatest risk is the price of flour. Our contract with Thornhill Mill holds it at £0.74 a kilo until October 2026; after that, each ten pence more would cost us £37,000 a year.',
      },
      {
        text: 'If you hold shares in Ridgeway, come to the annual meeting on 21 March at ten o’clock in the Millbrook shop. There will be figures, and there will be knots.',
      },
    ],
  },
];

const [width, height, margin] = [595.28, 841.89, 72];

async function makeReport() {
  const pdf = await PDFDocument.create({ updateMetadata: false });
  pdf.setTitle('Ridgeway Bakery: the year 2025 in review');
  pdf.setAuthor('Nora Ashdown');
  pdf.setProducer('Touchline fixtures');
  pdf.setCreationDate(fixed_date);
  pdf.setModificationDate(fixed_date);
  const serif = await pdf.embedFont(StandardFonts.TimesRoman);
  const italic = await pdf.embedFont(StandardFonts.TimesRomanItalic);
  const bold = await pdf.embedFont(StandardFonts.HelveticaBold);
  const plain = await pdf.embedFont(StandardFonts.Helvetica);
  for (const [index, { title, blocks }] of report.entries()) {
    const page = pdf.addPage([width, height]);
    page.drawText('Ridgeway Bakery · Year in review 2025', {
      x: margin,
      y: height - 40,
      font: plain,
      size: 8.5,
      color: grey,
    });
    page.drawText(`Page ${index + 1} of ${report.length}`, {
      x: width - margin - 48,
      y: 36,
      font: plain,
      size: 8.5,
      color: grey,
    });
    page.drawRectangle({ x: margin, y: height - 96, width: 36, height: 3, color: green });
    page.drawText(title, { x: margin, y: height - 128, font: bold, size: 23, color: green });
    let y = height - 168;
    const write = (text: string, font: PDFFont, size: number, indent = 0) => {
      for (const line of breakLines(text, font, size, width - 2 * margin - indent)) {
        page.drawText(line, { x: margin + indent, y, font, size, color: ink });
        y -= size * 1.45;
      }
    };
    for (const block of blocks) {
      if ('heading' in block) {
        y -= 8;
        page.drawText(block.heading, { x: margin, y, font: bold, size: 13.5, color: green });
        y -= 22;
      } else if ('text' in block) {
        write(block.text, serif, 11.5);
        y -= 9;
      } else if ('quote' in block) {
        const top = y + 12;
        write(`“${block.quote}”`, italic, 13, 18);
        page.drawText(block.by, { x: margin + 18, y, font: plain, size: 9, color: grey });
        page.drawRectangle({ x: margin, y: y - 3, width: 2.5, height: top - y + 3, color: green });
        y -= 28;
      } else if ('list' in block) {
        for (const item of block.list) {
          page.drawText('•', { x: margin + 4, y, font: serif, size: 11.5, color: green });
          write(item, serif, 11.5, 18);
          y -= 3;
        }
        y -= 8;
      } else if ('rows' in block) y = drawTable(page, block.rows, y, plain, bold);
      else y = drawBars(page, block.bars, y, plain);
    }
  }
  return pdf.save();
}

function breakLines(text: string, font: PDFFont, size: number, max_width: number) {
  const lines = [''];
  const fits = (line: string) => font.widthOfTextAtSize(line, size) <= max_width;
  for (const word of text.split(' ')) {
    const before = lines.at(-1) ? `${lines.at(-1)} ` : '';
    const whole = word.replaceAll('~', '');
    if (fits(before + whole)) {
      lines[lines.length - 1] = before + whole;
      continue;
    }
    const parts = word.split('~');
    let taken = parts.length - 1;
    while (taken > 0 && !fits(`${before}${parts.slice(0, taken).join('')}-`)) taken--;
    if (taken > 0) lines[lines.length - 1] = `${before}${parts.slice(0, taken).join('')}-`;
    lines.push(parts.slice(taken).join(''));
  }
  return lines;
}

function drawTable(page: PDFPage, rows: string[][], top: number, plain: PDFFont, bold: PDFFont) {
  let y = top - 4;
  for (const [index, cells] of rows.entries()) {
    for (const [column, cell] of cells.entries()) {
      page.drawText(cell, {
        x: margin + [0, 170, 280, 360][column]!,
        y,
        font: index ? plain : bold,
        size: 10,
        color: ink,
      });
    }
    page.drawLine({
      start: { x: margin, y: y - 6 },
      end: { x: width - margin, y: y - 6 },
      thickness: 0.5,
      color: grey,
    });
    y -= 20;
  }
  return y - 12;
}

function drawBars(page: PDFPage, bars: [string, number][], top: number, plain: PDFFont) {
  let y = top - 6;
  for (const [label, amount] of bars) {
    page.drawText(label, { x: margin, y, font: plain, size: 10, color: ink });
    page.drawRectangle({ x: margin + 84, y: y - 3, width: amount * 0.34, height: 13, color: green });
    page.drawText(`£${amount},000`, { x: margin + 92 + amount * 0.34, y, font: plain, size: 10, color: ink });
    y -= 24;
  }
  return y - 10;
}

async function makeBrandVoice() {
  const heading = (text: string) => new Paragraph({ text, heading: HeadingLevel.HEADING_2 });
  const item = (text: string, reference: 'bullets' | 'steps') =>
    new Paragraph({ text, numbering: { reference, level: 0 } });
  const row = (...cells: string[]) =>
    new TableRow({ children: cells.map((text) => new TableCell({ children: [new Paragraph(text)] })) });
  const level = (format: 'bullet' | 'decimal', text: string) => [
    {
      level: 0,
      format: LevelFormat[format === 'bullet' ? 'BULLET' : 'DECIMAL'],
      text,
      alignment: AlignmentType.LEFT,
    },
  ];
  const document = new Document({
    title: 'Brand voice of Ridgeway Bakery',
    creator: 'Priya Raman',
    numbering: {
      config: [
        { reference: 'bullets', levels: level('bullet', '•') },
        { reference: 'steps', levels: level('decimal', '%1.') },
      ],
    },
    sections: [
      {
        children: [
          new Paragraph({ text: 'How Ridgeway sounds', heading: HeadingLevel.HEADING_1 }),
          new Paragraph({
            children: [
              new TextRun('We write the way Nora talks over the counter: '),
              new TextRun({ text: 'plain, warm and a little dry', bold: true }),
              new TextRun('. Whoever reads us should feel that somebody has pulled up a chair for them.'),
            ],
          }),
          heading('What we always do'),
          item('Name the person who baked it, and the oven if it has a name.', 'bullets'),
          item('Give the figure instead of the adjective: 26 hours, not “long”.', 'bullets'),
          item('Admit what went wrong before anybody asks.', 'bullets'),
          heading('Words'),
          new Table({
            width: { size: 100, type: WidthType.PERCENTAGE },
            rows: [
              row('We say', 'We never say', 'Why'),
              row('loaf', 'product', 'Nobody was ever comforted by a product.'),
              row('neighbours', 'target group', 'They can hear us.'),
              row('costs £4.80', 'is priced from', 'A price is a promise.'),
            ],
          }),
          heading('Before you publish'),
          item('Read it aloud to someone who is busy.', 'steps'),
          item('Take out one sentence. There is always one.', 'steps'),
          item('Check that the first line would make sense on the door of the Millbrook shop.', 'steps'),
          new Paragraph(
            'Posts are signed with a first name. Replies come within one working day, from the same person.',
          ),
        ],
      },
    ],
  });
  const parts = await unpackZip(await Packer.toBuffer(document));
  return makeZip(
    [...parts].map(([name, data]) => {
      const text = data.toString('utf8').replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, fixed_date.toISOString());
      return { name, data: Buffer.from(text) };
    }),
  );
}

/** 90 kB that unpack to six parts of 90 MB each, every one of which a Word reader opens. */
function makeZipBomb() {
  const namespace = 'http://schemas.openxmlformats.org/wordprocessingml/2006/main';
  const text = `<w:t xml:space="preserve">Knead, fold, rest.${' '.repeat(90 << 20)}</w:t>`;
  const data = Buffer.from(
    `<w:document xmlns:w="${namespace}"><w:body><w:p><w:r>${text}</w:r></w:p></w:body></w:document>`,
  );
  const types = 'http://schemas.openxmlformats.org/package/2006/content-types';
  const override = `<Override PartName="/word/document.xml" ContentType="${fileTypes.docx.file_type}.main+xml"/>`;
  const names = ['document', 'styles', 'numbering', 'footnotes', 'endnotes', 'comments'];
  return makeZip([
    { name: '[Content_Types].xml', data: Buffer.from(`<Types xmlns="${types}">${override}</Types>`) },
    ...names.map((name) => ({ name: `word/${name}.xml`, data })),
  ]);
}

/** One line of text under a password: standard security handler, revision 2, RC4 with 40 bits. */
function makeEncrypted(password: string) {
  const md5 = (...parts: Buffer[]) => createHash('md5').update(Buffer.concat(parts)).digest();
  const padding = Buffer.from('28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a', 'hex');
  const pad = (word: string) => Buffer.concat([Buffer.from(word), padding]).subarray(0, 32);
  const id = md5(Buffer.from('encrypted.pdf'));
  const permissions = Buffer.alloc(4);
  permissions.writeInt32LE(-4);
  const owner = rc4(md5(pad('baker')).subarray(0, 5), pad(password));
  const key = md5(pad(password), owner, permissions, id).subarray(0, 5);
  const user = rc4(key, padding);
  const stream_key = md5(key, Buffer.from([4, 0, 0, 0, 0])).subarray(0, 10);
  const stream = rc4(
    stream_key,
    Buffer.from('BT /F1 14 Tf 72 720 Td (The starter sleeps in the cellar.) Tj ET'),
  );
  const page = '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R';
  const objects = [
    Buffer.from('<< /Type /Catalog /Pages 2 0 R >>'),
    Buffer.from('<< /Type /Pages /Kids [3 0 R] /Count 1 >>'),
    Buffer.from(`${page} /Resources << /Font << /F1 5 0 R >> >> >>`),
    Buffer.concat([
      Buffer.from(`<< /Length ${stream.length} >>\nstream\n`),
      stream,
      Buffer.from('\nendstream'),
    ]),
    Buffer.from('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>'),
    Buffer.from(
      `<< /Filter /Standard /V 1 /R 2 /P -4 /O <${owner.toString('hex')}> /U <${user.toString('hex')}> >>`,
    ),
  ];
  let pdf: Buffer = Buffer.from('%PDF-1.4\n');
  const offsets = objects.map((object, index) => {
    const offset = pdf.length;
    pdf = Buffer.concat([pdf, Buffer.from(`${index + 1} 0 obj\n`), object, Buffer.from('\nendobj\n')]);
    return `${String(offset).padStart(10, '0')} 00000 n \n`;
  });
  const hex_id = `<${id.toString('hex')}>`;
  const trailer = `trailer\n<< /Size 7 /Root 1 0 R /Encrypt 6 0 R /ID [${hex_id} ${hex_id}] >>\n`;
  const table = `xref\n0 7\n0000000000 65535 f \n${offsets.join('')}`;
  return Buffer.concat([pdf, Buffer.from(`${table}${trailer}startxref\n${pdf.length}\n%%EOF\n`)]);
}

/** By hand, because Node's OpenSSL no longer offers it. */
function rc4(key: Buffer, data: Buffer) {
  const state = Uint8Array.from({ length: 256 }, (_, index) => index);
  for (let i = 0, j = 0; i < 256; i++) {
    j = (j + state[i]! + key[i % key.length]!) & 255;
    [state[i], state[j]] = [state[j]!, state[i]!];
  }
  let i = 0;
  let j = 0;
  return Buffer.from(
    data.map((byte) => {
      i = (i + 1) & 255;
      j = (j + state[i]!) & 255;
      [state[i], state[j]] = [state[j]!, state[i]!];
      return byte ^ state[(state[i]! + state[j]!) & 255]!;
    }),
  );
}

/** A page that is only a picture: grey bars where a scanner would have seen words. */
async function makeScanned() {
  const pdf = await PDFDocument.create({ updateMetadata: false });
  const columns = 310;
  const pixels = Buffer.alloc(columns * 438, 0xf4);
  for (let line = 0; line < 24; line++) {
    for (let x = 36; x < 270 - ((line * 37) % 60); x++) {
      if ((x * 7 + line * 13) % 41 < 34)
        for (let y = 0; y < 6; y++) pixels[(50 + line * 14 + y) * columns + x] = 0x50;
    }
  }
  const image = pdf.context.flateStream(pixels, {
    Type: 'XObject',
    Subtype: 'Image',
    Width: columns,
    Height: 438,
    ColorSpace: 'DeviceGray',
    BitsPerComponent: 8,
  });
  const page = pdf.addPage([width, height]);
  const name = page.node.newXObject('Scan', pdf.context.register(image));
  const contents = pdf.context.flateStream(`q ${width} 0 0 ${height} 0 0 cm ${name} Do Q`);
  page.node.addContentStream(pdf.context.register(contents));
  return pdf.save();
}

const report_bytes = await makeReport();
const fixtures: Record<string, Uint8Array | string> = {
  'ridgeway-bakery-review.pdf': report_bytes,
  'brand-voice.docx': await makeBrandVoice(),
  'encrypted.pdf': makeEncrypted('rye'),
  'owner-password.pdf': makeEncrypted(''),
  'broken.pdf': report_bytes.subarray(0, report_bytes.length * 0.6),
  'scanned.pdf': await makeScanned(),
  'not-really.pdf':
    'Shopping list for Saturday: flour, salt, patience. This is a text that was named a PDF.\n',
  'empty.txt': '',
  'zip-bomb.docx': makeZipBomb(),
  ...tableFixtures,
};
for (const [name, content] of Object.entries(fixtures)) {
  writeFileSync(new URL(name, folder), content);
  console.log(`${name}: ${content.length.toLocaleString('en')} bytes`);
}
