import { setTimeout as delay } from 'node:timers/promises';
import type { TellOperators } from '../accounts/operator-notices.ts';
import type { Coach } from '../coaches/coach-file.ts';
import type { Citation } from '../knowledge/citation.ts';
import { resolveCitation } from '../knowledge/resolve-citation.ts';
import type { Database } from '../platform/database.ts';
import { AppError, notFound } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { CitationSource, Model, ModelEvent, ModelTurn } from '../platform/models/model.ts';
import type { OpenAIUpstream } from '../platform/models/openai-client.ts';
import {
  isUpstreamError,
  type Mendable,
  UpstreamUnusable,
  upstreamError,
} from '../platform/models/upstream-errors.ts';
import { estimateUsage, no_usage } from './estimate-usage.ts';
import { type Begun, mendUpstream, prepareTurn } from './prepare-turn.ts';
import { type FinishInput, type FinishOutcome, finishTurn } from './queries.ts';
import type { RunningTurn, TurnEnd } from './running-turn.ts';
import { type RunningTurns, ServerStopping, TurnGone, TurnStopped } from './running-turns.ts';
import { serverStopped } from './turn-failure.ts';

export type TurnServices = {
  database: Database;
  logger: Logger;
  model: Model;
  /** Undefined with the practice coach. */
  upstream: OpenAIUpstream | undefined;
  running_turns: RunningTurns;
  tellOperators: TellOperators;
};

/**
 * Makes the reply to a turn that has begun: prepares what the model needs, passes its words to whoever reads, and
 * finishes the turn in the database whatever happens. Never throws. The reply belongs to the turn: no reader's
 * leaving ends it.
 */
export async function runTurn(
  services: TurnServices,
  coach: Coach,
  begun: Begun,
  running: RunningTurn,
): Promise<void> {
  const { signal } = running.abort;
  let turn: ModelTurn | undefined;
  let end: Extract<ModelEvent, { type: 'end' }> | undefined;
  let failure: unknown;
  try {
    turn = await prepareInTime(services, coach, begun, running);
    end = await streamReply(services, begun, turn, running);
  } catch (error) {
    failure = signal.aborted ? signal.reason : error;
  }
  running.endText();

  const stopped = failure instanceof TurnStopped;
  const error = failure && !stopped ? asAppError(failure) : undefined;
  if (error && !(failure instanceof TurnGone)) {
    services.logger.warn({ error: failure, code: error.code, turn_id: running.id }, 'a turn failed');
  }
  if (error?.code === 'model_balance_exhausted') services.tellOperators('model_balance_exhausted');
  const result: FinishInput = {
    turn_id: running.id,
    status: error ? 'failed' : stopped ? 'stopped' : 'done',
    error_code: error?.code ?? null,
    content: running.text,
    citations: running.citations,
    incomplete: end?.outcome === 'incomplete',
    history_shortened: begun.history_shortened,
    usage:
      end?.usage ??
      (stopped && running.text && services.upstream && turn ? estimateUsage(turn, running.text) : no_usage),
    conversation_id: end ? (turn?.conversation_id ?? null) : null,
  };
  let outcome: FinishOutcome | undefined;
  try {
    outcome = await finishPatiently(services, result);
    running.end(describeEnd(result, outcome, error));
  } catch (finishError) {
    services.logger.error({ error: finishError, turn_id: running.id }, 'a turn could not be finished');
    running.end({ event: 'error', error: asAppError(finishError), counted: false });
  } finally {
    services.running_turns.delete(running);
  }
}

/** How much of a chat that does not fit the model is told next: about 25,000 tokens, then 5,000. */
const shorter_histories_characters = [100_000, 20_000];

/**
 * Passes the model's events on. What OpenAI cannot use of the chat is made anew before the first word, each thing once;
 * a history that does not fit is shortened twice.
 */
async function streamReply(services: TurnServices, begun: Begun, turn: ModelTurn, running: RunningTurn) {
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
      await mendUpstream(services, begun, turn, running, error.what, history_characters);
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
    const place = await resolveCitation(database, { source, user_id, documents, said }).catch((error) => {
      logger.warn({ error, turn_id: running.id }, 'the place of a citation could not be looked up');
      return { ...findCited(source, begun)!, page: null, passage_id: null, quote: null };
    });
    if (place) running.addCitation({ number, index, ...place } satisfies Citation);
  }
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

const practice_patience_ms = 45_000;

async function prepareInTime(
  services: TurnServices,
  coach: Coach,
  begun: Begun,
  running: RunningTurn,
): Promise<ModelTurn> {
  // What is made ready upstream and the request itself share one patience.
  const patience_ms = services.upstream?.config.patience_ms ?? practice_patience_ms;
  const deadline_ms = running.started_ms + patience_ms;
  const timeout = AbortSignal.timeout(patience_ms);
  const signal = AbortSignal.any([running.abort.signal, timeout]);
  try {
    return await prepareTurn(services, coach, begun, { running, signal, deadline_ms });
  } catch (error) {
    if (!timeout.aborted || running.abort.signal.aborted) throw error;
    throw new AppError(
      'model_timed_out',
      'The coach could not be made ready in time. This message was not counted; try again in a minute.',
      { cause: error },
    );
  }
}

const finish_patience_ms = 5 * 60_000;

/** Writes the end of a turn, trying again while the database is away: finishing twice changes nothing. */
async function finishPatiently({ database, logger }: TurnServices, input: FinishInput) {
  const deadline = Date.now() + finish_patience_ms;
  for (let wait_ms = 100; ; wait_ms = Math.min(wait_ms * 2, 5_000)) {
    try {
      return await finishTurn(database, input);
    } catch (error) {
      if (isRefused(error)) return await finishTurn(database, { ...input, ...as_failed });
      if (Date.now() + wait_ms > deadline) throw error;
      logger.warn(
        { error, turn_id: input.turn_id },
        'the end of a turn could not be written and is tried again',
      );
      await delay(wait_ms);
    }
  }
}

/** A row that the database refuses is refused again: the turn ends as failed, without its text. */
const as_failed = {
  status: 'failed',
  error_code: 'model_failed',
  content: '',
  citations: [] as Citation[],
} satisfies Partial<FinishInput>;

/** SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation), PostgreSQL 17, appendix A. */
function isRefused(error: unknown) {
  return /^2[23]/.test((error as { code?: string }).code ?? '');
}

function describeEnd(
  result: FinishInput,
  outcome: FinishOutcome | undefined,
  error: AppError | undefined,
): TurnEnd {
  if (!outcome) return { event: 'error', error: notFound('chat'), counted: false };
  if (outcome.status === 'failed') {
    // Another server may have given the turn up before we could end it.
    const reason = error && error.code !== 'not_found' ? error : serverStopped();
    return { event: 'error', error: reason, counted: false };
  }
  return {
    event: 'end',
    status: outcome.status as 'done' | 'stopped',
    message_id: outcome.message_id,
    incomplete: result.incomplete,
    history_shortened: result.history_shortened,
    allowance: outcome.allowances ?? null,
  };
}

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof TurnGone) return notFound('chat');
  if (error instanceof ServerStopping) return serverStopped();
  if (isUpstreamError(error)) return upstreamError(error);
  return new AppError(
    'model_failed',
    'The reply failed. This message was not counted; try again in a minute.',
    {
      cause: error,
    },
  );
}
