/**
 * `npm run operator -- add someone@example.org | remove someone@example.org | list`: who runs the site. In the embedded
 * mode it uses the database as it runs, else starts it and stops it again. Doing it twice does no harm. Exit code 1 when
 * it could not be done, 2 when it was not understood.
 */
import { join } from 'node:path';
import { operatorAddedMail } from '../server/accounts/mails.ts';
import { findAccountByEmail, grantRole, listOperators, revokeRole } from '../server/accounts/queries.ts';
import { type Config, loadConfig, StartError } from '../server/platform/config.ts';
import { describeConnectionFailure } from '../server/platform/connection-failure.ts';
import { createDatabase, createPool, type Database } from '../server/platform/database.ts';
import { createLogger } from '../server/platform/logger.ts';
import { createMailer } from '../server/platform/mail/mailer.ts';
import { findPendingFiles, readSchemaFiles } from '../server/platform/migrate.ts';
import { openDatabaseServer, runUndo, type Undo } from '../server/prepare-database.ts';

const usage = `Usage:
  npm run operator -- add someone@example.org      makes that account an operator
  npm run operator -- remove someone@example.org   makes it a member again
  npm run operator -- list                         shows who is an operator
`;

type Command = { name: 'list' } | { name: 'add' | 'remove'; email: string };

const root = join(import.meta.dirname, '..');
const undo: Undo = [];
let logger = createLogger('warn');
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await runUndo(undo, logger);
    process.exit(1);
  });
}

const command = readCommand(process.argv.slice(2));
if (!command) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else {
  try {
    const config = loadConfig(root);
    logger = createLogger(config.log_level);
    const lines = await run(command, config, await openDatabase(config));
    process.stdout.write(`${lines.join('\n')}\n`);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } finally {
    await runUndo(undo, logger);
  }
}

function readCommand([name, email, ...others]: string[]): Command | undefined {
  if (others.length > 0) return undefined;
  if (name === 'list') return email === undefined ? { name } : undefined;
  if (name !== 'add' && name !== 'remove') return undefined;
  const address = email?.trim().toLowerCase() ?? '';
  return /^[^\s@]+@[^\s@]+$/.test(address) ? { name, email: address } : undefined;
}

/** The database, which has everything that this version needs. Throws a `StartError`. */
async function openDatabase(config: Config): Promise<Database> {
  const url = await openDatabaseServer(config, undo, logger);
  if (!url) {
    throw new StartError(
      'There is no database yet: start Touchline with npm start, sign up there, and try again.',
    );
  }
  const pool = createPool(url, 2, logger);
  undo.push(() => pool.end());
  const pending = await findPendingFiles(pool, readSchemaFiles(join(root, 'schema'))).catch((cause) => {
    throw cause instanceof StartError ? cause : new StartError(describeConnectionFailure(cause), { cause });
  });
  if (pending.length > 0) {
    const names = pending.map((file) => file.name).join(', ');
    throw new StartError(
      `The database does not have the present form of ${names}: npm run migrate, then try again.`,
    );
  }
  return createDatabase(pool);
}

async function run(command: Command, config: Config, database: Database): Promise<string[]> {
  if (command.name === 'list') return describeOperators(database);
  const account = await findAccountByEmail(database, command.email);
  if (!account) {
    throw new StartError(
      `No account has the address ${command.email}: sign up with it first, then run this again. Nothing was changed.`,
    );
  }
  if (command.name === 'remove') return removeOperator(database, command.email, account.id);
  if (account.is_deleted) {
    throw new StartError(
      `The account ${command.email} is closed, so it cannot be an operator. Nothing was changed.`,
    );
  }
  const lines = (await grantRole(database, account.id, null))
    ? [`${command.email} is an operator now. ${await tell(config, command.email)}`]
    : [`${command.email} is an operator already. Nothing was changed.`];
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
async function tell(config: Config, to: string) {
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
