import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { PlanCatalog } from './plans.ts';

/** Tells the database the plans, at each start: see `set_plans` in schema/17_billing.sql. */
export async function setPlans(database: Database, { plans }: PlanCatalog): Promise<void> {
  const given = plans.map(({ slug, includes }) => ({ slug, quota: includes }));
  await sql`select public.set_plans(${JSON.stringify(given)}::jsonb)`.execute(database);
}
