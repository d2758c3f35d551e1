import { setTimeout as delay } from 'node:timers/promises';
import type OpenAI from 'openai';
import type { Database } from '../platform/database.ts';
import { AppError } from '../platform/errors.ts';
import { eraseUpstream, isGoneUpstream, type OpenAIUpstream } from '../platform/models/openai-client.ts';
import { UpstreamUnusable } from '../platform/models/upstream-errors.ts';
import {
  attachToVectorStore,
  type Document,
  getDocumentText,
  recordVectorStore,
  setOpenAIFile,
} from './queries.ts';

export type StoredVectorStore = { store_id: string; status: string; expires_at: string | null };

/** The upstream is a compatible server that has no vector stores at all. */
export class VectorStoresMissing extends Error {}

type Knowledge = { database: Database; upstream: OpenAIUpstream };

type Chat = {
  user_id: string;
  session_id: string;
  documents: Document[];
  vector_store: StoredVectorStore | null;
};

const poll_ms = 200;
/** A part of the time that a whole turn has to become ready. */
const indexing_timeout_ms = 45_000;

/**
 * Makes sure that OpenAI can search a chat's documents, and returns the store's id: what is not there yet is uploaded
 * from our own text and awaited; an expired store is made anew. Changes `chat.documents` to what is true then.
 * A chat has one reply at a time. What a turn that was stopped still uploads may overtake the next one's: the row names the
 * later file, and the earlier one is noted for erasure.
 */
export async function prepareVectorStore(
  knowledge: Knowledge,
  chat: Chat,
  signal: AbortSignal,
): Promise<string> {
  const usable = isUsable(chat.vector_store) ? chat.vector_store!.store_id : undefined;
  const missing = chat.documents.filter((document) => !usable || document.vector_store_id !== usable);
  if (usable && missing.length === 0) return usable;

  try {
    return await fillStore(knowledge, chat, usable, missing, signal);
  } catch (error) {
    if (!usable || !(error instanceof UpstreamUnusable)) throw error;
    return await fillStore(knowledge, chat, undefined, chat.documents, signal);
  }
}

async function fillStore(
  knowledge: Knowledge,
  chat: Chat,
  usable: string | undefined,
  missing: Document[],
  signal: AbortSignal,
) {
  const client = await knowledge.upstream.client();
  const expires_at = new Date(Date.now() + knowledge.upstream.config.store_days * 86_400_000).toISOString();
  const store_id = usable ?? (await createStore(knowledge, client, chat, expires_at, signal));
  const place = { client, user_id: chat.user_id, store_id };
  await Promise.all(missing.map((document) => addDocument(knowledge, place, document, signal)));
  const file_ids = missing.map((document) => document.file_id);
  await attachToVectorStore(knowledge.database, { user_id: chat.user_id, file_ids, store_id, expires_at });
  for (const document of missing) document.vector_store_id = store_id;
  chat.vector_store = { store_id, status: 'active', expires_at };
  return store_id;
}

function isUsable(store: StoredVectorStore | null) {
  if (store?.status !== 'active') return false;
  return store.expires_at === null || Date.parse(store.expires_at) > Date.now();
}

async function createStore(
  { database, upstream }: Knowledge,
  client: OpenAI,
  chat: Chat,
  expires_at: string,
  signal: AbortSignal,
) {
  const name = `chat ${chat.session_id}`;
  const store = await client.vectorStores
    // Not aborted, here and where a file is made: what is made while nobody waits would be known to nobody.
    .create({
      name,
      expires_after: { anchor: 'last_active_at', days: upstream.config.store_days },
      metadata: { session_id: chat.session_id },
    })
    .catch((error) => {
      throw isGoneUpstream(error) ? new VectorStoresMissing() : error;
    });
  const recorded = await recordVectorStore(database, {
    store_id: store.id,
    replaces: chat.vector_store?.store_id ?? null,
    user_id: chat.user_id,
    session_id: chat.session_id,
    name,
    expires_at,
  }).catch(async (error) => {
    // The chat was deleted meanwhile, or the database is away.
    await eraseUpstream(client.vectorStores.delete(store.id)).catch(() => {});
    throw error;
  });
  if (recorded !== store.id) await eraseUpstream(client.vectorStores.delete(store.id)).catch(() => {});
  signal.throwIfAborted();
  return recorded;
}

/** Whose store a document goes into. */
type Place = { client: OpenAI; user_id: string; store_id: string };

async function addDocument(knowledge: Knowledge, place: Place, document: Document, signal: AbortSignal) {
  const { client, store_id } = place;
  const file_id = document.openai_file_id ?? (await uploadDocument(knowledge, place, document, signal));
  try {
    await client.vectorStores.files.create(store_id, { file_id }, { signal });
  } catch (error) {
    if (!isGoneUpstream(error)) throw error;
    // OpenAI has lost the file: upload it again from our text. If that does not help, it has lost the store.
    const again = await uploadDocument(knowledge, place, document, signal);
    await client.vectorStores.files.create(store_id, { file_id: again }, { signal }).catch((second) => {
      throw isGoneUpstream(second) ? new UpstreamUnusable('vector_store') : second;
    });
  }
  await awaitIndexing(client, store_id, document.openai_file_id!, signal);
}

async function uploadDocument(
  { database }: Knowledge,
  { client, user_id }: Place,
  document: Document,
  signal: AbortSignal,
) {
  const { toFile } = await import('openai');
  const text = await getDocumentText(database, user_id, document.original_id);
  const file = await client.files.create({
    file: await toFile(Buffer.from(text), markdownName(document.file_name)),
    purpose: 'user_data',
  });
  const kept = await setOpenAIFile(database, user_id, document.file_id, file.id).catch(() => false);
  if (!kept) {
    await eraseUpstream(client.files.delete(file.id)).catch(() => {});
    throw new AppError(
      'not_found',
      'One of the files is not there any more. Nothing was counted; add it again.',
    );
  }
  document.openai_file_id = file.id;
  signal.throwIfAborted();
  return file.id;
}

/** The model sees the name: it is the member's own, with the ending of what is uploaded. */
function markdownName(file_name: string) {
  return /\.md$/i.test(file_name) ? file_name : `${file_name}.md`;
}

async function awaitIndexing(client: OpenAI, store_id: string, openai_file_id: string, signal: AbortSignal) {
  const deadline = Date.now() + indexing_timeout_ms;
  for (;;) {
    const { status } = await client.vectorStores.files.retrieve(
      openai_file_id,
      { vector_store_id: store_id },
      { signal },
    );
    if (status === 'completed') return;
    if (status !== 'in_progress' || Date.now() > deadline) {
      throw new AppError(
        'model_failed',
        'Your files could not be made ready for the coach. This message was not counted; try again in a minute.',
      );
    }
    await delay(poll_ms, undefined, { signal });
  }
}
