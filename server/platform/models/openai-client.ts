import type OpenAI from 'openai';
import type { Config } from '../config.ts';

export type OpenAIConfig = NonNullable<Config['openai']>;

/**
 * The calls to OpenAI, or to a compatible server. Such a server may lack conversations or vector stores: the first
 * 404 says so, and from then on the history is sent from our rows and our own search serves.
 */
export type OpenAIUpstream = {
  config: OpenAIConfig;
  /**
   * The official SDK, loaded at its first use: it costs a tenth of a second that a start need not wait for. It makes
   * every call but the reply's own stream (`openai-stream.ts`), and retries once by itself.
   */
  client: () => Promise<OpenAI>;
  has_conversations: boolean;
  has_vector_stores: boolean;
};

export function createOpenAIUpstream(config: OpenAIConfig): OpenAIUpstream {
  let client: Promise<OpenAI> | undefined;
  return {
    config,
    client() {
      client ??= import('openai').then(
        ({ default: Client }) =>
          new Client({ apiKey: config.api_key, baseURL: config.base_url, timeout: 30_000, maxRetries: 1 }),
      );
      return client;
    },
    has_conversations: true,
    has_vector_stores: true,
  };
}

/** Whether a call failed because the thing or the path that it names does not exist upstream. */
export function isGoneUpstream(error: unknown): boolean {
  return (error as { status?: number }).status === 404;
}

/** Erases something upstream; what is gone already counts as erased. */
export async function eraseUpstream(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isGoneUpstream(error)) throw error;
  }
}
