import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Disk } from 'flydrive';
import { FSDriver } from 'flydrive/drivers/fs';

/** Where the members' original bytes lie. Keys are ours: made of ids, never of a name that somebody typed. */
export type Storage = {
  /** Stores a local file's bytes under `key`, replacing what was there. */
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
  const disk = new Disk(new FSDriver({ location: join(data_folder, 'files'), visibility: 'private' }));
  return {
    putFile: (key, path) => disk.putStream(key, createReadStream(path)),
    getStream: (key) => disk.getStream(key),
    delete: (key) => disk.delete(key),
    deleteFolder: (folder) => disk.deleteAll(folder),
  };
}
