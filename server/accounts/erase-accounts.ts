import type { Database } from '../platform/database.ts';
import type { Job } from '../platform/jobs.ts';
import type { Logger } from '../platform/logger.ts';
import type { Mailer } from '../platform/mail/mailer.ts';
import {
  claimReceipt,
  eraseAccount,
  forgetAddress,
  forgetOldAddresses,
  listAccountsToErase,
  markErasedAccounts,
} from './closing-queries.ts';
import { accountErasedMail } from './mails/closing-mails.ts';
import { type Erasers, runErasures } from './run-erasures.ts';
import { sendOrGiveUp } from './send-or-give-up.ts';

type Parts = { database: Database; erasers: Erasers; mailer: Mailer; logger: Logger; site_url: string };

/** Erases each hour the accounts whose 30 days are over. */
export function eraseAccountsJob(parts: Parts): Job {
  return { name: 'erase_closed_accounts', schedule: '41 * * * *', run: () => eraseClosedAccounts(parts) };
}

/**
 * Erases closed accounts whose time is over, and sends a receipt for each of which nothing is left anywhere: our rows and
 * the user at Auth in one transaction, all else through the erasers, which may take as long as they need. Wherever it is
 * broken off, the next run goes on; any number of servers may do it at once.
 */
export async function eraseClosedAccounts(parts: Parts): Promise<void> {
  const { database, erasers, logger } = parts;
  let failure: unknown;
  for (const profile_id of await listAccountsToErase(database)) {
    try {
      await eraseAccount(database, profile_id);
    } catch (error) {
      // One that cannot be erased keeps no other from it.
      logger.error({ error, profile_id }, 'a closed account could not be erased');
      failure = error;
    }
  }
  await runErasures(database, erasers, logger);
  await markErasedAccounts(database);
  await sendReceipts(parts);
  await forgetOldAddresses(database);
  if (failure) throw failure;
}

/** The address is kept until the mail server has taken the receipt, or has refused it for good. */
async function sendReceipts({ database, mailer, logger, site_url }: Parts) {
  for (;;) {
    const receipt = await claimReceipt(database);
    if (!receipt) return;
    try {
      await sendOrGiveUp(mailer, accountErasedMail({ ...receipt, to: receipt.email, site_url }));
      await forgetAddress(database, receipt.profile_id);
    } catch (error) {
      logger.warn({ error, profile_id: receipt.profile_id }, 'a receipt was not sent and comes again');
    }
  }
}
