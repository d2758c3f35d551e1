import type { Database } from '../platform/database.ts';
import type { Logger } from '../platform/logger.ts';
import { deleteErasure, listDueErasures, postponeErasure } from './queries.ts';

/** Erases one thing for good. Resolves too when it was gone already; throws when it must be tried again. */
type Eraser = (external_id: string) => Promise<void>;

/** What each feature erases, by `erasures.kind`. Kinds without an eraser wait until there is one. */
export type Erasers = Record<string, Eraser>;

const batch_size = 50;

/**
 * Erases upstream what was deleted here, until nothing is due. A thing that cannot be erased now is put off and
 * tried again later. Erasing twice does no harm, so several servers may run this at once.
 */
export async function runErasures(database: Database, erasers: Erasers, logger: Logger): Promise<void> {
  const kinds = Object.keys(erasers);
  for (;;) {
    const due = await listDueErasures(database, kinds, batch_size);
    if (due.length === 0) return;
    for (const erasure of due) {
      try {
        await erasers[erasure.kind]!(erasure.external_id);
        await deleteErasure(database, erasure.id);
      } catch (error) {
        logger.warn({ error, erasure_id: erasure.id, kind: erasure.kind }, 'an erasure was put off');
        await postponeErasure(database, erasure.id);
      }
    }
  }
}
