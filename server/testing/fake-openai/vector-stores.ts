import { z } from 'zod';
import { getFile } from './files.ts';
import { getUsableVectorStore, getVectorStore } from './get-vector-store.ts';
import { newId, unixNow } from './ids.ts';
import { listPage, vectorStoreListQuery } from './list-page.ts';
import { filterSchema } from './response-request.ts';
import { type Double, parseQuery, type Route } from './route.ts';
import { searchStores } from './search.ts';
import { metadataSchema } from './shared-schemas.ts';
import { expiryOf, type FakeOpenAIState, isExpired, type StoredVectorStore } from './state.ts';
import { validate } from './validate.ts';
import { attachFile, chunkingSchema, fileCounts } from './vector-store-files.ts';

const expiresAfter = z.strictObject({ anchor: z.literal('last_active_at'), days: z.int().min(1).max(365) });

const createVectorStoreSchema = z.strictObject({
  file_ids: z.array(z.string()).max(500).optional(),
  name: z.string().optional(),
  description: z.string().optional(),
  expires_after: expiresAfter.optional(),
  chunking_strategy: chunkingSchema.optional(),
  metadata: metadataSchema.optional(),
});

const updateVectorStoreSchema = z.strictObject({
  name: z.string().nullish(),
  expires_after: expiresAfter.nullish(),
  metadata: metadataSchema.optional(),
});

const searchVectorStoreSchema = z.strictObject({
  query: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
  rewrite_query: z.boolean().optional(),
  max_num_results: z.int().min(1).max(50).optional(),
  filters: filterSchema.optional(),
  ranking_options: z
    .strictObject({
      ranker: z.enum(['none', 'auto', 'default-2024-11-15']).optional(),
      score_threshold: z.number().min(0).max(1).optional(),
    })
    .optional(),
});

export function vectorStoreRoutes(double: Double): Route[] {
  const { state } = double;
  const path = '/v1/vector_stores/:vector_store_id';
  return [
    {
      method: 'POST',
      path: '/v1/vector_stores',
      answer: ({ body }) => vectorStoreObject(createVectorStore(double, body.json ?? {})),
    },
    {
      method: 'GET',
      path: '/v1/vector_stores',
      answer: ({ query }) =>
        listPage(
          [...state.vectorStores.values()].map(vectorStoreObject),
          parseQuery(vectorStoreListQuery, query),
          {
            limit: 20,
          },
        ),
    },
    {
      method: 'GET',
      path,
      answer: ({ params }) => vectorStoreObject(getVectorStore(state, params.vector_store_id!)),
    },
    {
      method: 'POST',
      path,
      answer: ({ params, body }) => {
        const store = getVectorStore(state, params.vector_store_id!);
        const { name, expires_after, metadata } = validate(updateVectorStoreSchema, body.json ?? {});
        if (name !== undefined) store.name = name ?? '';
        if (expires_after !== undefined) store.expires_after = expires_after;
        if (metadata !== undefined) store.metadata = metadata ?? {};
        return vectorStoreObject(store);
      },
    },
    {
      method: 'DELETE',
      path,
      answer: ({ params }) => {
        const { id } = getVectorStore(state, params.vector_store_id!);
        state.vectorStores.delete(id);
        return { id, object: 'vector_store.deleted', deleted: true };
      },
    },
    {
      method: 'POST',
      path: `${path}/search`,
      answer: ({ params, body }) => search(state, params.vector_store_id!, body.json ?? {}),
    },
  ];
}

function createVectorStore(double: Double, body: unknown): StoredVectorStore {
  const request = validate(createVectorStoreSchema, body);
  const file_ids = [...new Set(request.file_ids)];
  for (const id of file_ids) getFile(double.state, id, 'file_ids');
  const now = unixNow();
  const store: StoredVectorStore = {
    id: newId('vs'),
    created_at: now,
    last_active_at: now,
    name: request.name ?? '',
    metadata: request.metadata ?? {},
    expires_after: request.expires_after ?? null,
    expired: false,
    files: new Map(),
    batches: new Map(),
  };
  double.state.vectorStores.set(store.id, store);
  for (const file_id of file_ids)
    attachFile(double, store, { file_id, chunking_strategy: request.chunking_strategy });
  return store;
}

function search(state: FakeOpenAIState, id: string, body: unknown) {
  const request = validate(searchVectorStoreSchema, body);
  const store = getUsableVectorStore(state, id);
  const queries = Array.isArray(request.query) ? request.query : [request.query];
  const found = searchStores(state, [store], queries.join(' '), {
    limit: request.max_num_results ?? 10,
    score_threshold: request.ranking_options?.score_threshold,
    filter: request.filters,
  });
  return {
    object: 'vector_store.search_results.page',
    search_query: queries,
    data: found.map(({ text, ...passage }) => ({ ...passage, content: [{ type: 'text', text }] })),
    has_more: false,
    next_page: null,
  };
}

function vectorStoreObject(store: StoredVectorStore) {
  const file_counts = fileCounts([...store.files.values()]);
  const usage_bytes = [...store.files.values()].reduce((sum, file) => sum + file.usage_bytes, 0);
  return {
    id: store.id,
    object: 'vector_store',
    created_at: store.created_at,
    name: store.name,
    usage_bytes: isExpired(store) ? 0 : usage_bytes,
    file_counts,
    status: isExpired(store) ? 'expired' : file_counts.in_progress > 0 ? 'in_progress' : 'completed',
    ...(store.expires_after ? { expires_after: store.expires_after } : {}),
    expires_at: expiryOf(store),
    last_active_at: store.last_active_at,
    metadata: store.metadata,
  };
}
