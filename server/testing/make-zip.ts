import { crc32, deflateRawSync } from 'node:zlib';

/** A zip archive without dates. Parts with the very same data share one packed copy, as bombs do. */
export function makeZip(parts: { name: string; data: Buffer }[], level = 9) {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  const written = new Map<Buffer, { offset: number; packed: Buffer }>();
  let offset = 0;
  for (const { name, data } of parts) {
    const known = written.get(data);
    const packed = known?.packed ?? deflateRawSync(data, { level });
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(name.length, 22);
    const entry = Buffer.alloc(14);
    entry.writeUInt32LE(known?.offset ?? offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\0'), common, entry, Buffer.from(name));
    if (known) continue;
    written.set(data, { offset, packed });
    files.push(Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed);
    offset += 30 + name.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, ...directory, end]);
}
