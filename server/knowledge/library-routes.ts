import { createRoute, z } from '@hono/zod-openapi';
import { erasures_job } from '../accounts/jobs.ts';
import { getOpenProfile } from '../accounts/routes.ts';
import { fileNameWithEnding } from '../files/file-name-with-ending.ts';
import type { FileKind } from '../files/file-types.ts';
import { deleteFile, findStoredOriginal, keepFile, renameFile } from '../files/queries.ts';
import { contentResponses, pictureQuery, pictureResponses, uploadBody } from '../files/routes.ts';
import { sendContent, sendPicture } from '../files/send-file.ts';
import type { ShowPicture } from '../files/show-picture.ts';
import type { Uploads } from '../files/uploads.ts';
import { readCursor, writeCursor } from '../platform/cursor.ts';
import type { Database } from '../platform/database.ts';
import { AppError, notFound } from '../platform/errors.ts';
import type { Jobs } from '../platform/jobs.ts';
import type { Logger } from '../platform/logger.ts';
import type { OpenAIUpstream } from '../platform/models/openai-client.ts';
import { createRouter, jsonResponse, problemResponse, signedIn, uuidParam } from '../platform/routes.ts';
import type { Storage } from '../platform/storage.ts';
import {
  findLibraryFile,
  findPreview,
  type LibraryRow,
  libraryStates,
  listLibrary,
} from './library-queries.ts';
import type { VectorStores } from './vector-stores.ts';

const libraryFile = z
  .object({
    id: z.uuid().openapi({ description: 'Of the file, whatever chats it is in.' }),
    file_id: z.uuid().openapi({ description: 'What a message names to bring it along.' }),
    file_name: z.string(),
    file_size: z.int().openapi({ description: 'Bytes.' }),
    file_type: z.string(),
    kind: z.enum(['document', 'image']),
    created_at: z.string(),
    pages: z.int().nullable().openapi({ description: 'Null where the type has no pages.' }),
    words: z.int(),
    width: z.int().nullable().openapi({ description: 'Pixels of an image, as it is shown.' }),
    height: z.int().nullable(),
    in_library: z.boolean().openapi({ description: 'Whether it is in the library by itself.' }),
    chats: z
      .array(z.object({ id: z.uuid(), title: z.string().nullable() }))
      .openapi({ description: 'The latest 20 that have it.' }),
    chat_count: z.int(),
    state: z.enum(libraryStates).openapi({ description: 'How it stands with the coaches.' }),
    reason: z.string().nullable().openapi({ description: 'Why it failed; a sentence. Null: it has not.' }),
  })
  .openapi('LibraryFile');

const fileResponse = jsonResponse(libraryFile, 'The file as it is now');

const listRoute = createRoute({
  method: 'get',
  path: '/api/library',
  summary: 'Your files, the latest first: those of the library and those of chats',
  security: signedIn,
  request: {
    query: z.object({
      limit: z.coerce.number().int().min(1).max(100).default(50),
      before: z.string().max(200).optional(),
      search: z
        .string()
        .max(200)
        .regex(/^[^\0]*$/, 'must not hold a NUL')
        .default('')
        .openapi({ description: 'Words in the name.' }),
      ids: z
        .string()
        .transform((ids) => ids.split(','))
        .pipe(z.array(z.uuid()).max(100))
        .optional()
        .openapi({ type: 'string', description: 'These alone; up to 100, with commas between them.' }),
    }),
  },
  responses: {
    200: jsonResponse(
      z.object({
        files: z.array(libraryFile),
        next: z.string().nullable(),
        storage: z.object({
          used_bytes: z.int(),
          limit_bytes: z.int().nullable().openapi({ description: 'Null: unlimited.' }),
        }),
      }),
      'A page of files',
    ),
    default: problemResponse,
  },
});

const postRoute = createRoute({
  method: 'post',
  path: '/api/library',
  summary: 'Upload a file into the library',
  security: signedIn,
  request: { body: uploadBody },
  responses: { 201: jsonResponse(libraryFile, 'The file, read'), default: problemResponse },
});

const getRoute = createRoute({
  method: 'get',
  path: '/api/library/{id}',
  summary: 'One of your files',
  security: signedIn,
  request: { params: uuidParam },
  responses: { 200: fileResponse, default: problemResponse },
});

const renameRoute = createRoute({
  method: 'patch',
  path: '/api/library/{id}',
  summary: 'Give a file another name, in every chat too; it keeps the ending of its type',
  security: signedIn,
  request: {
    params: uuidParam,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.object({
            file_name: z.string().trim().min(1, 'must not be empty').max(500, 'is too long'),
          }),
        },
      },
    },
  },
  responses: { 200: fileResponse, default: problemResponse },
});

const keepRoute = createRoute({
  method: 'put',
  path: '/api/library/{id}/kept',
  summary: 'Keep a chat’s file in the library too, or take it out of it again',
  security: signedIn,
  request: {
    params: uuidParam,
    body: {
      required: true,
      content: { 'application/json': { schema: z.object({ kept: z.boolean() }) } },
    },
  },
  responses: { 200: fileResponse, default: problemResponse },
});

const deleteRoute = createRoute({
  method: 'delete',
  path: '/api/library/{id}',
  summary: 'Delete a file everywhere; its chats keep a note that it was there',
  security: signedIn,
  request: { params: uuidParam },
  responses: { 204: { description: 'It is gone' }, default: problemResponse },
});

const previewRoute = createRoute({
  method: 'get',
  path: '/api/library/{id}/preview',
  summary: 'The beginning of a document’s text',
  security: signedIn,
  request: { params: uuidParam },
  responses: {
    200: jsonResponse(
      z.object({
        passages: z
          .array(z.object({ ordinal: z.int(), page: z.int().nullable(), content: z.string() }))
          .openapi({ description: 'None of an image.' }),
        is_shortened: z.boolean().openapi({ description: 'The document goes on.' }),
      }),
      'The text',
    ),
    default: problemResponse,
  },
});

const contentRoute = createRoute({
  method: 'get',
  path: '/api/library/{id}/content',
  summary: 'The original bytes of a file',
  security: signedIn,
  request: { params: uuidParam },
  responses: contentResponses,
});

const pictureRoute = createRoute({
  method: 'get',
  path: '/api/library/{id}/picture',
  summary: 'A picture to look at, made anew from its pixels',
  security: signedIn,
  request: { params: uuidParam, query: pictureQuery },
  responses: pictureResponses,
});

/** About ten pages of a book. */
const preview_characters = 20_000;

type LibraryServices = {
  database: Database;
  storage: Storage;
  jobs: Jobs;
  logger: Logger;
  uploads: Uploads;
  showPicture: ShowPicture;
  upstream: OpenAIUpstream | undefined;
  vector_stores: VectorStores | undefined;
};

/** The routes of a member's library: all files, whether they came by themselves or with a message. */
export function libraryRoutes(services: LibraryServices) {
  const { database, storage, jobs, logger, uploads, showPicture, upstream, vector_stores } = services;
  const routes = createRouter();
  const hasStores = () => upstream?.has_vector_stores ?? false;

  /** Nobody waits for it. Where it fails, or this server dies, a job goes on. */
  function makeReady(user_id: string, { id: original_id, kind }: { id: string; kind: FileKind }) {
    if (kind !== 'document' || !hasStores()) return;
    const wanting = { documents: [{ original_id }] };
    vector_stores?.makeReady({ user_id, session_id: null }, wanting).catch((error) => {
      logger.warn({ error }, 'a library could not be made ready just now');
    });
  }

  async function getFile(auth_id: string, id: string) {
    const row = await findLibraryFile(database, auth_id, id, hasStores());
    if (!row) throw notFound('file');
    return describeFile(row);
  }

  routes.openapi(listRoute, async (c) => {
    const { limit, before, search, ids } = c.req.valid('query');
    const options = {
      limit: limit + 1,
      after: readCursor(before),
      words: search.normalize('NFC').split(/\s+/).filter(Boolean),
      ids,
      has_stores: hasStores(),
    };
    const list = () => listLibrary(database, c.var.signed_in.auth_id, options);
    let found = await list();
    if (!found) {
      // Closed, gone, or the sign-up could not make it: this says which, or makes it.
      await getOpenProfile(database, c.var.signed_in);
      found = await list();
    }
    const { files, storage: storage_use } = found!;
    const page = files.slice(0, limit);
    const last = files.length > limit ? page.at(-1) : undefined;
    return c.json(
      {
        files: page.map(describeFile),
        next: last ? writeCursor(last.created_at, last.id) : null,
        storage: storage_use,
      },
      200,
    );
  });

  // Registered for the document alone and served below: the form is streamed, not parsed into memory.
  routes.openAPIRegistry.registerPath(postRoute);
  routes.post('/api/library', async (c) => {
    const { user_id, original_id } = await uploads.receive(c, 'library');
    const file = await getFile(c.var.signed_in.auth_id, original_id);
    makeReady(user_id, file);
    return c.json(file, 201);
  });

  routes.openapi(getRoute, async (c) =>
    c.json(await getFile(c.var.signed_in.auth_id, c.req.valid('param').id), 200),
  );

  routes.openapi(renameRoute, async (c) => {
    const { auth_id } = c.var.signed_in;
    const { id } = c.req.valid('param');
    const profile = await getOpenProfile(database, c.var.signed_in);
    const stored = await findStoredOriginal(database, auth_id, id);
    if (!stored) throw notFound('file');
    const file_name = fileNameWithEnding(c.req.valid('json').file_name, stored.file_type);
    if (!(await renameFile(database, profile.id, id, file_name))) throw notFound('file');
    return c.json(await getFile(auth_id, id), 200);
  });

  routes.openapi(keepRoute, async (c) => {
    const { auth_id } = c.var.signed_in;
    const { id } = c.req.valid('param');
    const { kept } = c.req.valid('json');
    const profile = await getOpenProfile(database, c.var.signed_in);
    const outcome = await keepFile(database, profile.id, id, kept);
    if (outcome === 'missing') throw notFound('file');
    if (outcome === 'only_here') throw onlyHere();
    const file = await getFile(auth_id, id);
    if (kept) makeReady(profile.id, file);
    else jobs.wake(erasures_job);
    return c.json(file, 200);
  });

  routes.openapi(deleteRoute, async (c) => {
    const profile = await getOpenProfile(database, c.var.signed_in);
    if (!(await deleteFile(database, profile.id, c.req.valid('param').id))) throw notFound('file');
    jobs.wake(erasures_job);
    return c.body(null, 204);
  });

  routes.openapi(previewRoute, async (c) => {
    const { auth_id } = c.var.signed_in;
    const preview = await findPreview(database, auth_id, c.req.valid('param').id, preview_characters);
    if (!preview) throw notFound('file');
    return c.json(preview, 200);
  });

  routes.openapi(contentRoute, async (c) => {
    const { auth_id } = c.var.signed_in;
    return sendContent(c, storage, await findStoredOriginal(database, auth_id, c.req.valid('param').id));
  });

  routes.openapi(pictureRoute, async (c) => {
    const { auth_id } = c.var.signed_in;
    const file = await findStoredOriginal(database, auth_id, c.req.valid('param').id);
    return sendPicture(c, showPicture, file, c.req.valid('query').width);
  });

  return routes;
}

function describeFile({ is_refused, ...file }: LibraryRow) {
  return { ...file, reason: file.state === 'failed' ? whyFailed(is_refused) : null };
}

function whyFailed(is_refused: boolean) {
  return is_refused
    ? 'The coaches cannot search this file. Add it again in another format, such as PDF or plain text.'
    : 'This file could not be made ready for the coaches yet. That is tried again by itself.';
}

function onlyHere() {
  return new AppError(
    'file_in_use',
    'No chat has this file, so it would be gone. Nothing was changed; delete it if you need it no more.',
  );
}
