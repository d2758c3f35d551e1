import type { Citation } from '../knowledge/citation.ts';
import { resolveCitation } from '../knowledge/resolve-citation.ts';
import { AppError } from '../platform/errors.ts';
import type { CitationSource, ModelEvent, ModelTurn } from '../platform/models/model.ts';
import { type Mendable, UpstreamUnusable, upstreamError } from '../platform/models/upstream-errors.ts';
import { withTimeLimit } from '../platform/time-limit.ts';
import { type Begun, mendUpstream } from './prepare-turn.ts';
import type { TurnServices } from './run-turn.ts';
import type { RunningTurn } from './running-turn.ts';

const citation_timeout_ms = 5_000;

/** How much of a chat that does not fit the model is told next: about 25,000 tokens, then 5,000. */
const shorter_histories_characters = [100_000, 20_000];

/**
 * Passes the model's events on, until the last one, which it returns. What OpenAI cannot use of the chat is made anew before the first word, each thing once;
 * a history that does not fit is shortened twice. `preparing` aborts when that has taken too long. Throws when the reply
 * has no end, or no word.
 */
export async function streamReply(
  services: TurnServices,
  begun: Begun,
  turn: ModelTurn,
  running: RunningTurn,
  preparing: AbortSignal,
): Promise<Extract<ModelEvent, { type: 'end' }>> {
  const mended: Mendable[] = [];
  let history_characters: number | undefined;
  for (;;) {
    try {
      return await passEvents(services, begun, turn, running);
    } catch (error) {
      if (!(error instanceof UpstreamUnusable) || running.text !== '') throw error;
      const times = mended.filter((what) => what === error.what).length;
      if (error.what === 'history') {
        history_characters = shorter_histories_characters[times];
        if (history_characters === undefined)
          throw upstreamError({ status: 400, code: 'context_length_exceeded' });
      } else if (times > 0) throw upstreamError({ status: 500 });
      mended.push(error.what);
      await mendUpstream(services, begun, turn, running, {
        what: error.what,
        history_characters,
        signal: preparing,
      });
    }
  }
}

async function passEvents(
  { database, logger, model }: TurnServices,
  begun: Begun,
  turn: ModelTurn,
  running: RunningTurn,
) {
  const citations: Promise<void>[] = [];
  let count = 0;
  try {
    for await (const event of model(turn, running.abort.signal)) {
      switch (event.type) {
        case 'text':
          running.addText(event.text);
          break;
        case 'tool_call':
          if (!running.text) running.setStatus('searching_files');
          break;
        case 'citation':
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

  /** Adds a citation. Its place is looked up meanwhile; one that cannot be found names the file alone. */
  async function cite(number: number, { index, source }: Extract<ModelEvent, { type: 'citation' }>) {
    const said = running.text.slice(0, index);
    const { user_id, documents } = begun;
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

/** The chat's file that a model cites; undefined for one that is not the chat's. */
function findCited(source: CitationSource, { documents }: Begun) {
  const document = documents.find((candidate) =>
    source.kind === 'passage'
      ? candidate.file_id === source.passage.file_id
      : candidate.openai_file_id === source.openai_file_id,
  );
  return document && { file_id: document.file_id, file_name: document.file_name };
}
