import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

/** What operators are told by mail; listed in schema/13_operator_notices.sql too. */
export type OperatorNoticeKind = 'model_balance_exhausted' | 'billing_difference';

/**
 * Notes that something has happened, for every operator. `due`: how many are to be told, because they never were, or
 * because it comes back after a day of silence.
 */
export async function noteForOperators(
  database: Database,
  kind: OperatorNoticeKind,
): Promise<{ operators: number; due: number }> {
  const { rows } = await sql<{ is_due: boolean }>`
    insert into public.operator_notices as notices (kind, user_id)
    select ${kind}, user_roles.user_id
    from public.user_roles
    join public.profiles on profiles.id = user_roles.user_id
    where user_roles.role = 'operator' and not profiles.is_deleted
    on conflict (kind, user_id) do update
    set noticed_at = now(),
      sent_at = case when notices.noticed_at > now() - interval '1 day' then notices.sent_at end
    returning notices.sent_at is null as is_due
  `.execute(database);
  return { operators: rows.length, due: rows.filter(({ is_due }) => is_due).length };
}

type DueOperatorNotice = { kind: OperatorNoticeKind; user_id: string; email: string };

/** Notices whose mail is still to be sent to somebody who is an operator and has an address. */
export function listDueOperatorNotices(database: Database): Promise<DueOperatorNotice[]> {
  return database
    .selectFrom('operator_notices as notices')
    .innerJoin('profiles', 'profiles.id', 'notices.user_id')
    .innerJoin('user_roles', 'user_roles.user_id', 'notices.user_id')
    .select(['notices.kind', 'notices.user_id', 'profiles.email'])
    .where('notices.sent_at', 'is', null)
    .where('user_roles.role', '=', 'operator')
    .where('profiles.is_deleted', '=', false)
    .where('profiles.email', 'is not', null)
    .$castTo<DueOperatorNotice>()
    .execute();
}

export async function markOperatorNoticeSent(
  database: Database,
  { kind, user_id }: { kind: OperatorNoticeKind; user_id: string },
): Promise<void> {
  await database
    .updateTable('operator_notices')
    .set({ sent_at: sql`now()` })
    .where('kind', '=', kind)
    .where('user_id', '=', user_id)
    .execute();
}
