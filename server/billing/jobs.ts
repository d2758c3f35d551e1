import type { Job } from '../platform/jobs.ts';
import type { Mailer } from '../platform/mail/mailer.ts';
import type { BillingParts } from './billing-parts.ts';
import { deleteOldEvents } from './event-queries.ts';
import { endPlanGrants, listUsageDifferences } from './queries.ts';
import { reconcileAndTell } from './reconcile.ts';
import { tellOfFailedPayments } from './tell-of-failed-payments.ts';
import { stripe_events_job } from './webhook-routes.ts';
import { workOffEvents } from './work-off-events.ts';

/** The background work of billing; without Stripe only grants end, and meters are checked. */
export function billingJobs(parts: Omit<BillingParts, 'jobs'> & { mailer: Mailer }): Job[] {
  const { database, logger, stripe, tellOperators } = parts;
  const always: Job[] = [
    {
      name: 'end_plan_grants',
      schedule: '*/10 * * * *',
      async run() {
        while ((await endPlanGrants(database)) > 0);
      },
    },
  ];
  if (!stripe) {
    return [
      ...always,
      {
        name: 'check_meters',
        schedule: '17 3 * * *',
        async run() {
          const differences = await listUsageDifferences(database);
          if (differences.length === 0) return;
          logger.error({ differences }, 'meters are not what the ledger says');
          tellOperators('billing_difference');
        },
      },
    ];
  }
  const stripe_parts = { ...parts, stripe };
  return [
    ...always,
    {
      name: stripe_events_job,
      schedule: '* * * * *',
      async run() {
        await workOffEvents(stripe_parts);
      },
    },
    // Of its own, so that a mail server that is slow does not keep what was paid waiting.
    {
      name: 'tell_of_failed_payments',
      schedule: '* * * * *',
      async run() {
        await tellOfFailedPayments(stripe_parts);
      },
    },
    {
      name: 'compare_with_stripe',
      schedule: '17 3 * * *',
      async run() {
        await reconcileAndTell(stripe_parts);
        await deleteOldEvents(database);
      },
    },
  ];
}
