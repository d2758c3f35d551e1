import { randomUUID } from 'node:crypto';
import type pg from 'pg';

export type TestMember = { auth_id: string; id: string; email: string };

type MemberOptions = {
  subscription_quota?: Record<string, number | null>;
  subscription_plan?: string;
  is_active?: boolean;
  /** Whose address is not confirmed has three messages. */
  email_confirmed?: boolean;
};

/** A person who has signed up: a row at Auth, and the profile that the trigger makes of it. */
export async function insertMember(pool: pg.Pool, given: MemberOptions = {}): Promise<TestMember> {
  const options = { email_confirmed: true, ...given };
  const auth_id = randomUUID();
  const email = `member-${auth_id}@example.org`;
  await pool.query(`insert into auth.users (id, email, raw_user_meta_data) values ($1, $2, '{}')`, [
    auth_id,
    email,
  ]);
  const assignments = Object.keys(options).map((column, index) => `${column} = $${index + 2}`);
  const { rows } = await pool.query(
    `update public.profiles set ${[...assignments, 'updated_at = now()'].join(', ')} where auth_id = $1 returning id`,
    [auth_id, ...Object.values(options)],
  );
  return { auth_id, id: rows[0].id, email };
}
