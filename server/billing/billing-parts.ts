import type { TellOperators } from '../accounts/operator-notices.ts';
import type { Config } from '../platform/config.ts';
import type { Database } from '../platform/database.ts';
import { AppError } from '../platform/errors.ts';
import type { Jobs } from '../platform/jobs.ts';
import type { Logger } from '../platform/logger.ts';
import type { PlanCatalog } from './plans.ts';
import type { StripeClient } from './stripe-client.ts';

/** What billing works with. `stripe` is undefined where its key is not set: then operators grant plans. */
export type BillingParts = {
  config: Config;
  database: Database;
  logger: Logger;
  plans: PlanCatalog;
  stripe: StripeClient | undefined;
  tellOperators: TellOperators;
  jobs: Jobs;
  site_url: string;
};

/** The same where Stripe is there. */
export type StripeParts = Omit<BillingParts, 'stripe' | 'jobs' | 'config' | 'site_url'> & {
  stripe: StripeClient;
};

/** Throws `billing_off` without Stripe's key. */
export function requireStripe<Parts extends { stripe: StripeClient | undefined }>(
  parts: Parts,
): Parts & { stripe: StripeClient } {
  const { stripe } = parts;
  if (!stripe) {
    throw new AppError(
      'billing_off',
      'Nothing can be bought here: whoever runs this site gives plans by hand. Ask them.',
    );
  }
  return { ...parts, stripe };
}
