import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

export type NewEvent = {
  id: string;
  type: string;
  object_kind: string;
  /** Null: it is about nothing that we keep. */
  object_id: string | null;
  /** ISO 8601. */
  happened_at: string;
};

/** Keeps an event, once for each id. Returns whether it was new and is to be worked off. */
export async function insertEvent(database: Database, event: NewEvent): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await database
    .insertInto('stripe_events')
    .values({ ...event, ...(event.object_id === null ? { processed_at: sql`now()` } : {}) })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n && event.object_id !== null;
}

export type EventTarget = { object_kind: string; object_id: string; event_ids: string[]; attempts: number };

/**
 * Takes the object about which an event has waited longest, with all that is due about it, and puts those events off: 1, 2,
 * 4 … minutes, a day at the most. What another server is taking just now is left to it: it is never waited for, because the two
 * could wait for each other.
 */
export async function claimEvents(database: Database): Promise<EventTarget | undefined> {
  const { rows } = await sql<EventTarget>`
    with target as (
      select object_kind, object_id from public.stripe_events
      where processed_at is null and next_attempt_at <= now()
      order by next_attempt_at
      limit 1
      for update skip locked
    ),
    due as (
      select id from public.stripe_events join target using (object_kind, object_id)
      where processed_at is null and next_attempt_at <= now()
      for update of stripe_events skip locked
    ),
    taken as (
      update public.stripe_events as events
      set attempts = attempts + 1,
        next_attempt_at = now() + least(interval '1 minute' * power(2, least(attempts, 12)), interval '1 day')
      from due
      where events.id = due.id
      returning events.id, events.object_kind, events.object_id, events.attempts
    )
    select object_kind, object_id, array_agg(id) as event_ids, max(attempts) as attempts
    from taken
    group by object_kind, object_id
  `.execute(database);
  return rows[0];
}

export async function markEventsProcessed(database: Database, ids: string[]): Promise<void> {
  await database
    .updateTable('stripe_events')
    .set({ processed_at: sql`now()` })
    .where('id', 'in', ids)
    .execute();
}

/** How many events could not be worked off in five attempts. */
export async function countStuckEvents(database: Database): Promise<number> {
  const { count } = await database
    .selectFrom('stripe_events')
    .select(sql<number>`count(*)`.as('count'))
    .where('processed_at', 'is', null)
    .where('attempts', '>=', 5)
    .executeTakeFirstOrThrow();
  return count;
}

/** Stripe sends an event again for three days at the most; whoever sends an older one again changes nothing by it. */
export async function deleteOldEvents(database: Database): Promise<void> {
  await database
    .deleteFrom('stripe_events')
    .where('processed_at', 'is not', null)
    .where('received_at', '<', sql<string>`now() - interval '90 days'`)
    .execute();
}
