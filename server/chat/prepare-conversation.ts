import type { Database } from '../platform/database.ts';
import type { HistoryMessage } from '../platform/models/model.ts';
import type { OpenAIUpstream } from '../platform/models/openai-client.ts';
import { eraseUpstream, isGoneUpstream } from '../platform/models/openai-client.ts';
import { setConversation } from './queries.ts';
import { TurnGone } from './running-turns.ts';

/** OpenAI takes this many items in one call (openapi 2.3.0). */
const items_a_call = 20;

/**
 * Makes a conversation at OpenAI from our own messages and records it for the chat. Returns its id; undefined where
 * the upstream has no conversations, so that the history goes with the request.
 */
export async function createConversation(
  database: Database,
  upstream: OpenAIUpstream,
  { user_id, session_id, history }: { user_id: string; session_id: string; history: HistoryMessage[] },
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!upstream.has_conversations) return undefined;
  const client = await upstream.client();
  const items = history
    .filter((message) => message.content !== '')
    .map(({ sender, content }) => ({ type: 'message' as const, role: sender, content }));
  let conversation: { id: string };
  try {
    // Not aborted: a conversation that is made while nobody waits would be known to nobody.
    conversation = await client.conversations.create({
      items: items.slice(0, items_a_call),
      metadata: { session_id },
    });
  } catch (error) {
    if (!isGoneUpstream(error)) throw error;
    upstream.has_conversations = false;
    return undefined;
  }
  const kept = await setConversation(database, { user_id, session_id, conversation_id: conversation.id });
  if (!kept) throw new TurnGone();
  for (let from = items_a_call; from < items.length; from += items_a_call) {
    await client.conversations.items.create(
      conversation.id,
      { items: items.slice(from, from + items_a_call) },
      { signal },
    );
  }
  return conversation.id;
}

/** Erases a chat's conversation at OpenAI, by `erasures.kind`. */
export function chatErasers(upstream: OpenAIUpstream) {
  return {
    openai_conversation: async (id: string) =>
      eraseUpstream((await upstream.client()).conversations.delete(id)),
  };
}
