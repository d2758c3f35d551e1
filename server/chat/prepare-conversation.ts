import { type Database, tryWhileAway } from '../platform/database.ts';
import type { OpenAIUpstream } from '../platform/models/openai-client.ts';
import { eraseUpstream, isGoneUpstream } from '../platform/models/openai-client.ts';
import { setConversation } from './queries.ts';
import { TurnGone } from './running-turns.ts';

/**
 * Makes an empty conversation at OpenAI and records it for the chat: the next request's input, our history with it, is
 * what it will hold. Returns its id; null where the upstream has no conversations.
 */
export async function createConversation(
  database: Database,
  upstream: OpenAIUpstream,
  { user_id, session_id, turn_id }: { user_id: string; session_id: string; turn_id: string },
): Promise<string | null> {
  if (!upstream.has_conversations) return null;
  const client = await upstream.client();
  let conversation: { id: string };
  try {
    // Not aborted: a conversation that is made while nobody waits would be known to nobody.
    conversation = await client.conversations.create({ metadata: { session_id } });
  } catch (error) {
    if (!isGoneUpstream(error)) throw error;
    upstream.has_conversations = false;
    return null;
  }
  // Else nobody would ever erase it.
  const kept = await tryWhileAway(() =>
    setConversation(database, { user_id, session_id, turn_id, conversation_id: conversation.id }),
  );
  if (!kept) throw new TurnGone();
  return conversation.id;
}

/** Erases a chat's conversation at OpenAI, by `erasures.kind`. */
export function chatErasers(upstream: OpenAIUpstream) {
  return {
    openai_conversation: async (id: string) =>
      eraseUpstream((await upstream.client()).conversations.delete(id)),
  };
}
