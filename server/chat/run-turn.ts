import type { TellOperators } from '../accounts/operator-notices.ts';
import type { Coach } from '../coaches/coach-file.ts';
import type { ReadModelImage } from '../files/model-image.ts';
import type { VectorStores } from '../knowledge/vector-stores.ts';
import type { Database } from '../platform/database.ts';
import { AppError, notFound } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Model, ModelEvent, ModelTurn } from '../platform/models/model.ts';
import type { OpenAIUpstream } from '../platform/models/openai-client.ts';
import { isUpstreamError, upstreamError } from '../platform/models/upstream-errors.ts';
import { estimateUsage, no_usage } from './estimate-usage.ts';
import { describeEnd, finishPatiently } from './finish-turn.ts';
import { createPatience } from './patience.ts';
import { type Begun, prepareTurn } from './prepare-turn.ts';
import type { FinishInput, FinishOutcome } from './queries.ts';
import type { RunningTurn } from './running-turn.ts';
import { type RunningTurns, ServerStopping, TurnGone, TurnStopped } from './running-turns.ts';
import { streamReply } from './stream-reply.ts';
import { serverStopped } from './turn-failure.ts';

const practice_patience_ms = 45_000;

export type TurnServices = {
  database: Database;
  logger: Logger;
  model: Model;
  /** Undefined with the practice coach, as are its stores. */
  upstream: OpenAIUpstream | undefined;
  vector_stores: VectorStores | undefined;
  readModelImage: ReadModelImage;
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
  // What is made ready upstream, what is made anew there, and the first sign of the reply share one patience.
  const patience_ms = services.upstream?.config.patience_ms ?? practice_patience_ms;
  const patience = createPatience(patience_ms, signal);
  let turn: ModelTurn | undefined;
  let end: Extract<ModelEvent, { type: 'end' }> | undefined;
  let failure: unknown;
  try {
    turn = await prepareTurn(services, coach, begun, { running, patience });
    end = await streamReply(services, begun, turn, running, patience);
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
    conversation_id: end && !end.asked_again ? (turn?.conversation_id ?? null) : null,
    files_missing: begun.files_missing ?? false,
    searched: running.has_searched ? (turn?.vector_store_ids ?? []) : [],
    store_days: services.upstream?.config.store_days ?? null,
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

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof TurnGone) return notFound('chat');
  if (error instanceof ServerStopping) return serverStopped();
  if (isUpstreamError(error)) return upstreamError(error);
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new AppError(
      'model_timed_out',
      'The coach could not be made ready in time. This message was not counted; try again in a minute.',
    );
  }
  return new AppError(
    'model_failed',
    'The reply failed. This message was not counted; try again in a minute.',
    {
      cause: error,
    },
  );
}
