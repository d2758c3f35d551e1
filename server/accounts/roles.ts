import type { SignedIn } from '../platform/auth.ts';
import type { Config } from '../platform/config.ts';
import type { Database } from '../platform/database.ts';
import { AppError } from '../platform/errors.ts';
import { operatorAddedMail } from './mails.ts';
import { findOperator, findRole, grantFirstOperator, type Role } from './queries.ts';
import { type MailParts, sendBehind } from './send-behind.ts';

export type RoleParts = MailParts & { config: Config; database: Database; site_url: string };

/**
 * The operator who sent a request, by the table as it stands now: a role that was taken away is gone at the next
 * request. To anybody else there is nothing here: throws `not_found`, in the words for an address that is none.
 */
export async function requireOperator(database: Database, person: SignedIn): Promise<{ user_id: string }> {
  const operator = await findOperator(database, person.auth_id);
  if (!operator) throw new AppError('not_found', 'There is nothing at this address.');
  return operator;
}

/**
 * Makes the account with the address in `OPERATOR_EMAIL` the first operator, and sends it a mail: only while there is no
 * operator, and once for an account. Returns whether it did. `even_unconfirmed`: whether the address will do before it
 * is confirmed; where others can reach the site, a stranger who signs up with it would run the site.
 */
export async function appointFirstOperator(parts: RoleParts, even_unconfirmed: boolean): Promise<boolean> {
  const { config, database, site_url } = parts;
  const to = config.operator_email;
  if (!to || !(await grantFirstOperator(database, to, even_unconfirmed))) return false;
  sendBehind(parts, operatorAddedMail({ to, site_url }));
  return true;
}

type RoleHolder = { id: string; email: string | null; email_confirmed: boolean; role: Role };

/**
 * A person's role; asks the database only for the one whom `OPERATOR_EMAIL` may be making the first operator now.
 * `is_from_this_machine`: of the request, because a proxy may stand in front of a server that takes itself for local.
 */
export async function settleRole(
  parts: RoleParts,
  profile: RoleHolder,
  is_from_this_machine: boolean,
): Promise<Role> {
  const { operator_email, is_local } = parts.config;
  const even_unconfirmed = is_local && is_from_this_machine;
  if (profile.role === 'operator' || !operator_email || profile.email !== operator_email) return profile.role;
  if (!profile.email_confirmed && !even_unconfirmed) return profile.role;
  if (await appointFirstOperator(parts, even_unconfirmed)) return 'operator';
  // Another request may have been the one that did it.
  return findRole(parts.database, profile.id);
}
