import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import { AppError } from '../platform/errors.ts';
import { type FileType, type FileTypeName, fileTypes, typeOfExtension } from './file-types.ts';
import { type ReadBytes, readZipDirectory } from './unpack-zip.ts';

/** What the bytes alone tell; the name tells one text from another. */
type Kind = 'pdf' | 'docx' | 'xlsx' | 'png' | 'jpeg' | 'webp' | 'gif' | 'text';

const nouns: Record<Kind, string> = {
  pdf: 'a PDF',
  docx: 'a Word document',
  xlsx: 'an Excel workbook',
  png: 'a PNG picture',
  jpeg: 'a JPEG picture',
  webp: 'a WebP picture',
  gif: 'a GIF picture',
  text: 'plain text',
};
const whatIsRead =
  'Touchline reads PDF, Word (.docx), Excel (.xlsx), CSV, Markdown, HTML, JSON, plain text and pictures (PNG, JPEG, WebP, GIF).';

/**
 * What a file is, judged by its bytes; its name only tells one kind of text from another, and must not
 * claim something else. That a picture is whole, or a JSON right, its reader finds. Of a file on disk only the needed parts are read (all of it, in pieces, for text).
 * Throws `empty_file`, `unsupported_file_type`, and `unreadable_file` for an Office file under a password.
 */
export async function detectFileType(
  path_or_bytes: string | Uint8Array,
  file_name: string,
): Promise<FileType> {
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

async function detect(size_bytes: number, read: ReadBytes, file_name: string): Promise<FileType> {
  if (size_bytes === 0) {
    throw new AppError(
      'empty_file',
      'This file is empty. Nothing was saved; add the file that has the words.',
    );
  }
  const extension = extname(file_name).toLowerCase();
  const claimed = typeOfExtension.get(extension);
  const start = await read(0, 4100);
  const kind = await findKind(size_bytes, start, read, extension);
  if (kind) {
    if (claimed && !mayBeNamed(claimed, kind)) {
      const usual = fileTypes[kind].extensions[0];
      const remedy = `Rename it to end in ${usual}, or add the file you meant.`;
      throw unsupported(`This file is named ${extension}, but it is ${nouns[kind]}. ${remedy}`);
    }
    return kind === 'text' ? fileTypes[whichText(claimed, extension, start)] : fileTypes[kind];
  }
  if (startsWith(start, [0xd0, 0xcf, 0x11, 0xe0])) {
    // The container of Office before 2007, and of every Office file that has a password.
    if (claimed === 'docx' || claimed === 'xlsx') {
      throw new AppError(
        'unreadable_file',
        `This ${claimed === 'docx' ? 'Word document' : 'Excel workbook'} has a password, so it cannot be read. Nothing was saved. Save a copy without the password and add that.`,
      );
    }
    throw unsupported(
      `This is a file of an older Office. ${whatIsRead} Open it in Word or Excel, save it as .docx or .xlsx and add that.`,
    );
  }
  const found = await nameFormat(start);
  const remedy = `${whatIsRead} Save it as one of these and add it again.`;
  if (claimed) {
    const instead = found
      ? `its content is ${found}`
      : `its content is not ${isText(claimed) ? 'text' : nouns[claimed]}`;
    throw unsupported(`This file is named ${extension}, but ${instead}. ${remedy}`);
  }
  throw unsupported(`${found ? `This is a file of type ${found}.` : 'This file is not text.'} ${remedy}`);
}

/** A picture under the ending of another kind of picture is a slip that hurts nobody; browsers make it. */
function mayBeNamed(claimed: FileTypeName, kind: Kind) {
  if (fileTypes[claimed].kind === 'image') return fileTypes[kind].kind === 'image';
  return isText(claimed) ? kind === 'text' : claimed === kind;
}

function isText(name: FileTypeName): name is Exclude<FileTypeName, Exclude<Kind, 'text'>> {
  return ['csv', 'markdown', 'text', 'html', 'json'].includes(name);
}

/** Which text the name claims; that it is HTML must be seen, and is seen where no known name says anything. */
function whichText(claimed: FileTypeName | undefined, extension: string, start: Uint8Array): FileTypeName {
  // Of UTF-16 every other byte.
  const latin = Buffer.from(start).toString('latin1').replaceAll('\0', '');
  if (claimed === 'html' && !html_tag.test(latin)) {
    throw unsupported(
      `This file is named ${extension}, but it holds no HTML. Rename it to end in .txt, or add the file you meant.`,
    );
  }
  return claimed ?? (html_start.test(latin) ? 'html' : 'text');
}

const html_tag =
  /<(!doctype html|!--|html|head|body|title|meta|link|main|article|section|header|nav|div|p|h[1-6]|ul|ol|li|dl|table|tr|td|pre|blockquote|span|a|b|i|em|strong|br|hr|img|style|script)\b/i;
const html_start = /^(\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*<(!doctype html|html)\b/i;

async function findKind(
  size_bytes: number,
  start: Uint8Array,
  read: ReadBytes,
  extension: string,
): Promise<Kind | undefined> {
  const latin = Buffer.from(start.buffer, start.byteOffset, Math.min(start.byteLength, 1024)).toString(
    'latin1',
  );
  // Readers accept a PDF that begins within the first 1,024 bytes; a text may merely speak of one.
  if (latin.startsWith('%PDF-') || (extension === '.pdf' && /(^|[\r\n\0])%PDF-\d/.test(latin))) return 'pdf';
  if (latin.startsWith('PK')) {
    const names = new Set((await readZipDirectory(size_bytes, read))?.map((entry) => entry.name));
    if (names.has('[Content_Types].xml')) {
      if (names.has('word/document.xml')) {
        if (!names.has('word/vbaProject.bin')) return 'docx';
        throw unsupported('This Word document holds macros. Save it as .docx, without macros, and add that.');
      }
      if (names.has('xl/workbook.xml')) {
        if (!names.has('xl/vbaProject.bin')) return 'xlsx';
        throw unsupported(
          'This Excel workbook holds macros. Save it as .xlsx, without macros, and add that.',
        );
      }
    }
    if (latin.startsWith('PK\x03\x04')) return undefined;
  }
  const picture = findPicture(latin);
  // "GIF89a was a format": these four formats hold bytes that no text has.
  if (picture && !(await readsAsText(size_bytes, read))) return picture;
  if (latin.startsWith('{\\rtf')) return undefined;
  return (await readsAsText(size_bytes, read)) ? 'text' : undefined;
}

function findPicture(latin: string): Kind | undefined {
  if (latin.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (latin.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (/^GIF8[79]a/.test(latin)) return 'gif';
  return /^RIFF[\s\S]{4}WEBP/.test(latin) ? 'webp' : undefined;
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
