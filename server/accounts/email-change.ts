import { z } from 'zod';
import type { Database } from '../platform/database.ts';
import { AppError } from '../platform/errors.ts';
import type { Mailer } from '../platform/mail/mailer.ts';
import type { RateLimit, RateLimits } from '../platform/rate-limit.ts';
import {
  applyEmailChange,
  confirmMailbox,
  deleteEmailChange,
  findEmailChangeForUpdate,
  findEmailChanger,
  replaceEmailChange,
} from './email-change-queries.ts';
import { createMailToken, hashMailToken } from './mail-token.ts';
import { emailChangeCurrentMail, emailChangeNewMail, emailTakenMail } from './mails/email-mails.ts';

type EmailChangeParts = {
  database: Database;
  mailer: Mailer;
  site_url: string;
  rate_limits: RateLimits;
};

/** However many accounts ask: the mailbox may be a stranger's. How often one account asks is counted where it asks. */
const to_address: RateLimit = { name: 'email_change_to', points: 5, per_ms: 24 * 60 * 60_000 };

/**
 * Asks both mailboxes whether an account may change its address; the change that was asked for before dies. To ask for the
 * present address cancels it. Where the new address has an account, its owner gets a mail that says so, and nothing else
 * looks different. Takes as long as two mails. Throws `invalid_request`, `account_closed`, `email_unconfirmed`, `sign_in_required`,
 * `too_many_requests` and `mail_not_sent`, and then nothing has changed.
 */
export async function startEmailChange(
  parts: EmailChangeParts,
  given: { auth_id: string; new_email: string },
): Promise<void> {
  const { database, mailer, site_url, rate_limits } = parts;
  const new_email = given.new_email.trim().toLowerCase();
  // No looser: the address stands in a mail to the present one, where a program would make a link of another text.
  if (new_email.length > 255 || !z.email().safeParse(new_email).success) {
    throw new AppError('invalid_request', 'This is not an email address. Nothing was changed.');
  }
  const account = await findEmailChanger(database, given.auth_id, new_email);
  if (!account)
    throw new AppError('sign_in_required', 'This account does not exist any more. Sign up again.');
  if (account.is_deleted)
    throw new AppError('account_closed', 'This account is closed. Nothing was changed.');
  const { user_id, email, is_taken, email_confirmed } = account;
  if (email === new_email) return deleteEmailChange(database, user_id);
  // The present mailbox may be a stranger's as well, who never asked for any mail of ours.
  if (email !== null && !email_confirmed) {
    throw new AppError(
      'email_unconfirmed',
      'Confirm the address that you have first: open the link in the mail that we sent there. Nothing was changed.',
    );
  }

  await rate_limits.consume(to_address, new_email);
  const current_token = createMailToken();
  const new_token = createMailToken();
  // The mails first: where one cannot be sent, the links of the change before still work.
  await mailer.send(
    is_taken
      ? emailTakenMail({ to: new_email, site_url })
      : emailChangeNewMail({ to: new_email, site_url, token: new_token }),
  );
  if (email) {
    await mailer.send(emailChangeCurrentMail({ to: email, site_url, token: current_token, new_email }));
  }
  await replaceEmailChange(database, {
    user_id,
    new_email,
    current_token: hashMailToken(current_token),
    new_token: hashMailToken(new_token),
    has_current: email !== null,
  });
}

/**
 * Notes that the mailbox with this token has confirmed a change of address, and makes the change with the second one:
 * `half`, then `done`, again and again for 24 hours. `invalid`: the token is none of ours, replaced or too old, or
 * somebody else has the address by now; nothing was changed then.
 */
export async function confirmEmailChange(
  { database }: Pick<EmailChangeParts, 'database'>,
  token: string,
): Promise<'half' | 'done' | 'invalid'> {
  try {
    return await database.transaction().execute(async (transaction) => {
      const change = await findEmailChangeForUpdate(transaction, hashMailToken(token));
      if (!change) return 'invalid';
      if (change.is_done) return 'done';
      await confirmMailbox(transaction, change);
      if (!change.other_is_confirmed) return 'half';
      if (!(await applyEmailChange(transaction, change))) throw new AddressTaken();
      return 'done';
    });
  } catch (error) {
    if (error instanceof AddressTaken || isUniqueViolation(error)) return 'invalid';
    throw error;
  }
}

/** Rolls the transaction back. */
class AddressTaken extends Error {}

function isUniqueViolation(error: unknown) {
  return (error as { code?: string }).code === '23505';
}
