import { z } from 'zod';
import { ApiError, badRequest } from './api-error.ts';
import { newId, unixNow } from './ids.ts';
import { fileListQuery, listPage } from './list-page.ts';
import { type Call, type Double, parseQuery, type Route } from './route.ts';
import type { FakeOpenAIState, StoredFile } from './state.ts';
import { validate } from './validate.ts';

/** The form of `POST /v1/files` beside its `file`. */
const createFileSchema = z.strictObject({
  purpose: z.enum(['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals']),
  expires_after: z
    .strictObject({
      anchor: z.literal('created_at'),
      seconds: z.coerce.number().pipe(z.int().min(3600).max(2_592_000)),
    })
    .optional(),
});

/** What was uploaded to be read by a model cannot be downloaded again. */
const downloadablePurposes = new Set(['batch', 'fine-tune', 'evals']);

export function fileRoutes({ state }: Double): Route[] {
  return [
    { method: 'POST', path: '/v1/files', answer: (call) => fileObject(createFile(state, call)) },
    {
      method: 'GET',
      path: '/v1/files',
      answer: ({ query }) => {
        const { purpose, ...page } = parseQuery(fileListQuery, query);
        const files = [...state.files.values()].filter((file) => !purpose || file.purpose === purpose);
        return listPage(files.map(fileObject), page, { limit: 10_000 });
      },
    },
    {
      method: 'GET',
      path: '/v1/files/:file_id',
      answer: ({ params }) => fileObject(getFile(state, params.file_id!)),
    },
    {
      method: 'DELETE',
      path: '/v1/files/:file_id',
      answer: ({ params }) => {
        const file = getFile(state, params.file_id!);
        state.files.delete(file.id);
        for (const store of state.vectorStores.values()) store.files.delete(file.id);
        return { id: file.id, object: 'file', deleted: true };
      },
    },
    {
      method: 'GET',
      path: '/v1/files/:file_id/content',
      answer: ({ params, response }) => {
        const file = getFile(state, params.file_id!);
        if (!downloadablePurposes.has(file.purpose)) {
          throw badRequest(`Not allowed to download files of purpose: ${file.purpose}`);
        }
        response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(file.content);
      },
    },
  ];
}

function createFile(state: FakeOpenAIState, { body }: Call): StoredFile {
  if (!body.form) throw badRequest("Invalid content type: expected 'multipart/form-data'.");
  const upload = body.form.files.file;
  const unexpected = Object.keys(body.form.files).find((name) => name !== 'file');
  if (unexpected) {
    throw badRequest(`Unknown parameter: '${unexpected}'.`, 'unknown_parameter', unexpected);
  }
  if (!upload) {
    throw badRequest("Missing required parameter: 'file'.", 'missing_required_parameter', 'file');
  }
  const { purpose, expires_after } = validate(createFileSchema, body.form.fields);
  if (upload.content.length === 0) throw badRequest('File is empty.', 'empty_file', 'file');

  const created_at = unixNow();
  const file: StoredFile = {
    id: newId('file'),
    bytes: upload.content.length,
    created_at,
    expires_at: expires_after ? created_at + expires_after.seconds : null,
    filename: upload.filename,
    purpose,
    content: upload.content,
  };
  state.files.set(file.id, file);
  return file;
}

/** The file, or the 404 for one that never was, was deleted or has expired. */
export function getFile(state: FakeOpenAIState, id: string, param = 'id'): StoredFile {
  const file = state.files.get(id);
  if (!file || (file.expires_at ?? Infinity) <= unixNow()) {
    throw new ApiError(404, `No such File object: ${id}`, { param });
  }
  return file;
}

function fileObject(file: StoredFile) {
  const { id, bytes, created_at, expires_at, filename, purpose } = file;
  return {
    id,
    object: 'file',
    bytes,
    created_at,
    ...(expires_at ? { expires_at } : {}),
    filename,
    purpose,
    status: 'processed',
  };
}
