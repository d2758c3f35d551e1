import type { Bell } from '../platform/bell.ts';
import type { Database } from '../platform/database.ts';
import { notFound } from '../platform/errors.ts';
import { findTurn, followRow, isRunning, type TurnRow } from './queries.ts';
import type { TurnEnd, TurnReader } from './running-turn.ts';
import { failureOf } from './turn-failure.ts';

/** How often a row is looked at without a ring: where rings do not arrive, and as a safeguard where they do. */
const unrung_ms = 500;
const rung_ms = 5_000;

/**
 * Follows a turn that does not run in this process through its row: the text that is kept each second, and its end.
 * The bell rings for each, the row is the truth. `turn`: the row as the caller found it.
 */
export async function followTurn(
  { database, bell }: { database: Database; bell: Bell },
  auth_id: string,
  turn: TurnRow,
  reader: TurnReader,
  sequence: number,
  signal: AbortSignal,
): Promise<void> {
  let row: TurnRow | undefined = turn;
  const ringing = bell.listen(turn.id);
  signal.addEventListener('abort', ringing.stop, { once: true });
  // A reader who comes from the process that makes the reply may be ahead of what is kept: it waits for the row to catch up.
  let told = sequence;
  let is_followed = false;
  try {
    while (!signal.aborted) {
      if (!row) {
        reader.end({ event: 'error', error: notFound('chat'), counted: false }, told);
        return;
      }
      if (row.content.length > told) {
        reader.text(row.content.slice(told), row.content.length);
        told = row.content.length;
      }
      if (!isRunning(row.status)) {
        // What a server that died had not kept is gone, and the end says how much there is.
        const kept = row.content.length;
        for (const citation of row.citations) reader.citation(citation, kept);
        reader.end(endOf(row), kept);
        return;
      }
      if (is_followed) await ringing.next(bell.works ? rung_ms : unrung_ms);
      else await followRow(database, auth_id, turn.id);
      is_followed = true;
      if (signal.aborted) return;
      row = await findTurn(database, auth_id, turn.id, { even_closed: true });
    }
  } finally {
    ringing.stop();
  }
}

/** The end of a turn as its row tells it. */
function endOf(row: TurnRow): TurnEnd {
  if (row.status === 'failed') return { event: 'error', error: failureOf(row.error_code), counted: false };
  return {
    event: 'end',
    status: row.status as 'done' | 'stopped',
    message_id: row.message_id,
    incomplete: row.incomplete,
    history_shortened: row.history_shortened,
    ...(row.files_missing && { files_missing: true }),
    allowance: row.allowances,
  };
}
