import { setTimeout as delay } from 'node:timers/promises';
import type { Citation } from '../knowledge/citation.ts';
import type { Database } from '../platform/database.ts';
import { type AppError, notFound } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { withTimeLimit } from '../platform/time-limit.ts';
import { type FinishInput, type FinishOutcome, finishTurn } from './queries.ts';
import type { TurnEnd } from './running-turn.ts';
import { serverStopped } from './turn-failure.ts';

const finish_patience_ms = 5 * 60_000;
const attempt_timeout_ms = 10_000;

/**
 * Writes the end of a turn, trying again while the database is away or hangs: finishing twice changes nothing. Gives up
 * after five minutes.
 */
export async function finishPatiently(
  { database, logger }: { database: Database; logger: Logger },
  input: FinishInput,
): Promise<FinishOutcome | undefined> {
  const deadline = Date.now() + finish_patience_ms;
  for (let wait_ms = 100; ; wait_ms = Math.min(wait_ms * 2, 5_000)) {
    try {
      return await withTimeLimit(finishTurn(database, input), attempt_timeout_ms);
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

/** What a turn's readers are told at its end. `error`: why it failed, as far as this process knows. */
export function describeEnd(
  result: FinishInput,
  outcome: FinishOutcome | undefined,
  error: AppError | undefined,
): TurnEnd {
  // The chat was deleted: that settles its turn as a stop would.
  if (!outcome) return { event: 'error', error: notFound('chat'), counted: result.content !== '' };
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
    // Hardly ever, and each end tells it otherwise.
    ...(result.files_missing && { files_missing: true }),
    allowance: outcome.allowances ?? null,
  };
}
