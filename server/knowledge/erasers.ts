import { eraseUpstream, type OpenAIUpstream } from '../platform/models/openai-client.ts';

/** Erases what OpenAI holds of a member's files, by `erasures.kind`. */
export function knowledgeErasers(upstream: OpenAIUpstream) {
  return {
    openai_file: async (id: string) => eraseUpstream((await upstream.client()).files.delete(id)),
    openai_vector_store: async (id: string) =>
      eraseUpstream((await upstream.client()).vectorStores.delete(id)),
  };
}
