/**
 * `npm run grant -- someone@example.org pro 2027-01-31 "a note"`: gives a member a plan until the end of that day in UTC;
 * `list` shows the last grants, `end <id>` ends one. Exit code 1 when it could not be done, 2 when it was not understood.
 */
import { join } from 'node:path';
import { findAccountByEmail } from '../server/accounts/queries.ts';
import { grantPlan, listGrants, revokeGrant } from '../server/billing/grant-queries.ts';
import { loadPlans } from '../server/billing/load-plans.ts';
import { setPlans } from '../server/billing/queries.ts';
import { StartError } from '../server/platform/config.ts';
import type { Database } from '../server/platform/database.ts';
import { openPresentDatabase } from './open-present-database.ts';
import { runCommand } from './run-command.ts';

const usage = `Usage:
  npm run grant -- someone@example.org pro 2027-01-31 "a note"   gives that plan until the end of that day (UTC)
  npm run grant -- list                                          shows the last grants
  npm run grant -- end <id>                                      ends one now
`;

const plans_file = join(import.meta.dirname, '..', 'plans.yaml');

const run = readCommand(process.argv.slice(2));
if (!run) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else {
  await runCommand(async (command) => run(await openPresentDatabase(command)));
}

function readCommand([first, second, third, note = '', ...others]: string[]) {
  if (others.length > 0) return undefined;
  if (first === 'list' && second === undefined) return list;
  if (first === 'end' && /^[0-9a-f-]{36}$/i.test(second ?? '') && third === undefined) {
    return (database: Database) => end(database, second!);
  }
  const until = /^\d{4}-\d\d-\d\d$/.test(third ?? '') ? Date.parse(`${third}T23:59:59Z`) : Number.NaN;
  if (!first?.includes('@') || !second || Number.isNaN(until) || note.length > 500) return undefined;
  return (database: Database) => give(database, { email: first, plan: second, until, note });
}

async function give(
  database: Database,
  { email, plan, until, note }: { email: string; plan: string; until: number; note: string },
): Promise<string[]> {
  const plans = await loadPlans(plans_file);
  if (!plans.plans.some(({ slug }) => slug === plan)) {
    const known = plans.plans.map(({ slug }) => slug).join(', ');
    throw new StartError(`There is no plan ${plan}, only ${known}. Nothing was changed.`);
  }
  if (until <= Date.now()) throw new StartError('This day is over. Nothing was changed.');
  const account = await findAccountByEmail(database, email);
  await setPlans(database, plans);
  const grant = { plan, until: new Date(until).toISOString(), note: note.trim(), granted_by: null };
  const id = account && (await grantPlan(database, { ...grant, user_id: account.id }));
  if (!id) throw new StartError(`No open account has the address ${email}. Nothing was changed.`);
  return [`${email} has ${plan} until ${grant.until.slice(0, 10)}. To end it: npm run grant -- end ${id}`];
}

async function end(database: Database, id: string): Promise<string[]> {
  if (await revokeGrant(database, id)) return ['It has ended.'];
  throw new StartError('There is no such grant, or it has ended. Nothing was changed.');
}

async function list(database: Database): Promise<string[]> {
  const grants = await listGrants(database);
  if (grants.length === 0) return ['There are no grants.'];
  return grants.map(({ id, email, plan, until, revoked_at, note }) => {
    const time = revoked_at ? 'ended' : `until ${until.slice(0, 10)}`;
    return `${id}  ${email ?? '(no address)'}  ${plan}  ${time}${note ? `  ${note}` : ''}`;
  });
}
