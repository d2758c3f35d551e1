import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Disk } from 'flydrive';
import { FSDriver } from 'flydrive/drivers/fs';

/** Where the members' original bytes lie. Keys are ours: made of ids, never of a name that somebody typed. */
export type Storage = {
  /** Stores a local file's bytes under `key`, replacing what was there: whole, or not at all. */
  putFile: (key: string, path: string) => Promise<void>;
  /** The same with a stream of any length, of which little is held at a time. Returns its length in bytes. */
  putStream: (key: string, bytes: Readable) => Promise<number>;
  /** The bytes as a stream. Throws when there are none. */
  getStream: (key: string) => Promise<Readable>;
  /** The bytes as a stream; undefined when there are none. */
  findStream: (key: string) => Promise<Readable | undefined>;
  /** Deletes the bytes, half written ones too; deleting what is not there is fine. */
  delete: (key: string) => Promise<void>;
  /** Deletes everything below `folder`, and the folder itself. */
  deleteFolder: (folder: string) => Promise<void>;
};

/** Private storage on this machine's disk, below the data folder. */
export function createDiskStorage(data_folder: string): Storage {
  const location = join(data_folder, 'files');
  const disk = new Disk(new FSDriver({ location, visibility: 'private' }));
  const partOf = (key: string) => `${join(location, key)}.part`;

  /** Not flydrive's: its streams leave a part behind, and hide what the disk said; its move copies again. */
  async function put(key: string, bytes: Readable) {
    const stored = join(location, key);
    const part = partOf(key);
    try {
      await mkdir(dirname(stored), { recursive: true });
      await pipeline(bytes, createWriteStream(part, { mode: 0o600 }));
      const { size } = await stat(part);
      await rename(part, stored);
      return size;
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }

  return {
    async putFile(key, path) {
      await put(key, createReadStream(path));
    },
    putStream: put,
    getStream: (key) => disk.getStream(key),
    async findStream(key) {
      try {
        return (await open(join(location, key))).createReadStream();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async delete(key) {
      await disk.delete(key);
      // A process that died left it; one that still writes finds it gone and fails.
      await rm(partOf(key), { force: true });
    },
    deleteFolder: (folder) => disk.deleteAll(folder),
  };
}

/** No space left, over a disk quota, and PostgreSQL's `disk_full`. */
const full_codes = new Set(['ENOSPC', 'EDQUOT', '53100']);

/** Whether an error, or one that it was made of, says that a disk is full. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return full_codes.has((error as NodeJS.ErrnoException).code ?? '') || isDiskFull(error.cause);
}
