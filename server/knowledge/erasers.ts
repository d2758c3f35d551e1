import type { Database } from '../platform/database.ts';
import { eraseUpstream, type OpenAIUpstream } from '../platform/models/openai-client.ts';
import { isOpenAIFileUsed, isVectorStoreUsed } from './vector-store-queries.ts';

/** Erases what OpenAI holds of a member's files, by `erasures.kind`; never what a row names again. */
export function knowledgeErasers(upstream: OpenAIUpstream, database: Database) {
  return {
    async openai_file(id: string) {
      if (await isOpenAIFileUsed(database, id)) return;
      await eraseUpstream((await upstream.client()).files.delete(id));
    },
    async openai_vector_store(id: string) {
      if (await isVectorStoreUsed(database, id)) return;
      await eraseUpstream((await upstream.client()).vectorStores.delete(id));
    },
  };
}
