import { kMaxLength } from 'node:buffer';
import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { AppError } from '../platform/errors.ts';

/** The documents that Touchline reads. Markdown and plain text differ only in the file's name. */
export const documentTypes = {
  pdf: { file_type: 'application/pdf', extension: '.pdf' },
  docx: {
    file_type: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    extension: '.docx',
  },
  markdown: { file_type: 'text/markdown', extension: '.md' },
  text: { file_type: 'text/plain', extension: '.txt' },
} as const;

export type DetectedFileType = (typeof documentTypes)[keyof typeof documentTypes];

/** Reads `length` bytes from `offset` on; fewer at the end of the file. */
type ReadBytes = (offset: number, length: number) => Uint8Array | Promise<Uint8Array>;

const claims: Record<string, { kind: 'pdf' | 'docx' | 'text'; noun: string }> = {
  '.pdf': { kind: 'pdf', noun: 'a PDF' },
  '.docx': { kind: 'docx', noun: 'a Word document' },
  '.md': { kind: 'text', noun: 'text' },
  '.markdown': { kind: 'text', noun: 'text' },
  '.txt': { kind: 'text', noun: 'text' },
};
const nouns = { pdf: 'a PDF', docx: 'a Word document', text: 'plain text' };
const whatIsRead = 'Touchline reads PDF, Word (.docx), Markdown and plain text.';

/**
 * What a file is, judged by its bytes; its name only tells Markdown from plain text, and must not
 * claim something else. Of a file on disk only the needed parts are read (all of it, in pieces, for text).
 * Throws `empty_file`, `unsupported_file_type`, and `unreadable_file` for a Word document under a password.
 */
export async function detectFileType(
  path_or_bytes: string | Uint8Array,
  file_name: string,
): Promise<DetectedFileType> {
  if (typeof path_or_bytes !== 'string') {
    const bytes = path_or_bytes;
    return detect(bytes.byteLength, (offset, length) => bytes.subarray(offset, offset + length), file_name);
  }
  const file = await open(path_or_bytes);
  try {
    const { size } = await file.stat();
    return await detect(
      size,
      async (offset, length) => {
        const buffer = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
        return buffer.subarray(0, bytesRead);
      },
      file_name,
    );
  } finally {
    await file.close();
  }
}

async function detect(size_bytes: number, read: ReadBytes, file_name: string): Promise<DetectedFileType> {
  if (size_bytes === 0) {
    throw new AppError(
      'empty_file',
      'This file is empty. Nothing was saved; add the file that has the words.',
    );
  }
  const extension = extname(file_name).toLowerCase();
  const claim = claims[extension];
  const start = await read(0, 4100);
  const kind = await findKind(size_bytes, start, read, extension);
  if (kind) {
    if (claim && claim.kind !== kind) {
      const remedy = `Rename it to end in ${documentTypes[kind].extension}, or add the file you meant.`;
      throw unsupported(`This file is named ${extension}, but it is ${nouns[kind]}. ${remedy}`);
    }
    if (kind !== 'text') return documentTypes[kind];
    return /^\.(md|markdown)$/.test(extension) ? documentTypes.markdown : documentTypes.text;
  }
  if (startsWith(start, [0xd0, 0xcf, 0x11, 0xe0])) {
    // The container of Office before 2007, and of every Office file that has a password.
    if (extension === '.docx') {
      throw new AppError(
        'unreadable_file',
        'This Word document has a password, so it cannot be read. Nothing was saved. Save a copy without the password and add that.',
      );
    }
    throw unsupported(
      `This is a file of an older Office. ${whatIsRead} Open it in Word, save it as .docx and add that.`,
    );
  }
  const found = await nameFormat(start);
  const remedy = `${whatIsRead} Save it as one of these and add it again.`;
  if (claim) {
    const instead = found ? `its content is ${found}` : `its content is not ${claim.noun}`;
    throw unsupported(`This file is named ${extension}, but ${instead}. ${remedy}`);
  }
  throw unsupported(`${found ? `This is a file of type ${found}.` : 'This file is not text.'} ${remedy}`);
}

async function findKind(size_bytes: number, start: Uint8Array, read: ReadBytes, extension: string) {
  const latin = Buffer.from(start.buffer, start.byteOffset, Math.min(start.byteLength, 1024)).toString(
    'latin1',
  );
  // Readers accept a PDF that begins within the first 1,024 bytes; a text may merely speak of one.
  if (latin.startsWith('%PDF-') || (extension === '.pdf' && /(^|[\r\n\0])%PDF-\d/.test(latin))) return 'pdf';
  if (latin.startsWith('PK')) {
    const names = new Set((await readZipDirectory(size_bytes, read))?.map((entry) => entry.name));
    if (names.has('word/document.xml') && names.has('[Content_Types].xml')) {
      if (!names.has('word/vbaProject.bin')) return 'docx';
      throw unsupported('This Word document holds macros. Save it as .docx, without macros, and add that.');
    }
    if (latin.startsWith('PK\x03\x04')) return undefined;
  }
  if (latin.startsWith('{\\rtf')) return undefined;
  return (await readsAsText(size_bytes, read)) ? 'text' : undefined;
}

function unsupported(message: string) {
  return new AppError('unsupported_file_type', `${message} Nothing was saved.`);
}

function startsWith(bytes: Uint8Array, signature: number[]) {
  return signature.every((byte, index) => bytes[index] === byte);
}

/** Only the first bytes are shown to the library: it unpacks parts of archives, and this is the main thread. */
async function nameFormat(start: Uint8Array) {
  const { fileTypeFromBuffer } = await import('file-type');
  const found = await fileTypeFromBuffer(start).catch(() => undefined);
  return found?.ext.toUpperCase();
}

/** Control characters that text has no use for: all but \b \t \n \v \f \r, the DOS end of file and escape. */
function isBinary(unit: number) {
  return unit < 32 && !(unit >= 8 && unit <= 13) && unit !== 26 && unit !== 27;
}

/** Little enough that the main thread does something else after less than a millisecond. */
const piece_bytes = 64 << 10;

async function readsAsText(size_bytes: number, read: ReadBytes): Promise<boolean> {
  let tally = { broken: 0, whole: 0 };
  let is_windows_1252 = true;
  let encoding: 'utf-8' | 'utf-16le' | 'utf-16be' = 'utf-8';
  let decoder = new TextDecoder();
  for (let offset = 0; offset < size_bytes; offset += piece_bytes) {
    const bytes = await read(offset, piece_bytes);
    if (offset === 0) {
      encoding = encodingByMark(bytes);
      decoder = new TextDecoder(encoding);
    }
    if (encoding === 'utf-8') {
      for (const byte of bytes) {
        if (isBinary(byte)) return false;
        if (byte === 0x81 || byte === 0x8d || byte === 0x8f || byte === 0x90 || byte === 0x9d) {
          is_windows_1252 = false;
        }
      }
      const next = countNonAscii(decoder.decode(bytes, { stream: true }));
      tally = { broken: tally.broken + next.broken, whole: tally.whole + next.whole };
    } else {
      const text = decoder.decode(bytes, { stream: true });
      for (let i = 0; i < text.length; i++) if (isBinary(text.charCodeAt(i))) return false;
    }
  }
  return encoding !== 'utf-8' || is_windows_1252 || isMostlyUtf8(tally);
}

function encodingByMark(bytes: Uint8Array) {
  if (startsWith(bytes, [0xff, 0xfe])) return 'utf-16le';
  if (startsWith(bytes, [0xfe, 0xff])) return 'utf-16be';
  return 'utf-8';
}

function countNonAscii(text: string) {
  const broken = text.match(/\ufffd/g)?.length ?? 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII
  return { broken, whole: (text.match(/[^\x00-\x7f]/g)?.length ?? 0) - broken };
}

/** One damaged byte must not turn a whole UTF-8 text into another encoding. */
function isMostlyUtf8({ broken, whole }: { broken: number; whole: number }) {
  return broken * 10 <= whole;
}

/** The text of bytes that `detectFileType` found to be text: UTF-16 by its mark, UTF-8, else windows-1252. */
export function decodeText(bytes: Uint8Array): string {
  const encoding = encodingByMark(bytes);
  const text = new TextDecoder(encoding).decode(bytes);
  if (encoding !== 'utf-8' || !text.includes('\ufffd') || isMostlyUtf8(countNonAscii(text))) return text;
  return new TextDecoder('windows-1252').decode(bytes);
}

type ZipEntry = {
  name: string;
  is_encrypted: boolean;
  /** 0 stored, 8 deflated. */
  method: number;
  packed_bytes: number;
  header_offset: number;
};

/**
 * The files that a zip archive lists in its central directory (APPNOTE.TXT 6.3.10, 4.3.12); undefined when
 * it has none, or needs the 64-bit format. Unpacks nothing. Sizes are what the archive claims.
 */
async function readZipDirectory(size_bytes: number, read: ReadBytes): Promise<ZipEntry[] | undefined> {
  const tail_offset = Math.max(0, size_bytes - 22 - 0xffff);
  const tail = Buffer.from(await read(tail_offset, size_bytes - tail_offset));
  const end = tail.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (end < 0 || end + 22 > tail.length) return undefined;
  const directory_bytes = tail.readUInt32LE(end + 12);
  if (directory_bytes > 4 << 20) return undefined;
  const directory = Buffer.from(await read(tail.readUInt32LE(end + 16), directory_bytes));
  const entries: ZipEntry[] = [];
  let at = 0;
  while (at + 46 <= directory.length && directory.readUInt32LE(at) === 0x02014b50) {
    const name_bytes = directory.readUInt16LE(at + 28);
    entries.push({
      name: directory.toString('utf8', at + 46, at + 46 + name_bytes),
      is_encrypted: (directory.readUInt16LE(at + 8) & 1) === 1,
      method: directory.readUInt16LE(at + 10),
      packed_bytes: directory.readUInt32LE(at + 20),
      header_offset: directory.readUInt32LE(at + 42),
    });
    at += 46 + name_bytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

/** `reason`: why an archive could not be unpacked. */
export class ZipError extends Error {
  readonly reason: 'password' | 'broken' | 'too_big';
  constructor(reason: 'password' | 'broken' | 'too_big') {
    super(`The archive could not be unpacked: ${reason}`);
    this.name = 'ZipError';
    this.reason = reason;
  }
}

/**
 * The wanted files of an archive by name. Blocks while it unpacks; stops at `max_bytes` in all, whatever
 * sizes the archive claims. Throws `ZipError`.
 */
export async function unpackZip(
  bytes: Buffer,
  { wanted = /[^/]$/, max_bytes = Number.POSITIVE_INFINITY }: { wanted?: RegExp; max_bytes?: number } = {},
): Promise<Map<string, Buffer>> {
  const read = (offset: number, length: number) => bytes.subarray(offset, offset + length);
  const files = new Map<string, Buffer>();
  let left_bytes = Math.min(max_bytes, kMaxLength);
  for (const entry of (await readZipDirectory(bytes.length, read)) ?? []) {
    if (!wanted.test(entry.name)) continue;
    if (entry.is_encrypted) throw new ZipError('password');
    const header = entry.header_offset;
    if (header + 30 > bytes.length) throw new ZipError('broken');
    const start = header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28);
    const packed = bytes.subarray(start, start + entry.packed_bytes);
    const file = entry.method === 0 ? packed : inflate(packed, left_bytes);
    left_bytes -= file.length;
    files.set(entry.name, file);
  }
  return files;
}

function inflate(packed: Buffer, max_bytes: number) {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, max_bytes) });
  } catch (error) {
    throw new ZipError(
      (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too_big' : 'broken',
    );
  }
}
