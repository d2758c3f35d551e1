/**
 * `npm run operator -- add someone@example.org | remove someone@example.org | list`: who runs the site. In the embedded
 * mode it uses the database as it runs, else starts it and stops it again. Doing it twice does no harm. Exit code 1 when
 * it could not be done, 2 when it was not understood.
 */
import { operatorAddedMail } from '../server/accounts/mails.ts';
import { findAccountByEmail, grantRole, listOperators, revokeRole } from '../server/accounts/queries.ts';
import { StartError } from '../server/platform/config.ts';
import type { Database } from '../server/platform/database.ts';
import { createMailer } from '../server/platform/mail/mailer.ts';
import { openPresentDatabase } from './open-present-database.ts';
import { type Command, runCommand } from './run-command.ts';

const usage = `Usage:
  npm run operator -- add someone@example.org      makes that account an operator
  npm run operator -- remove someone@example.org   makes it a member again
  npm run operator -- list                         shows who is an operator
`;

type Wish = { name: 'list' } | { name: 'add' | 'remove'; email: string };

const wish = readWish(process.argv.slice(2));
if (!wish) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else {
  await runCommand(async (command) => {
    const where_none = 'start Touchline with npm start, sign up there, and try again.';
    return fulfil(wish, command, await openPresentDatabase(command, where_none));
  });
}

function readWish([name, email, ...others]: string[]): Wish | undefined {
  if (others.length > 0) return undefined;
  if (name === 'list') return email === undefined ? { name } : undefined;
  if (name !== 'add' && name !== 'remove') return undefined;
  const address = email?.trim().toLowerCase() ?? '';
  return /^[^\s@]+@[^\s@]+$/.test(address) ? { name, email: address } : undefined;
}

async function fulfil(wish: Wish, command: Command, database: Database): Promise<string[]> {
  if (wish.name === 'list') return describeOperators(database);
  const account = await findAccountByEmail(database, wish.email);
  if (!account) {
    throw new StartError(
      `No account has the address ${wish.email}: sign up with it first, then run this again. Nothing was changed.`,
    );
  }
  if (wish.name === 'remove') return removeOperator(database, wish.email, account.id);
  if (account.is_deleted) {
    throw new StartError(
      `The account ${wish.email} is closed, so it cannot be an operator. Nothing was changed.`,
    );
  }
  const lines = (await grantRole(database, account.id, null))
    ? [`${wish.email} is an operator now. ${await tell(command, wish.email)}`]
    : [`${wish.email} is an operator already. Nothing was changed.`];
  if (!account.email_confirmed) {
    lines.push(
      'This address has not been confirmed: make sure that the account belongs to the person you mean.',
    );
  }
  return lines;
}

async function removeOperator(database: Database, email: string, user_id: string) {
  if (!(await revokeRole(database, user_id, null)))
    return [`${email} is not an operator. Nothing was changed.`];
  const lines = [`${email} is not an operator any more.`];
  if ((await listOperators(database)).length === 0) {
    lines.push('There is no operator left: npm run operator -- add someone@example.org');
  }
  return lines;
}

async function describeOperators(database: Database) {
  const operators = await listOperators(database);
  if (operators.length === 0)
    return ['There is no operator yet: npm run operator -- add someone@example.org'];
  return operators.map(({ email, granted_at, email_confirmed }) => {
    const since = `since ${granted_at.slice(0, 10)}`;
    return `${email ?? '(no address)'}  ${since}${email_confirmed ? '' : '  (address not confirmed)'}`;
  });
}

/** Sends the mail that tells a new operator; the role stands whether it goes out or not. */
async function tell({ config, logger }: Command, to: string) {
  const mailer = createMailer(config, logger);
  const site_url = config.public_url ?? `http://localhost:${config.port}`;
  try {
    await mailer.send(operatorAddedMail({ to, site_url }));
    return mailer.outbox ? 'The mail that says so lies in the outbox.' : 'A mail tells them.';
  } catch {
    return 'The mail that says so could not be sent: tell them yourself.';
  } finally {
    await mailer.close();
  }
}
