import type { Citation } from '../knowledge/citation.ts';
import { listLibraryDocuments } from '../knowledge/queries.ts';
import { resolveCitation } from '../knowledge/resolve-citation.ts';
import type { Complaint } from '../knowledge/vector-store-queries.ts';
import { AppError } from '../platform/errors.ts';
import type { CitationSource, ModelEvent, ModelTurn } from '../platform/models/model.ts';
import { type Mendable, UpstreamUnusable, upstreamError } from '../platform/models/upstream-errors.ts';
import { withTimeLimit } from '../platform/time-limit.ts';
import { complainOfAll, detachFiles, documentsOf, inspectFiles } from './attach-files.ts';
import type { Patience } from './patience.ts';
import { type Begun, mendUpstream } from './prepare-turn.ts';
import type { TurnServices } from './run-turn.ts';
import type { RunningTurn } from './running-turn.ts';

const citation_timeout_ms = 5_000;

/** How much of a chat that does not fit the model is told next: about 25,000 tokens, then 5,000. */
const shorter_histories_characters = [100_000, 20_000];

/** How often the stores are made anew in one turn before it goes on without the files. */
const most_store_mendings = 2;

/** OpenAI says that stores are gone or lack files; the request that was to search them was broken off. */
class StoresUnusable extends UpstreamUnusable {
  readonly complaints: Complaint[];
  constructor(complaints: Complaint[]) {
    super('vector_store', true);
    this.complaints = complaints;
  }
}

/**
 * Passes the model's events on, until the last one, which it returns. What OpenAI cannot use of the chat is made anew before
 * the first word, each thing once, stores twice; a history that does not fit is shortened twice. Throws when the reply has
 * no end, or no word.
 */
export async function streamReply(
  services: TurnServices,
  begun: Begun,
  turn: ModelTurn,
  running: RunningTurn,
  patience: Patience,
): Promise<Extract<ModelEvent, { type: 'end' }>> {
  const mended: Mendable[] = [];
  let history_characters: number | undefined;
  for (;;) {
    try {
      return await passEvents(services, begun, turn, running);
    } catch (error) {
      if (!(error instanceof UpstreamUnusable) || running.text !== '') throw error;
      const times = mended.filter((what) => what === error.what).length;
      mended.push(error.what);
      if (error.what === 'vector_store') {
        if (times < most_store_mendings) await mendStores(error);
        else detachFiles(begun, turn);
        continue;
      }
      if (error.what === 'history') {
        history_characters = shorter_histories_characters[times];
        if (history_characters === undefined)
          throw upstreamError({ status: 400, code: 'context_length_exceeded' });
      } else if (times > 0) throw upstreamError({ status: 500 });
      await mendUpstream(services, begun, turn, running, {
        what: error.what,
        history_characters,
        patience,
      });
    }
  }

  async function mendStores(error: UpstreamUnusable) {
    let complaints = error instanceof StoresUnusable ? error.complaints : [];
    if (complaints.length === 0)
      complaints = await inspectFiles(services.vector_stores!, begun, turn, running);
    if (complaints.length === 0) complaints = complainOfAll(begun, running);
    const mendings = [
      mendUpstream(services, begun, turn, running, { what: 'vector_store', complaints, patience }),
    ];
    // What the conversation holds of the request that was broken off is not known.
    if (error.had_begun && turn.conversation_id) {
      const what = 'conversation';
      mendings.push(mendUpstream(services, begun, turn, running, { what, history_characters, patience }));
    }
    await Promise.all(mendings);
  }
}

async function passEvents(services: TurnServices, begun: Begun, turn: ModelTurn, running: RunningTurn) {
  const { database, logger, model } = services;
  const citations: Promise<void>[] = [];
  let count = 0;
  let loading: Promise<void> | undefined;
  const attempt = new AbortController();
  // While the model begins, not before: hardly ever is something wrong, and then there is no word yet.
  let inspecting: Promise<void> | undefined = inspectStores();
  try {
    for await (const event of model(turn, AbortSignal.any([running.abort.signal, attempt.signal]))) {
      switch (event.type) {
        case 'text':
          if (inspecting) {
            await inspecting;
            inspecting = undefined;
            attempt.signal.throwIfAborted();
          }
          running.addText(event.text);
          break;
        case 'tool_call':
          loading ??= loadLibrary();
          running.has_searched = true;
          if (!running.text) running.setStatus('searching_files');
          break;
        case 'citation':
          await loading;
          if (findCited(event.source, begun)) citations.push(cite(++count, event));
          break;
        case 'end':
          running.endText();
          if (running.text === '') throw emptyReply();
          return event;
      }
    }
  } finally {
    await Promise.all(citations);
    running.citations.sort((one, other) => one.number - other.number);
  }
  throw new AppError(
    'model_cut_off',
    'The coach broke off in the middle. This message was not counted; try again.',
  );

  /** What the library holds, for the citations; where it cannot be looked up they are left out. */
  async function loadLibrary() {
    const { library, user_id } = begun;
    if (!library || library.is_loaded) return;
    try {
      const documents = await withTimeLimit(listLibraryDocuments(database, user_id), citation_timeout_ms);
      Object.assign(library, { documents, is_loaded: true });
    } catch (error) {
      logger.warn({ error, turn_id: running.id }, 'the library could not be looked up for the citations');
    }
  }

  async function inspectStores() {
    if (turn.vector_store_ids.length === 0) return;
    const complaints = await inspectFiles(services.vector_stores!, begun, turn, running);
    if (complaints.length > 0 && running.text === '') attempt.abort(new StoresUnusable(complaints));
  }

  /** Adds a citation. Its place is looked up meanwhile; one that cannot be found names the file alone. */
  async function cite(number: number, { index, source }: Extract<ModelEvent, { type: 'citation' }>) {
    const said = running.text.slice(0, index);
    const { user_id } = begun;
    const documents = documentsOf(begun);
    const looking = resolveCitation(database, { source, user_id, documents, said });
    const place = await withTimeLimit(looking, citation_timeout_ms).catch((error) => {
      logger.warn({ error, turn_id: running.id }, 'the place of a citation could not be looked up');
      return { ...findCited(source, begun)!, page: null, passage_id: null, quote: null };
    });
    if (place) running.addCitation({ number, index, ...place } satisfies Citation);
  }
}

function emptyReply() {
  return new AppError(
    'model_failed',
    'The coach had no words for this. This message was not counted; try again, or put it another way.',
  );
}

/** The member's file that a model cites; undefined for one that this coach does not see. */
function findCited(source: CitationSource, begun: Begun) {
  if (source.kind === 'passage') {
    const { file_id, file_name } = source.passage;
    return { file_id, file_name };
  }
  const { openai_file_id } = source;
  const document = documentsOf(begun).find((candidate) => candidate.openai_file_id === openai_file_id);
  return document && { file_id: document.file_id, file_name: document.file_name };
}
