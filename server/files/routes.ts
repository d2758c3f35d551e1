import { createRoute, z } from '@hono/zod-openapi';
import { erasures_job } from '../accounts/jobs.ts';
import { getOpenProfile } from '../accounts/routes.ts';
import type { Database } from '../platform/database.ts';
import { notFound } from '../platform/errors.ts';
import type { Jobs } from '../platform/jobs.ts';
import { createRouter, jsonResponse, problemResponse, signedIn, uuidParam } from '../platform/routes.ts';
import type { Storage } from '../platform/storage.ts';
import { deletePendingFile, findStoredFile } from './queries.ts';
import { sendContent, sendPicture } from './send-file.ts';
import type { ShowPicture } from './show-picture.ts';
import type { Uploads } from './uploads.ts';

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

/** A form with one file. */
export const uploadBody = {
  required: true,
  content: {
    'multipart/form-data': {
      schema: z.object({ file: z.any().openapi({ type: 'string', format: 'binary' }) }),
    },
  },
};

const postFile = createRoute({
  method: 'post',
  path: '/api/files',
  summary: 'Upload a file that a message will bring along',
  security: signedIn,
  request: { body: uploadBody },
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

/** The bytes of a file, whatever its type. */
export const contentResponses = {
  200: { description: 'The bytes', content: { 'application/octet-stream': { schema: z.any() } } },
  default: problemResponse,
};

const getContent = createRoute({
  method: 'get',
  path: '/api/files/{id}/content',
  summary: 'The original bytes of a file',
  security: signedIn,
  request: { params: uuidParam },
  responses: contentResponses,
});

/** A picture as it is shown: the first frame, upright, no wider than asked. */
export const pictureQuery = z.object({ width: z.enum(['320', '1280']).default('320') });

export const pictureResponses = {
  200: { description: 'The picture', content: { 'image/webp': { schema: z.any() } } },
  304: { description: 'It is the one that If-None-Match names' },
  default: problemResponse,
};

const getPicture = createRoute({
  method: 'get',
  path: '/api/files/{id}/picture',
  summary: 'A picture to look at, made anew from its pixels',
  security: signedIn,
  request: { params: uuidParam, query: pictureQuery },
  responses: pictureResponses,
});

type FileServices = {
  database: Database;
  storage: Storage;
  jobs: Jobs;
  uploads: Uploads;
  showPicture: ShowPicture;
};

/** The routes of the files of messages. */
export function fileRoutes({ database, storage, jobs, uploads, showPicture }: FileServices) {
  const routes = createRouter();

  // Registered for the document alone and served below: the form is streamed, not parsed into memory.
  routes.openAPIRegistry.registerPath(postFile);
  routes.post('/api/files', async (c) => c.json((await uploads.receive(c, 'draft')).file, 201));

  routes.openapi(deleteFile, async (c) => {
    const profile = await getOpenProfile(database, c.var.signed_in);
    if (!(await deletePendingFile(database, profile.id, c.req.valid('param').id))) throw notFound('file');
    jobs.wake(erasures_job);
    return c.body(null, 204);
  });

  routes.openapi(getContent, async (c) =>
    sendContent(c, storage, await findStoredFile(database, c.var.signed_in.auth_id, c.req.valid('param').id)),
  );

  routes.openapi(getPicture, async (c) => {
    const file = await findStoredFile(database, c.var.signed_in.auth_id, c.req.valid('param').id);
    return sendPicture(c, showPicture, file, c.req.valid('query').width);
  });

  return routes;
}
