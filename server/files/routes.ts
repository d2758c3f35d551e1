import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createRoute, z } from '@hono/zod-openapi';
import { erasures_job } from '../accounts/jobs.ts';
import { getOpenProfile } from '../accounts/routes.ts';
import type { Database } from '../platform/database.ts';
import { AppError, notFound } from '../platform/errors.ts';
import type { Jobs } from '../platform/jobs.ts';
import { createRouter, jsonResponse, problemResponse, signedIn, uuidParam } from '../platform/routes.ts';
import type { Storage } from '../platform/storage.ts';
import { detectFileType } from './detect-file-type.ts';
import { extractText } from './extract-text.ts';
import { deletePendingFile, findStoredFile, insertFile } from './queries.ts';
import { receiveUpload } from './receive-upload.ts';
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
    pages: z.int().nullable().openapi({ description: 'Null where the type has no pages.' }),
    words: z.int(),
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
  config: { data_folder: string; max_file_bytes: number };
};

/** The routes of a member's files. */
export function fileRoutes({ database, storage, jobs, config }: FileServices) {
  const routes = createRouter();

  // Registered for the document alone and served below: the form is streamed, not parsed into memory.
  routes.openAPIRegistry.registerPath(postFile);
  routes.post('/api/files', async (c) => {
    const profile = await getOpenProfile(database, c.var.signed_in);
    const upload = await receiveUpload(
      c.env.incoming,
      join(config.data_folder, 'uploads'),
      config.max_file_bytes,
    );
    try {
      const file_name = safeFileName(upload.file_name);
      const { file_type } = await detectFileType(upload.path, file_name);
      const text = await extractText(upload.path, file_type);
      const original_id = randomUUID();
      const storage_key = `${profile.id}/${original_id}`;
      const page_count = text.pages[0]?.page === null ? null : text.pages.length;
      await storage.putFile(storage_key, upload.path);
      const file = await insertFile(database, profile.id, {
        file_id: randomUUID(),
        original_id,
        file_name,
        file_type,
        size_bytes: upload.size_bytes,
        storage_key,
        page_count,
        word_count: text.words,
        passages: text.passages,
      }).catch(async (error) => {
        await storage.delete(storage_key);
        throw error;
      });
      if (!file) {
        await storage.delete(storage_key);
        throw new AppError(
          'quota_exhausted',
          'You have used all the files of your plan for this month. Nothing was saved or counted.',
          { details: { counter: 'files' } },
        );
      }
      const { id, file_size, created_at } = file;
      return c.json(
        { id, file_name, file_size, file_type, created_at, pages: page_count, words: text.words },
        201,
      );
    } finally {
      await upload.discard();
    }
  });

  routes.openapi(deleteFile, async (c) => {
    const profile = await getOpenProfile(database, c.var.signed_in);
    if (!(await deletePendingFile(database, profile.id, c.req.valid('param').id))) throw notFound('file');
    jobs.wake(erasures_job);
    return c.body(null, 204);
  });

  routes.openapi(getContent, async (c) => {
    const file = await findStoredFile(database, c.var.signed_in.auth_id, c.req.valid('param').id);
    if (!file) throw notFound('file');
    const bytes = await storage.getStream(file.storage_key);
    return c.body(Readable.toWeb(bytes) as ReadableStream, 200, {
      'content-type': file.file_type,
      'content-length': String(file.size_bytes),
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(file.file_name)}`,
    });
  });

  return routes;
}
