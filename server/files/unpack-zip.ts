import { kMaxLength } from 'node:buffer';
import { inflateRawSync } from 'node:zlib';

/** Reads `length` bytes from `offset` on; fewer at the end of the file. */
export type ReadBytes = (offset: number, length: number) => Uint8Array | Promise<Uint8Array>;

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
export async function readZipDirectory(size_bytes: number, read: ReadBytes): Promise<ZipEntry[] | undefined> {
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
