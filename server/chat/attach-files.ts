import { notReady } from '../knowledge/fill-vector-store.ts';
import type { Complaint, Place, Progress, StoredVectorStore } from '../knowledge/vector-store-queries.ts';
import { FilesPutOff, type Readiness, type VectorStores } from '../knowledge/vector-stores.ts';
import { AppError } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { ModelTurn } from '../platform/models/model.ts';
import { TimeLimitExceeded, withTimeLimit } from '../platform/time-limit.ts';
import type { Begun } from './prepare-turn.ts';
import type { NewDocument } from './queries.ts';
import type { RunningTurn } from './running-turn.ts';

/** How long a turn waits for its files; what makes them ready goes on without it. */
const longest_wait_ms = 5 * 60_000;

/** After so many that failed, turns no longer try by themselves, but leave it to the job. */
const hopeless_attempts = 3;

/** What the model is told where it has to do without the files. */
const without_files =
  'The files that this person gave cannot be opened at the moment. Where an answer would need them, say so in one sentence, and do not guess what they say.';

/** Where a turn finds documents: in the chat or in the member's library. */
type Source = {
  place: Place;
  /** `is_loaded`: false where a library's documents are not named, because the store has them all. */
  holder: { documents: NewDocument[]; vector_store: StoredVectorStore | null; is_loaded?: boolean };
  document_count: number;
  /** How many of the documents OpenAI's store has. */
  held_count: number;
};

function sourcesOf(begun: Begun, session_id: string): Source[] {
  const { user_id, library } = begun;
  const sources: Source[] = [sourceOf({ user_id, session_id }, begun)];
  if (library?.is_loaded) sources.push(sourceOf({ user_id, session_id: null }, library));
  else if (library) sources.push({ place: { user_id, session_id: null }, holder: library, ...library });
  return sources.filter(({ document_count }) => document_count > 0);
}

function sourceOf(place: Place, holder: Source['holder']): Source {
  const { documents, vector_store } = holder;
  const held = documents.filter(({ vector_store_id }) => vector_store_id === vector_store?.store_id);
  const held_count = new Set(held.map(({ openai_file_id }) => openai_file_id)).size;
  return { place, holder, document_count: documents.length, held_count };
}

/** Whether there is anything that a turn's coach may search. */
export function hasDocuments(begun: Begun): boolean {
  return begun.documents.length > 0 || (begun.library?.document_count ?? 0) > 0;
}

/** The documents that a turn's coach may see, the chat's first; those of the library when they are loaded. */
export function documentsOf({ documents, library }: Begun): NewDocument[] {
  return library ? [...documents, ...library.documents] : documents;
}

type AttachServices = { vector_stores: VectorStores; logger: Logger };

/**
 * Has OpenAI's stores for a turn's documents made ready where they are not, and names them in the turn. Waits as long as
 * that takes, five minutes at the most. Where it fails the model does without (`begun.files_missing`), unless the files
 * came with this very message: then what went wrong is thrown. Throws `VectorStoresMissing` where the upstream has none.
 *
 * `complaints`: what OpenAI said of the stores.
 */
export async function attachFiles(
  { vector_stores, logger }: AttachServices,
  begun: Begun,
  turn: ModelTurn,
  running: RunningTurn,
  { signal, complaints = [] }: { signal: AbortSignal; complaints?: Complaint[] },
): Promise<void> {
  const progress = new Map<Place, Progress>();
  const attached = await Promise.all(sourcesOf(begun, running.session_id).map(attach));
  turn.vector_store_ids = attached.filter((store_id) => store_id !== null);
  if (progress.size > 0) running.setStatus('thinking');

  async function attach({ place, holder, document_count }: Source) {
    const { vector_store } = holder;
    const complaint = complaints.find(({ store_id }) => store_id === vector_store?.store_id);
    if (!complaint && isReady(holder)) return vector_store!.store_id;

    showProgress(place, { ready: 0, total: document_count });
    const brought = holder.documents.filter(({ is_new }) => is_new).map(({ original_id }) => original_id);
    const result = await waitFor(place, {
      documents: holder.documents,
      complaint,
      at_once:
        (vector_store?.attempts ?? 0) < hopeless_attempts ||
        holder.documents.some((document) => isAwaited(document, vector_store?.store_id)),
      signal,
      onProgress: (present) => showProgress(place, present),
    });
    const { store_id, revision, failure } = result;
    holder.documents = result.documents.map((document) => ({
      ...document,
      is_new: brought.includes(document.original_id),
    }));
    holder.is_loaded = true;
    holder.vector_store = store_id
      ? { store_id, revision, status: 'active', expires_at: null, attempts: 0 }
      : null;
    const refused = holder.documents.find(({ is_new, index_error }) => is_new && index_error !== null);
    if (refused) throw cannotBeIndexed();
    if (failure) {
      if (holder.documents.some((document) => isAwaited(document, store_id)))
        throw failure instanceof FilesPutOff ? notReady() : failure;
      logger.warn({ error: failure, turn_id: running.id }, 'a reply is given without all of its files');
      doWithout(begun, turn);
    }
    return store_id;
  }

  async function waitFor(
    place: Place,
    wanting: { documents: NewDocument[] } & NonNullable<Parameters<VectorStores['makeReady']>[1]>,
  ): Promise<Readiness> {
    try {
      return await withTimeLimit(vector_stores.makeReady(place, wanting), longest_wait_ms);
    } catch (error) {
      if (!(error instanceof TimeLimitExceeded)) throw error;
      return { store_id: null, revision: 0, documents: wanting.documents, failure: notReady() };
    }
  }

  function showProgress(place: Place, present: Progress) {
    progress.set(place, present);
    const sum = { ready: 0, total: 0 };
    for (const { ready, total } of progress.values()) {
      sum.ready += ready;
      sum.total += total;
    }
    running.setStatus('preparing_files', sum);
  }
}

/** Whether a document came with this very message and is not in the store. */
function isAwaited({ is_new, vector_store_id }: NewDocument, store_id: string | null | undefined) {
  return is_new && (vector_store_id === null || vector_store_id !== store_id);
}

/** The reply is given without the files, and says so. */
function doWithout(begun: Begun, turn: ModelTurn) {
  if (!begun.files_missing) turn.instructions += `\n\n${without_files}`;
  begun.files_missing = true;
}

/** Leaves the stores out, which OpenAI refuses again and again. */
export function detachFiles(begun: Begun, turn: ModelTurn): void {
  turn.vector_store_ids = [];
  doWithout(begun, turn);
}

/** Whether a store can be searched for all documents, as far as our rows know. */
function isReady({ documents, vector_store }: Source['holder']): boolean {
  if (vector_store?.status !== 'active') return false;
  if (vector_store.expires_at !== null && Date.parse(vector_store.expires_at) <= Date.now()) return false;
  return documents.every(
    ({ vector_store_id, index_error, is_new }) =>
      vector_store_id === vector_store.store_id || (index_error !== null && !is_new),
  );
}

/** Asks OpenAI what has become of a turn's stores. */
export async function inspectFiles(
  vector_stores: VectorStores,
  begun: Begun,
  turn: ModelTurn,
  running: RunningTurn,
): Promise<Complaint[]> {
  const complaints = await Promise.all(
    sourcesOf(begun, running.session_id).map(async ({ holder: { vector_store }, held_count: expected }) => {
      if (!vector_store || !turn.vector_store_ids.includes(vector_store.store_id)) return undefined;
      const { store_id, revision } = vector_store;
      return await vector_stores.inspect({ store_id, revision, expected });
    }),
  );
  return complaints.filter((complaint) => complaint !== undefined);
}

/** A complaint about each store of a turn, where OpenAI refused them and does not say which. */
export function complainOfAll(begun: Begun, running: RunningTurn): Complaint[] {
  return sourcesOf(begun, running.session_id).flatMap(({ holder: { vector_store } }) =>
    vector_store
      ? { store_id: vector_store.store_id, revision: vector_store.revision, what: 'gone' as const }
      : [],
  );
}

function cannotBeIndexed() {
  return new AppError(
    'model_failed',
    'One of these files could not be made ready for the coach. This message was not counted; send it without that file, or with the file in another format.',
  );
}
