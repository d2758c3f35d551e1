import type pg from 'pg';
import type { Config } from '../platform/config.ts';
import { type Finding, findingsAbout } from './finding.ts';

/** `named`: the open account with the address in OPERATOR_EMAIL. */
type Operators = {
  number: number;
  named: { confirmed: boolean; role: 'member' | 'operator' | null } | null;
};

const { good, note } = findingsAbout('operators');
const add = 'npm run operator -- add someone@example.org';

/** Whether somebody runs the site, and what OPERATOR_EMAIL does about it. */
export async function checkOperators(pool: pg.Pool, config: Config): Promise<Finding[]> {
  let operators: Operators;
  try {
    operators = await findOperators(pool, config.operator_email);
  } catch (error) {
    const { code } = error as { code?: string };
    // The table is not there yet, which the schema's line says.
    if (code === '42P01' || code === '42703') return [];
    return [note(`They could not be counted (${code ?? 'no answer within 5 seconds'}).`)];
  }
  const { number, named } = operators;
  if (number === 0) return [describeNone(named, config)];
  return [
    good(number === 1 ? 'There is one.' : `There are ${number}.`),
    ...(config.operator_email && named?.role !== 'operator'
      ? [note(`The account in OPERATOR_EMAIL is none of them: that setting only makes the first one. ${add}`)]
      : []),
  ];
}

function describeNone(named: Operators['named'], { operator_email, is_local }: Config) {
  if (!operator_email) return note(`There is none yet: sign up, then ${add}`);
  if (!named)
    return note('There is none yet, and no account has the address in OPERATOR_EMAIL: sign up with it.');
  if (named.role === 'member') {
    return note(
      `There is none. The account in OPERATOR_EMAIL was removed before, and the setting does not bring it back: ${add}`,
    );
  }
  if (!named.confirmed && !is_local) {
    return note(
      `There is none yet. The address in OPERATOR_EMAIL has not been confirmed: open the link in the mail to it, or ${add}`,
    );
  }
  return note('There is none yet: the account in OPERATOR_EMAIL becomes one when it opens the site.');
}

async function findOperators(pool: pg.Pool, email: string | undefined) {
  const { rows } = await pool.query<Operators>(
    `select
      (select count(*)::int from public.user_roles join public.profiles on profiles.id = user_id
        where role = 'operator' and not is_deleted) as number,
      (select jsonb_build_object('confirmed', email_confirmed, 'role', role)
        from public.profiles left join public.user_roles on user_id = profiles.id
        where email = $1 and not is_deleted) as named`,
    [email ?? null],
  );
  return rows[0]!;
}
