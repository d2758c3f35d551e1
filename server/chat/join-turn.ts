import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../platform/database.ts';
import { notFound } from '../platform/errors.ts';
import { findTurn, type TurnRow } from './queries.ts';
import type { TurnEnd, TurnReader } from './running-turn.ts';
import { failureOf } from './turn-failure.ts';

const poll_ms = 500;

/**
 * Follows a turn that does not run in this process through its row: the text that is kept each second, and its end.
 * `turn`: the row as the caller found it.
 */
export async function followTurn(
  database: Database,
  auth_id: string,
  turn: TurnRow,
  reader: TurnReader,
  sequence: number,
  signal: AbortSignal,
): Promise<void> {
  let row: TurnRow | undefined = turn;
  let told = Math.min(sequence, row.content.length);
  while (!signal.aborted) {
    if (!row) {
      reader.end({ event: 'error', error: notFound('chat'), counted: false }, told);
      return;
    }
    if (row.content.length > told) {
      reader.text(row.content.slice(told), row.content.length);
      told = row.content.length;
    }
    if (row.status !== 'answering') {
      for (const citation of row.citations) reader.citation(citation, told);
      reader.end(endOf(row), told);
      return;
    }
    await delay(poll_ms, undefined, { signal }).catch(() => {});
    row = await findTurn(database, auth_id, turn.id);
  }
}

/** The end of a turn as its row tells it. */
export function endOf(row: TurnRow): TurnEnd {
  if (row.status === 'failed') return { event: 'error', error: failureOf(row.error_code), counted: false };
  return {
    event: 'end',
    status: row.status as 'done' | 'stopped',
    message_id: row.message_id,
    incomplete: row.incomplete,
    allowance: row.allowances,
  };
}
