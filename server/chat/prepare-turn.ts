import { createHash } from 'node:crypto';
import type { Coach } from '../coaches/coach-file.ts';
import { coachInstructions } from '../coaches/coach-instructions.ts';
import { prepareVectorStore, VectorStoresMissing } from '../knowledge/prepare-vector-store.ts';
import { searchPassages } from '../knowledge/queries.ts';
import type { Database } from '../platform/database.ts';
import type { ModelTurn } from '../platform/models/model.ts';
import type { OpenAIUpstream } from '../platform/models/openai-client.ts';
import type { Mendable } from '../platform/models/upstream-errors.ts';
import { unlessAborted } from '../platform/time-limit.ts';
import { createConversation } from './prepare-conversation.ts';
import { type BegunTurn, getHistory } from './queries.ts';
import type { RunningTurn } from './running-turn.ts';

/** What `begin_turn` returned for a turn that has begun. */
export type Begun = Omit<BegunTurn, 'outcome'>;

type PreparingServices = {
  database: Database;
  /** Undefined with the practice coach. */
  upstream: OpenAIUpstream | undefined;
};

/** How many passages go along for a model that cannot search by itself. */
const passages_for_model = 6;

/**
 * Everything between the begun turn and the model's first word: what the model is told, and with OpenAI the chat's
 * conversation and vector store, which are made where they are missing.
 */
export async function prepareTurn(
  services: PreparingServices,
  coach: Coach,
  begun: Begun,
  { running, signal, deadline_ms }: { running: RunningTurn; signal: AbortSignal; deadline_ms: number },
): Promise<ModelTurn> {
  const { database, upstream } = services;
  const searchFiles: ModelTurn['searchFiles'] = (query, limit) =>
    searchPassages(database, { user_id: begun.user_id, session_id: running.session_id, query, limit });
  const turn: ModelTurn = {
    turn_id: running.id,
    coach_slug: coach.slug,
    model: upstream?.config.model ?? coach.model,
    instructions: coachInstructions(coach),
    conversation_id: begun.conversation_id,
    history: begun.history,
    message: {
      content: begun.content,
      file_names: begun.documents.filter(({ is_new }) => is_new).map(({ file_name }) => file_name),
    },
    vector_store_ids: [],
    passages: [],
    has_files: begun.documents.length > 0,
    searchFiles,
    deadline_ms,
    safety_identifier: createHash('sha256').update(begun.user_id).digest('hex').slice(0, 32),
  };
  if (upstream) {
    await Promise.all([
      unlessAborted(attachConversation(services, begun, turn, running), signal),
      unlessAborted(attachDocuments(services, begun, turn, running, signal), signal),
    ]);
    signal.throwIfAborted();
  }
  return turn;
}

async function attachConversation(
  { database, upstream }: PreparingServices,
  { user_id }: Begun,
  turn: ModelTurn,
  { id, session_id }: RunningTurn,
) {
  if (turn.conversation_id) return;
  const chat = { user_id, session_id, turn_id: id };
  turn.conversation_id = await createConversation(database, upstream!, chat);
}

async function attachDocuments(
  services: PreparingServices,
  begun: Begun,
  turn: ModelTurn,
  running: RunningTurn,
  signal: AbortSignal,
) {
  const { database, upstream } = services;
  if (begun.documents.length === 0) return;
  if (upstream!.has_vector_stores) {
    const isNew = begun.documents.some((document) => document.vector_store_id === null);
    if (isNew) running.setStatus('preparing_files');
    try {
      const chat = { ...begun, session_id: running.session_id };
      turn.vector_store_ids = [await prepareVectorStore({ database, upstream: upstream! }, chat, signal)];
      if (isNew) running.setStatus('thinking');
      return;
    } catch (error) {
      if (!(error instanceof VectorStoresMissing)) throw error;
      upstream!.has_vector_stores = false;
    }
  }
  turn.passages = await turn.searchFiles(turn.message.content, passages_for_model);
}

type Mending = {
  what: Mendable;
  /** How much of the chat the model is told from now on; undefined: as much as always. */
  history_characters: number | undefined;
  signal: AbortSignal;
};

/** Makes anew what OpenAI cannot use of a chat, from our rows and texts. */
export async function mendUpstream(
  services: PreparingServices,
  begun: Begun,
  turn: ModelTurn,
  running: RunningTurn,
  { what, history_characters, signal }: Mending,
): Promise<void> {
  if (what === 'vector_store') {
    for (const document of begun.documents) document.vector_store_id = null;
    begun.vector_store = begun.vector_store && { ...begun.vector_store, status: 'expired' };
    await unlessAborted(attachDocuments(services, begun, turn, running, signal), signal);
    return;
  }
  running.setStatus('thinking');
  const { messages, shortened } = await getHistory(
    services.database,
    begun.user_message_id,
    history_characters,
  );
  turn.history = messages;
  begun.history_shortened = shortened;
  turn.conversation_id = null;
  await unlessAborted(attachConversation(services, begun, turn, running), signal);
}
