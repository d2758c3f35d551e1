import { createHash } from 'node:crypto';
import type { Coach } from '../coaches/coach-file.ts';
import { coachInstructions } from '../coaches/coach-instructions.ts';
import type { ReadModelImage } from '../files/model-image.ts';
import { VectorStoresMissing } from '../knowledge/fill-vector-store.ts';
import { searchPassages } from '../knowledge/queries.ts';
import type { Complaint } from '../knowledge/vector-store-queries.ts';
import type { VectorStores } from '../knowledge/vector-stores.ts';
import type { Database } from '../platform/database.ts';
import type { Logger } from '../platform/logger.ts';
import type { ModelTurn } from '../platform/models/model.ts';
import type { OpenAIUpstream } from '../platform/models/openai-client.ts';
import type { Mendable } from '../platform/models/upstream-errors.ts';
import { unlessAborted } from '../platform/time-limit.ts';
import { attachFiles, hasDocuments } from './attach-files.ts';
import type { Patience } from './patience.ts';
import { createConversation } from './prepare-conversation.ts';
import { type BegunTurn, getHistory } from './queries.ts';
import type { RunningTurn } from './running-turn.ts';

/** What `begin_turn` returned for a turn that has begun. */
export type Begun = Omit<BegunTurn, 'outcome'> & {
  /** The files could not be made ready: the model has to do without them. */
  files_missing?: boolean;
};

type PreparingServices = {
  database: Database;
  logger: Logger;
  /** Undefined with the practice coach, as are its stores. */
  upstream: OpenAIUpstream | undefined;
  vector_stores: VectorStores | undefined;
  readModelImage: ReadModelImage;
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
  { running, patience }: { running: RunningTurn; patience: Patience },
): Promise<ModelTurn> {
  const { database, upstream } = services;
  const searchFiles: ModelTurn['searchFiles'] = (query, limit) =>
    searchPassages(database, {
      user_id: begun.user_id,
      session_id: running.session_id,
      with_library: begun.library !== null,
      query,
      limit,
    });
  const turn: ModelTurn = {
    turn_id: running.id,
    coach_slug: coach.slug,
    model: upstream?.config.model ?? coach.model,
    instructions: coachInstructions(coach),
    conversation_id: begun.conversation_id,
    history: begun.history,
    message: {
      content: begun.content,
      file_names: [...begun.documents, ...begun.images]
        .filter(({ is_new }) => is_new)
        .map(({ file_name }) => file_name),
    },
    images: begun.images.map(({ file_name, is_new, storage_key }) => ({
      file_name,
      is_new,
      read: (signal) => services.readModelImage(storage_key, signal),
    })),
    vector_store_ids: [],
    passages: [],
    has_files: hasDocuments(begun),
    searchFiles,
    deadline_ms: patience.deadline_ms,
    safety_identifier: createHash('sha256').update(begun.user_id).digest('hex').slice(0, 32),
  };
  if (upstream) {
    await Promise.all([
      unlessAborted(attachConversation(services, begun, turn, running), patience.signal),
      attachDocuments(services, begun, turn, running, patience),
    ]);
    patience.signal.throwIfAborted();
    turn.deadline_ms = patience.deadline_ms;
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

/** Waiting for files is no part of the patience that a turn has: it may take as long as it makes headway. */
async function attachDocuments(
  services: PreparingServices,
  begun: Begun,
  turn: ModelTurn,
  running: RunningTurn,
  patience: Patience,
  complaints: Complaint[] = [],
) {
  const { upstream, vector_stores, logger } = services;
  if (!turn.has_files) return;
  if (upstream!.has_vector_stores) {
    try {
      const { signal } = running.abort;
      const attaching = () =>
        attachFiles({ vector_stores: vector_stores!, logger }, begun, turn, running, { signal, complaints });
      await patience.outside(() => unlessAborted(attaching(), signal));
      return;
    } catch (error) {
      if (!(error instanceof VectorStoresMissing)) throw error;
    }
  }
  turn.vector_store_ids = [];
  turn.passages = await turn.searchFiles(turn.message.content, passages_for_model);
}

type Mending = {
  what: Mendable;
  /** What OpenAI said of the stores. */
  complaints?: Complaint[];
  /** How much of the chat the model is told from now on; undefined: as much as always. */
  history_characters?: number | undefined;
  patience: Patience;
};

/** Makes anew what OpenAI cannot use of a chat, from our rows and texts. */
export async function mendUpstream(
  services: PreparingServices,
  begun: Begun,
  turn: ModelTurn,
  running: RunningTurn,
  { what, complaints, history_characters, patience }: Mending,
): Promise<void> {
  if (what === 'vector_store') {
    await attachDocuments(services, begun, turn, running, patience, complaints);
  } else {
    running.setStatus('thinking');
    const { messages, shortened } = await getHistory(
      services.database,
      begun.user_message_id,
      history_characters,
    );
    turn.history = messages;
    begun.history_shortened = shortened;
    turn.conversation_id = null;
    await unlessAborted(attachConversation(services, begun, turn, running), patience.signal);
  }
  turn.deadline_ms = patience.deadline_ms;
}
