import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

/** `until`: ISO 8601. `granted_by`: the operator's profile; null: a command. */
type NewGrant = {
  user_id: string;
  plan: string;
  until: string;
  note: string;
  granted_by: string | null;
};

/** Gives an open account a plan. Returns the grant's id; null where there is no such account. */
export async function grantPlan(database: Database, grant: NewGrant): Promise<string | null> {
  const { rows } = await sql<{ id: string | null }>`
    select public.grant_plan(
      ${grant.user_id}, ${grant.plan}, ${grant.until}, ${grant.note}, ${grant.granted_by}
    ) as id
  `.execute(database);
  return rows[0]!.id;
}

/** Ends a grant now. Returns whether there was one that went on. */
export async function revokeGrant(database: Database, id: string): Promise<boolean> {
  const { rows } = await sql<{ revoked: boolean }>`select public.revoke_plan_grant(${id}) as revoked`.execute(
    database,
  );
  return rows[0]!.revoked;
}

/** The last 200 grants, the latest first. */
export function listGrants(database: Database) {
  return database
    .selectFrom('plan_grants')
    .innerJoin('profiles', 'profiles.id', 'plan_grants.user_id')
    .select([
      'plan_grants.id',
      'plan_grants.user_id',
      'profiles.email',
      'plan',
      'until',
      'note',
      'granted_by',
      'revoked_at',
      'plan_grants.created_at',
    ])
    .orderBy('plan_grants.created_at', 'desc')
    .orderBy('plan_grants.id')
    .limit(200)
    .execute();
}
