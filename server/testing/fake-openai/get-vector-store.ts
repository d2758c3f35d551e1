import { ApiError, badRequest, checkIdPrefix } from './api-error.ts';
import { unixNow } from './ids.ts';
import { type FakeOpenAIState, isExpired, type StoredVectorStore } from './state.ts';

/** The store, or the 404 for one that does not exist (400 when the id is not a vector store's). */
export function getVectorStore(state: FakeOpenAIState, id: string): StoredVectorStore {
  checkIdPrefix(id, 'vs', 'vector_store_id');
  const store = state.vectorStores.get(id);
  if (!store) throw new ApiError(404, `No vector store found with id '${id}'.`);
  return store;
}

/** As `getVectorStore`, and a 400 for an expired one. Using a store puts its expiry off. */
export function getUsableVectorStore(state: FakeOpenAIState, id: string): StoredVectorStore {
  const store = getVectorStore(state, id);
  if (isExpired(store)) throw badRequest(`Vector store with id '${id}' is expired.`);
  store.last_active_at = unixNow();
  return store;
}
