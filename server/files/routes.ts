import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createRoute, z } from '@hono/zod-openapi';
import { erasures_job } from '../accounts/jobs.ts';
import { getOpenProfile } from '../accounts/routes.ts';
import type { SignedIn } from '../platform/auth.ts';
import type { Database } from '../platform/database.ts';
import { AppError, notFound } from '../platform/errors.ts';
import type { Jobs } from '../platform/jobs.ts';
import type { Logger } from '../platform/logger.ts';
import { createRouter, jsonResponse, problemResponse, signedIn, uuidParam } from '../platform/routes.ts';
import { isDiskFull, type Storage } from '../platform/storage.ts';
import { detectFileType } from './detect-file-type.ts';
import { extractText } from './extract-text.ts';
import type { FileType } from './file-types.ts';
import { limitUploads } from './limit-uploads.ts';
import { deletePendingFile, findStoredFile, findUploader, insertFile, noteStoring } from './queries.ts';
import { readImage } from './read-image.ts';
import { refuseWhenBusy } from './reading-places.ts';
import { brokenOff, deleteLeftUploads, type ReceivedUpload, receiveUpload } from './receive-upload.ts';
import { safeFileName } from './safe-file-name.ts';

/** A file as the browser sees it. */
export const fileSchema = z
  .object({
    id: z.uuid(),
    file_name: z.string(),
    file_size: z.int().openapi({ description: 'Bytes.' }),
    file_type: z.string(),
    created_at: z.string(),
  })
  .openapi('File');

const uploadedFile = fileSchema
  .extend({
    kind: z.enum(['document', 'image']),
    pages: z.int().nullable().openapi({ description: 'Null where the type has no pages.' }),
    words: z.int(),
    width: z.int().nullable().openapi({ description: 'Pixels of an image, as it is shown.' }),
    height: z.int().nullable(),
  })
  .openapi('UploadedFile');

const postFile = createRoute({
  method: 'post',
  path: '/api/files',
  summary: 'Upload a file that a message will bring along',
  security: signedIn,
  request: {
    body: {
      required: true,
      content: {
        'multipart/form-data': {
          schema: z.object({ file: z.any().openapi({ type: 'string', format: 'binary' }) }),
        },
      },
    },
  },
  responses: { 201: jsonResponse(uploadedFile, 'The file, read and ready'), default: problemResponse },
});

const deleteFile = createRoute({
  method: 'delete',
  path: '/api/files/{id}',
  summary: 'Take back a file that was not sent yet',
  security: signedIn,
  request: { params: uuidParam },
  responses: { 204: { description: 'It is gone' }, default: problemResponse },
});

const getContent = createRoute({
  method: 'get',
  path: '/api/files/{id}/content',
  summary: 'The original bytes of a file',
  security: signedIn,
  request: { params: uuidParam },
  responses: {
    200: { description: 'The bytes', content: { 'application/octet-stream': { schema: z.any() } } },
    default: problemResponse,
  },
});

type FileServices = {
  database: Database;
  storage: Storage;
  jobs: Jobs;
  logger: Logger;
  config: { data_folder: string; max_file_bytes: number };
};

const sweep_every_ms = 60 * 60_000;

/** The routes of a member's files. */
export function fileRoutes({ database, storage, jobs, logger, config }: FileServices) {
  const routes = createRouter();
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

  // Registered for the document alone and served below: the form is streamed, not parsed into memory.
  routes.openAPIRegistry.registerPath(postFile);
  routes.post('/api/files', (c) =>
    limited(c.var.signed_in.auth_id, async () => {
      const { signal } = c.req.raw;
      sweep();
      try {
        const { id: user_id } = await getUploader(database, c.var.signed_in);
        refuseWhenBusy();
        const upload = await receiveUpload(c.env.incoming, uploads_folder, config.max_file_bytes);
        try {
          return c.json(await takeIn(upload, user_id, signal), 201);
        } finally {
          await upload.discard();
        }
      } catch (error) {
        if (signal.aborted) throw brokenOff(error);
        throw isDiskFull(error) ? diskFull(error) : error;
      }
    }),
  );

  /** Reads, stores and counts a received file; nothing of it once the sender has left. */
  async function takeIn(upload: ReceivedUpload, user_id: string, signal: AbortSignal) {
    const file_name = safeFileName(upload.file_name);
    const type = await detectFileType(upload.path, file_name);
    const { passages_json, ...read } = await readUpload(upload.path, type, signal);
    const original_id = randomUUID();
    const storage_key = `${user_id}/${original_id}`;
    await noteStoring(database, storage_key);
    try {
      await storage.putFile(storage_key, upload.path);
      signal.throwIfAborted();
      const file = await insertFile(database, user_id, {
        file_id: randomUUID(),
        original_id,
        file_name,
        file_type: type.file_type,
        kind: type.kind,
        size_bytes: upload.size_bytes,
        storage_key,
        passages_json,
        ...read,
      });
      if (!file) throw noFileLeft();
      const { page_count: pages, word_count: words, width, height } = read;
      return { ...file, kind: type.kind, pages, words, width, height };
    } catch (error) {
      // Where this fails, a job erases it.
      await storage.delete(storage_key).catch(() => {});
      throw error;
    }
  }

  routes.openapi(deleteFile, async (c) => {
    const profile = await getOpenProfile(database, c.var.signed_in);
    if (!(await deletePendingFile(database, profile.id, c.req.valid('param').id))) throw notFound('file');
    jobs.wake(erasures_job);
    return c.body(null, 204);
  });

  routes.openapi(getContent, async (c) => {
    const file = await findStoredFile(database, c.var.signed_in.auth_id, c.req.valid('param').id);
    if (!file) throw notFound('file');
    const headers = {
      'content-type': file.file_type,
      'content-length': String(file.size_bytes),
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(file.file_name)}`,
    };
    // Hono would drop the body of an answer to HEAD without reading it, and leave the file open.
    if (c.req.method === 'HEAD') return c.body(null, 200, headers);
    const bytes = await storage.getStream(file.storage_key);
    return c.body(Readable.toWeb(bytes) as ReadableStream, 200, headers);
  });

  return routes;
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

/** The profile that uploads. Throws where it may not, before anything is received. */
async function getUploader(database: Database, person: SignedIn) {
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
  return uploader;
}

function noFileLeft() {
  return new AppError(
    'quota_exhausted',
    'You have used all the files of your plan for this month. Nothing was saved or counted.',
    { details: { counter: 'files' } },
  );
}

function diskFull(cause: unknown) {
  return new AppError(
    'unavailable',
    'There is no room left for files on this site. Nothing was saved or counted; tell whoever runs it, who has to make room.',
    { cause },
  );
}
