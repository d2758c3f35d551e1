import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type OpenAI from 'openai';
import { type Database, tryWhileAway } from '../platform/database.ts';
import { AppError } from '../platform/errors.ts';
import { isGoneUpstream, type OpenAIUpstream } from '../platform/models/openai-client.ts';
import { isUpstreamError } from '../platform/models/upstream-errors.ts';
import { type Document, getDocumentText } from './queries.ts';
import {
  type Advance,
  advanceVectorStore,
  type Claim,
  deleteUpload,
  type Held,
  insertUpload,
  type Place,
  type Progress,
  recordOpenAIFile,
  recordVectorStore,
} from './vector-store-queries.ts';

/** The upstream is a compatible server that has no vector stores at all. */
export class VectorStoresMissing extends Error {}

/** Somebody else makes the store now: we were silent for longer than 15 s, or its chat was deleted. */
export class ClaimLost extends Error {}

/** OpenAI has lost the store that is being filled. */
class StoreGone extends Error {}

/** OpenAI says that it cannot index a document; trying again does not help. */
class DocumentRefused extends Error {
  readonly code: string;
  constructor(code: string) {
    super('OpenAI cannot index a document');
    this.code = code;
  }
}

/** The document was deleted meanwhile. */
class DocumentGone extends Error {}

const files_at_once = 8;
const heartbeat_ms = 5_000;
const longest_poll_ms = 1_000;
/** OpenAI takes seconds for a usual document, and was seen to take a minute for a long one. */
const indexing_timeout_ms = 120_000;
/** How often in one attempt a store may get lost, and a file. */
const most_losses = 3;
/** What OpenAI says of a document that it will never index (openapi 2.3.0, VectorStoreFileObject.last_error). */
const lasting_refusals = ['unsupported_file', 'invalid_file'];

type Filling = {
  database: Database;
  upstream: OpenAIUpstream;
  /** How this installation marks its stores at OpenAI. */
  mark: string;
  place: Place;
  name: string;
  claim: Extract<Claim, { outcome: 'claimed' }>;
  token: string;
  /** Tries also what OpenAI has refused to index before. */
  at_once: boolean;
  onProgress: (progress: Progress) => void;
  /** Aborts when this process stops. */
  signal: AbortSignal;
};

/**
 * Makes a claimed place's store at OpenAI hold all its documents: makes the store where there is none, uploads what is not
 * there from our own text, and waits until each is indexed. Every step is recorded, so that whoever takes the claim over
 * goes on from there. Throws what went wrong; the caller ends the claim.
 *
 * Returns the store's id, and whether a store that was said to lack files lacked none.
 */
export async function fillVectorStore(filling: Filling): Promise<{ store_id: string; was_whole: boolean }> {
  const { database, upstream, claim, token, onProgress } = filling;
  const client = await upstream.client();
  const held: Held = { id: claim.id, token };
  const lost = new AbortController();
  const signal = AbortSignal.any([filling.signal, lost.signal]);
  const progress: Progress = { ready: 0, total: 0 };
  let advancing: Promise<unknown> = Promise.resolve();

  /** One after the other: each says how far it has come by then. */
  function advance(done: Advance): Promise<void> {
    const next = advancing.then(async () => {
      signal.throwIfAborted();
      const kept = await tryWhileAway(() => advanceVectorStore(database, held, done));
      if (!kept) lost.abort(new ClaimLost());
      signal.throwIfAborted();
    });
    advancing = next.catch(() => {});
    return next;
  }
  const heartbeat = setInterval(() => advance({}).catch(() => {}), heartbeat_ms);
  heartbeat.unref();

  try {
    let { store_id } = claim;
    let documents = claim.documents.filter(
      ({ index_error, vector_store_id }) =>
        index_error === null || (filling.at_once && vector_store_id === null),
    );
    let was_whole = false;
    if (store_id && claim.is_checked) {
      const held_ids = await listIndexedFiles(client, store_id, signal);
      const missing = documents.filter(
        ({ vector_store_id, openai_file_id }) =>
          vector_store_id === store_id && !held_ids?.has(openai_file_id ?? ''),
      );
      was_whole = missing.length === 0 && held_ids !== undefined;
      if (!held_ids) store_id = null;
      else {
        if (missing.length > 0) await advance({ lost: missing.map(({ original_id }) => original_id) });
        for (const document of missing) document.vector_store_id = null;
      }
      if (!store_id) await forget();
    }
    for (let losses = 0; ; losses++) {
      try {
        store_id ??= await createStore();
        const target = store_id;
        const missing = documents.filter(({ vector_store_id }) => vector_store_id !== target);
        progress.total = documents.length;
        progress.ready = documents.length - missing.length;
        onProgress(progress);
        await eachOf(missing, (document) => addDocument(target, document));
        await advancing;
        signal.throwIfAborted();
        return { store_id, was_whole };
      } catch (error) {
        if (!(error instanceof StoreGone) || losses === most_losses) throw error;
        await forget();
        store_id = null;
      }
    }

    /** The store is gone: nothing is in it any more. */
    async function forget() {
      if (!(await tryWhileAway(() => recordVectorStore(database, held, null)))) throw new ClaimLost();
      documents = documents.map((document) => ({ ...document, vector_store_id: null }));
    }
  } finally {
    clearInterval(heartbeat);
  }

  async function createStore() {
    const { place, name, mark } = filling;
    const store = await client.vectorStores
      // Not aborted, here and where a file is made: what is made while nobody waits would be known to nobody.
      .create({
        name,
        expires_after: { anchor: 'last_active_at', days: upstream.config.store_days },
        metadata: { touchline: mark, session_id: place.session_id ?? 'library' },
      })
      .catch((error) => {
        throw isGoneUpstream(error) ? new VectorStoresMissing() : error;
      });
    if (!(await tryWhileAway(() => recordVectorStore(database, held, store.id)))) throw new ClaimLost();
    signal.throwIfAborted();
    return store.id;
  }

  async function addDocument(store_id: string, document: Document) {
    const { original_id } = document;
    try {
      await indexDocument(store_id, document);
      await advance({ indexed: [original_id] });
    } catch (error) {
      if (error instanceof DocumentRefused) await advance({ refused: { [original_id]: error.code } });
      else if (!(error instanceof DocumentGone)) throw error;
    }
    document.vector_store_id = store_id;
    progress.ready++;
    onProgress(progress);
  }

  /** A file that OpenAI has lost is uploaded again. */
  async function indexDocument(store_id: string, document: Document) {
    for (let losses = 0; ; losses++) {
      document.openai_file_id ??= await uploadDocument(document);
      try {
        const file_id = document.openai_file_id;
        await client.vectorStores.files.create(store_id, { file_id }, { signal });
        await untilIndexed(client, store_id, file_id, signal);
        return;
      } catch (error) {
        const { status } = error as { status?: number };
        if (status !== 404 && status !== 400) throw error;
        if (!(await isUsable(client, store_id, signal))) throw new StoreGone();
        if (status !== 404 || losses === most_losses) throw error;
        document.openai_file_id = null;
      }
    }
  }

  async function uploadDocument({ original_id, file_name }: Document) {
    const { toFile } = await import('openai');
    const text = Buffer.from(await getDocumentText(database, filling.place.user_id, original_id));
    // A document always has a text.
    if (text.length === 0) throw new DocumentGone();
    const name = markdownName(file_name);
    const upload = { name_hash: hashName(name), size_bytes: text.length };
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted();
      const upload_id = await insertUpload(database, upload);
      try {
        const { id } = await client.files.create(
          { file: await toFile(text, name), purpose: 'user_data' },
          // Each try is known by its own row.
          { maxRetries: 0 },
        );
        const record = { original_id, openai_file_id: id, upload_id };
        if (await tryWhileAway(() => recordOpenAIFile(database, held, record))) return id;
        await advance({});
        throw new DocumentGone();
      } catch (error) {
        // What was refused was not made; of any other end nobody knows.
        const { status } = error as { status?: number };
        if (status !== undefined && status < 500) await deleteUpload(database, upload_id);
        const isPassing = isUpstreamError(error) && (status === undefined || status === 429 || status >= 500);
        if (!isPassing || attempt > 0 || isBalanceExhausted(error)) throw error;
        await delay(500, undefined, { signal });
      }
    }
  }
}

/** SHA-256 of a file's name at OpenAI, in hexadecimal. */
export function hashName(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}

function isBalanceExhausted(error: unknown) {
  return (error as { code?: string | null }).code === 'insufficient_quota';
}

/** The model sees the name: it is the member's own, with the ending of what is uploaded. */
function markdownName(file_name: string) {
  return /\.md$/i.test(file_name) ? file_name : `${file_name}.md`;
}

/** The files that a store holds and can search; undefined: the store is gone. */
async function listIndexedFiles(client: OpenAI, store_id: string, signal: AbortSignal) {
  const ids = new Set<string>();
  try {
    const options = { filter: 'completed', limit: 100 } as const;
    for await (const { id } of client.vectorStores.files.list(store_id, options, { signal })) ids.add(id);
    return (await isUsable(client, store_id, signal)) ? ids : undefined;
  } catch (error) {
    if (isGoneUpstream(error)) return undefined;
    throw error;
  }
}

async function isUsable(client: OpenAI, store_id: string, signal: AbortSignal) {
  try {
    const { status } = await client.vectorStores.retrieve(store_id, { signal });
    return status !== 'expired';
  } catch (error) {
    if (isGoneUpstream(error)) return false;
    throw error;
  }
}

async function untilIndexed(client: OpenAI, store_id: string, file_id: string, signal: AbortSignal) {
  const deadline_ms = performance.now() + indexing_timeout_ms;
  for (let wait_ms = 50; ; wait_ms = Math.min(wait_ms * 2, longest_poll_ms)) {
    const { status, last_error } = await client.vectorStores.files.retrieve(
      file_id,
      { vector_store_id: store_id },
      { signal },
    );
    if (status === 'completed') return;
    if (last_error && lasting_refusals.includes(last_error.code)) throw new DocumentRefused(last_error.code);
    if (status !== 'in_progress' || performance.now() > deadline_ms) throw notReady();
    await delay(wait_ms, undefined, { signal });
  }
}

/** What the member is told whose files OpenAI does not index. */
export function notReady(): AppError {
  return new AppError(
    'model_failed',
    'Your files could not be made ready for the coach. This message was not counted; try again in a minute.',
  );
}

/** Does the work for each item, so many at once; the first failure ends it, when what is under way has ended. */
async function eachOf<Item>(items: Item[], work: (item: Item) => Promise<void>) {
  const waiting = [...items];
  let failure: { error: unknown } | undefined;
  async function worker() {
    for (let item = waiting.shift(); item !== undefined && !failure; item = waiting.shift()) {
      try {
        await work(item);
      } catch (error) {
        // Whether the store is gone says more than what came of it.
        if (!failure || error instanceof StoreGone) failure = { error };
      }
    }
  }
  await Promise.all(Array.from({ length: files_at_once }, worker));
  if (failure) throw failure.error;
}
