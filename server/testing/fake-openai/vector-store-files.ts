import { z } from 'zod';
import { ApiError, badRequest } from './api-error.ts';
import { fileText, isSearchable } from './file-text.ts';
import { getFile } from './files.ts';
import { getUsableVectorStore, getVectorStore } from './get-vector-store.ts';
import { newId, unixNow } from './ids.ts';
import { listPage, vectorStoreListQuery } from './list-page.ts';
import { type Double, parseQuery, type Route } from './route.ts';
import { chunksOf } from './search.ts';
import { attributesSchema } from './shared-schemas.ts';
import type { FakeOpenAIState, StoredFileBatch, StoredVectorStore, StoredVectorStoreFile } from './state.ts';
import { validate } from './validate.ts';

export const chunkingSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('auto') }),
  z.strictObject({
    type: z.literal('static'),
    static: z
      .strictObject({
        max_chunk_size_tokens: z.int().min(100).max(4096),
        chunk_overlap_tokens: z.int().min(0),
      })
      .refine((one) => one.chunk_overlap_tokens * 2 <= one.max_chunk_size_tokens, {
        message: "'chunk_overlap_tokens' must not exceed half of 'max_chunk_size_tokens'.",
      }),
  }),
]);

const attachFileSchema = z.strictObject({
  file_id: z.string(),
  chunking_strategy: chunkingSchema.optional(),
  attributes: attributesSchema.optional(),
});

const updateAttributesSchema = z.strictObject({ attributes: attributesSchema });

const createBatchSchema = z.strictObject({
  file_ids: z.array(z.string()).min(1).max(2000).optional(),
  files: z.array(attachFileSchema).min(1).max(2000).optional(),
  chunking_strategy: chunkingSchema.optional(),
  attributes: attributesSchema.optional(),
});

const fileListQuery = {
  ...vectorStoreListQuery,
  filter: z.enum(['in_progress', 'completed', 'failed', 'cancelled']).optional(),
};

export function vectorStoreFileRoutes(double: Double): Route[] {
  const { state } = double;
  const path = '/v1/vector_stores/:vector_store_id/files';
  const batches = '/v1/vector_stores/:vector_store_id/file_batches';
  const listFiles = (store: StoredVectorStore, files: StoredVectorStoreFile[], query: URLSearchParams) => {
    const { filter, ...page } = parseQuery(fileListQuery, query);
    const shown = files.filter((file) => !filter || file.status === filter);
    return listPage(
      shown.map((file) => fileObject(store, file)),
      page,
      { limit: 20 },
    );
  };
  return [
    {
      method: 'POST',
      path,
      answer: ({ params, body }) => {
        const store = getUsableVectorStore(state, params.vector_store_id!);
        return fileObject(store, attachFile(double, store, validate(attachFileSchema, body.json ?? {})));
      },
    },
    {
      method: 'GET',
      path,
      answer: ({ params, query }) => {
        const store = getVectorStore(state, params.vector_store_id!);
        return listFiles(store, [...store.files.values()], query);
      },
    },
    {
      method: 'GET',
      path: `${path}/:file_id`,
      answer: ({ params }) => {
        const { store, file } = getStoreFile(state, params);
        return fileObject(store, file);
      },
    },
    {
      method: 'POST',
      path: `${path}/:file_id`,
      answer: ({ params, body }) => {
        const { store, file } = getStoreFile(state, params);
        file.attributes = validate(updateAttributesSchema, body.json ?? {}).attributes ?? {};
        return fileObject(store, file);
      },
    },
    {
      method: 'DELETE',
      path: `${path}/:file_id`,
      answer: ({ params }) => {
        const { store, file } = getStoreFile(state, params);
        store.files.delete(file.file_id);
        return { id: file.file_id, object: 'vector_store.file.deleted', deleted: true };
      },
    },
    {
      method: 'GET',
      path: `${path}/:file_id/content`,
      answer: ({ params }) => ({
        object: 'vector_store.file_content.page',
        data: getStoreFile(state, params).file.chunks.map((text) => ({ type: 'text', text })),
        has_more: false,
        next_page: null,
      }),
    },
    {
      method: 'POST',
      path: batches,
      answer: ({ params, body }) => {
        const store = getUsableVectorStore(state, params.vector_store_id!);
        return batchObject(store, createBatch(double, store, body.json ?? {}));
      },
    },
    {
      method: 'GET',
      path: `${batches}/:batch_id`,
      answer: ({ params }) => {
        const { store, batch } = getBatch(state, params);
        return batchObject(store, batch);
      },
    },
    {
      method: 'POST',
      path: `${batches}/:batch_id/cancel`,
      answer: ({ params }) => {
        const { store, batch } = getBatch(state, params);
        batch.cancelled = true;
        for (const file of filesOf(store, batch))
          if (file.status === 'in_progress') file.status = 'cancelled';
        return batchObject(store, batch);
      },
    },
    {
      method: 'GET',
      path: `${batches}/:batch_id/files`,
      answer: ({ params, query }) => {
        const { store, batch } = getBatch(state, params);
        return listFiles(store, filesOf(store, batch), query);
      },
    },
  ];
}

/** Puts a file into a store; after `file_processing_ms` it is completed, or failed where it cannot be searched. */
export function attachFile(
  double: Double,
  store: StoredVectorStore,
  request: z.output<typeof attachFileSchema>,
): StoredVectorStoreFile {
  const uploaded = getFile(double.state, request.file_id, 'file_id');
  const file: StoredVectorStoreFile = {
    file_id: uploaded.id,
    created_at: unixNow(),
    status: 'in_progress',
    last_error: null,
    usage_bytes: 0,
    chunking: request.chunking_strategy ?? { type: 'auto' },
    attributes: request.attributes ?? {},
    chunks: [],
  };
  store.files.set(uploaded.id, file);
  double.after(double.file_processing_ms, () => {
    if (file.status !== 'in_progress') return;
    const text = isSearchable(uploaded.filename) ? fileText(uploaded.filename, uploaded.content) : null;
    if (text?.trim()) {
      file.status = 'completed';
      file.usage_bytes = uploaded.bytes;
      file.chunks = chunksOf(text, file.chunking);
    } else {
      file.status = 'failed';
      file.last_error =
        text === null
          ? { code: 'unsupported_file', message: 'The file type is not supported.' }
          : { code: 'invalid_file', message: 'The file could not be parsed because it is empty or corrupt.' };
    }
  });
  return file;
}

function createBatch(double: Double, store: StoredVectorStore, body: unknown): StoredFileBatch {
  const { file_ids, files, ...shared } = validate(createBatchSchema, body);
  if (!file_ids && !files) {
    throw badRequest("Missing required parameter: 'file_ids'.", 'missing_required_parameter', 'file_ids');
  }
  if (file_ids && files) {
    throw badRequest("Only one of 'file_ids' and 'files' may be given.", 'mutually_exclusive_parameters');
  }
  const requests = files ?? file_ids!.map((file_id) => ({ file_id, ...shared }));
  for (const { file_id } of requests) getFile(double.state, file_id, 'file_ids');
  const batch = {
    id: newId('vsfb'),
    created_at: unixNow(),
    file_ids: requests.map((request) => request.file_id),
    cancelled: false,
  };
  store.batches.set(batch.id, batch);
  for (const request of requests) attachFile(double, store, request);
  return batch;
}

function getStoreFile(state: FakeOpenAIState, params: Record<string, string>) {
  const store = getVectorStore(state, params.vector_store_id!);
  const file = store.files.get(params.file_id!);
  if (!file) {
    throw new ApiError(404, `No file found with id '${params.file_id}' in vector store '${store.id}'.`);
  }
  return { store, file };
}

function getBatch(state: FakeOpenAIState, params: Record<string, string>) {
  const store = getVectorStore(state, params.vector_store_id!);
  const batch = store.batches.get(params.batch_id!);
  if (!batch) {
    throw new ApiError(
      404,
      `No file batch found with id '${params.batch_id}' in vector store '${store.id}'.`,
    );
  }
  return { store, batch };
}

function filesOf(store: StoredVectorStore, batch: StoredFileBatch) {
  return batch.file_ids.flatMap((id) => store.files.get(id) ?? []);
}

/** How many of the files are in which state. */
export function fileCounts(files: StoredVectorStoreFile[]) {
  const counts = { in_progress: 0, completed: 0, failed: 0, cancelled: 0, total: files.length };
  for (const file of files) counts[file.status] += 1;
  return counts;
}

function fileObject(store: StoredVectorStore, file: StoredVectorStoreFile) {
  return {
    id: file.file_id,
    object: 'vector_store.file',
    usage_bytes: file.usage_bytes,
    created_at: file.created_at,
    vector_store_id: store.id,
    status: file.status,
    last_error: file.last_error,
    chunking_strategy:
      file.chunking.type === 'static'
        ? file.chunking
        : { type: 'static', static: { max_chunk_size_tokens: 800, chunk_overlap_tokens: 400 } },
    attributes: file.attributes,
  };
}

function batchObject(store: StoredVectorStore, batch: StoredFileBatch) {
  const file_counts = fileCounts(filesOf(store, batch));
  return {
    id: batch.id,
    object: 'vector_store.files_batch',
    created_at: batch.created_at,
    vector_store_id: store.id,
    status: batch.cancelled ? 'cancelled' : file_counts.in_progress > 0 ? 'in_progress' : 'completed',
    file_counts,
  };
}
