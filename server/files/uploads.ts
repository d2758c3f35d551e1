import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Context } from 'hono';
import { getOpenProfile } from '../accounts/routes.ts';
import type { SignedIn } from '../platform/auth.ts';
import type { Database } from '../platform/database.ts';
import { AppError } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { AppEnvironment } from '../platform/routes.ts';
import { isDiskFull, type Storage } from '../platform/storage.ts';
import { detectFileType } from './detect-file-type.ts';
import { extractText } from './extract-text.ts';
import type { FileType } from './file-types.ts';
import { limitUploads } from './limit-uploads.ts';
import { type FilePlace, findUploader, insertFile, noteStoring } from './queries.ts';
import { readImage } from './read-image.ts';
import { refuseWhenBusy } from './reading-places.ts';
import {
  brokenOff,
  deleteLeftUploads,
  max_form_bytes,
  type ReceivedUpload,
  receiveUpload,
} from './receive-upload.ts';
import { safeFileName } from './safe-file-name.ts';

type UploadServices = {
  database: Database;
  storage: Storage;
  logger: Logger;
  config: { data_folder: string; max_file_bytes: number };
};

/** Takes in the uploads of one process, whichever route they come through. */
export type Uploads = ReturnType<typeof createUploads>;

const sweep_every_ms = 60 * 60_000;

export function createUploads({ database, storage, logger, config }: UploadServices) {
  const uploads_folder = join(config.data_folder, 'uploads');
  const limited = limitUploads();

  /** At start and then with uploads, not as a job: a job runs in one process, and each may have a disk of its own. */
  const sweep = () => {
    if (Date.now() - swept_at_ms < sweep_every_ms) return;
    swept_at_ms = Date.now();
    deleteLeftUploads(uploads_folder).catch((error) => {
      logger.warn({ error }, 'uploads that an earlier process left could not be deleted');
    });
  };
  let swept_at_ms = 0;
  sweep();

  /** Reads, stores and counts a received file; nothing of it once the sender has left. */
  async function takeIn(upload: ReceivedUpload, user_id: string, place: FilePlace, signal: AbortSignal) {
    const file_name = safeFileName(upload.file_name);
    const type = await detectFileType(upload.path, file_name);
    const { passages_json, ...read } = await readUpload(upload.path, type, signal);
    const original_id = randomUUID();
    const storage_key = `${user_id}/${original_id}`;
    await noteStoring(database, storage_key);
    try {
      await storage.putFile(storage_key, upload.path);
      signal.throwIfAborted();
      const { size_bytes } = upload;
      const { file_type, kind } = type;
      const file_id = randomUUID();
      const added = await insertFile(database, user_id, place, {
        ...{ file_id, original_id, file_name, file_type, kind, size_bytes, storage_key, passages_json },
        ...read,
      });
      if (added.outcome !== 'added') throw added.outcome === 'files' ? noFileLeft() : noRoomLeft();
      const { page_count: pages, word_count: words, width, height } = read;
      const file = {
        ...{ id: file_id, file_name, file_size: size_bytes, file_type, created_at: added.created_at },
        ...{ kind, pages, words, width, height },
      };
      return { user_id, original_id, file };
    } catch (error) {
      // Where this fails, a job erases it.
      await storage.delete(storage_key).catch(() => {});
      throw error;
    }
  }

  return {
    /**
     * Streams the one `file` of a multipart form into the storage, reads it and counts it. Throws why it may not be, and
     * then nothing is saved or counted.
     */
    receive(c: Context<AppEnvironment>, place: FilePlace) {
      return limited(c.var.signed_in.auth_id, async () => {
        const { signal } = c.req.raw;
        sweep();
        try {
          const announced_bytes = Number(c.req.header('content-length') ?? 0) - max_form_bytes;
          const { id } = await getUploader(database, c.var.signed_in, announced_bytes);
          refuseWhenBusy();
          const upload = await receiveUpload(c.env.incoming, uploads_folder, config.max_file_bytes);
          try {
            return await takeIn(upload, id, place, signal);
          } finally {
            await upload.discard();
          }
        } catch (error) {
          if (signal.aborted) throw brokenOff(error);
          throw isDiskFull(error) ? diskFull(error) : error;
        }
      });
    },
  };
}

/** What the database is told of a file's content. */
async function readUpload(path: string, { kind, file_type }: FileType, signal: AbortSignal) {
  if (kind === 'image') {
    const { width, height } = await readImage(path, file_type, signal);
    return { page_count: null, word_count: 0, language: 'simple', width, height, passages_json: no_passages };
  }
  const { words: word_count, ...read } = await extractText(path, file_type, { signal });
  return { ...read, word_count, width: null, height: null };
}

const no_passages = new TextEncoder().encode('[]');

/** The profile that uploads at least so many bytes. Throws where it may not, before anything is received. */
async function getUploader(database: Database, person: SignedIn, announced_bytes: number) {
  let uploader = await findUploader(database, person.auth_id);
  if (!uploader) {
    // Closed, gone, or the sign-up could not make it: this says which, or makes it.
    await getOpenProfile(database, person);
    uploader = await findUploader(database, person.auth_id);
  }
  if (!uploader?.is_active) {
    throw new AppError(
      'account_inactive',
      'New files are paused for this account. Nothing was saved or counted. Ask whoever runs this site.',
    );
  }
  if (uploader.files_left === 0) throw noFileLeft();
  const { used_bytes, limit_bytes } = uploader.storage;
  if (limit_bytes !== null && used_bytes + Math.max(announced_bytes, 1) > limit_bytes) throw noRoomLeft();
  return uploader;
}

function noFileLeft() {
  return new AppError(
    'quota_exhausted',
    'You have used all the files of your plan for this month. Nothing was saved or counted.',
    { details: { counter: 'files' } },
  );
}

function noRoomLeft() {
  return new AppError(
    'quota_exhausted',
    'Your plan has no room left for this file. Nothing was saved or counted; delete files in your library that you need no more.',
    { details: { counter: 'storage' } },
  );
}

function diskFull(cause: unknown) {
  return new AppError(
    'unavailable',
    'There is no room left for files on this site. Nothing was saved or counted; tell whoever runs it, who has to make room.',
    { cause },
  );
}
