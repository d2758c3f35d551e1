import type { Database } from '../platform/database.ts';
import { eraseUpstream, type OpenAIUpstream } from '../platform/models/openai-client.ts';
import { isInVectorStore, isOpenAIFileUsed, isVectorStoreUsed } from './vector-store-queries.ts';

/** Erases what OpenAI holds of a member's files, by `erasures.kind`; never what a row names again. */
export function knowledgeErasers(upstream: OpenAIUpstream, database: Database) {
  return {
    async openai_file(id: string) {
      if (await isOpenAIFileUsed(database, id)) return;
      await eraseUpstream((await upstream.client()).files.delete(id));
    },
    /** Takes a file out of a store; other stores have it still. `id`: the store's, a slash, the file's. */
    async openai_store_file(id: string) {
      const [vector_store_id = '', openai_file_id = ''] = id.split('/');
      if (await isInVectorStore(database, vector_store_id, openai_file_id)) return;
      await eraseUpstream(
        (await upstream.client()).vectorStores.files.delete(openai_file_id, { vector_store_id }),
      );
    },
    async openai_vector_store(id: string) {
      if (await isVectorStoreUsed(database, id)) return;
      await eraseUpstream((await upstream.client()).vectorStores.delete(id));
    },
  };
}
