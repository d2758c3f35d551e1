import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Disk } from 'flydrive';
import { FSDriver } from 'flydrive/drivers/fs';

/** Where the members' original bytes lie. Keys are ours: made of ids, never of a name that somebody typed. */
export type Storage = {
  /** Stores a local file's bytes under `key`, replacing what was there: whole, or not at all. */
  putFile: (key: string, path: string) => Promise<void>;
  /** The bytes as a stream. Throws when there are none. */
  getStream: (key: string) => Promise<Readable>;
  /** Deletes the bytes; deleting what is not there is fine. */
  delete: (key: string) => Promise<void>;
  /** Deletes everything below `folder`, and the folder itself. */
  deleteFolder: (folder: string) => Promise<void>;
};

/** Private storage on this machine's disk, below the data folder. */
export function createDiskStorage(data_folder: string): Storage {
  const location = join(data_folder, 'files');
  const disk = new Disk(new FSDriver({ location, visibility: 'private' }));
  return {
    async putFile(key, path) {
      // Not flydrive's: its streams leave a part behind, and hide what the disk said; its move copies again.
      const stored = join(location, key);
      const part = `${stored}.part`;
      try {
        await mkdir(dirname(stored), { recursive: true });
        await pipeline(createReadStream(path), createWriteStream(part, { mode: 0o600 }));
        await rename(part, stored);
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
    },
    getStream: (key) => disk.getStream(key),
    delete: (key) => disk.delete(key),
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
