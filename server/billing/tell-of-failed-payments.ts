import { sendOrGiveUp } from '../accounts/send-or-give-up.ts';
import type { Mailer } from '../platform/mail/mailer.ts';
import type { BillingParts, StripeParts } from './billing-parts.ts';
import { claimUntoldEnd, claimUntoldFailure, unclaimEnd, unclaimFailure } from './failure-queries.ts';
import { paymentFailedMail, planEndedMail } from './mails.ts';
import { isLive, toIso } from './read-subscription.ts';
import { isMissing } from './stripe-client.ts';

type Parts = StripeParts & Pick<BillingParts, 'site_url'> & { mailer: Mailer };

/**
 * Tells members by mail whose payment did not go through and is tried again, once for each invoice, and whose plan has ended
 * because nothing was paid, once for each end. Stripe is asked first: what has been paid meanwhile needs no mail. What cannot
 * be sent now comes again with the next run, and throws; a server that is killed loses one mail at the most.
 */
export async function tellOfFailedPayments(parts: Parts): Promise<void> {
  const { database, mailer, plans, site_url } = parts;
  const stripe = await parts.stripe.load();
  const titleOf = (plan: string | null) => plans.plans.find(({ slug }) => slug === plan)?.title ?? null;

  const failures = await tellEach(
    (after_id) => claimUntoldFailure(database, after_id),
    async ({ email: to, plan, invoice_id }) => {
      const invoice = await findAtStripe(() => stripe.invoices.retrieve(invoice_id));
      if (invoice?.status !== 'open') return;
      const { next_payment_attempt: next } = invoice;
      const next_attempt_at = next ? toIso(next) : null;
      await sendOrGiveUp(mailer, paymentFailedMail({ to, site_url, plan: titleOf(plan), next_attempt_at }));
    },
    (untold) => unclaimFailure(database, untold),
  );
  const ends = await tellEach(
    (after_id) => claimUntoldEnd(database, after_id),
    async ({ id, email: to, plan, present_plan }) => {
      const subscription = await findAtStripe(() => stripe.subscriptions.retrieve(id));
      if (subscription && isLive(subscription.status)) return;
      const present = titleOf(present_plan) ?? present_plan;
      await sendOrGiveUp(mailer, planEndedMail({ to, site_url, plan: titleOf(plan), present }));
    },
    (untold) => unclaimEnd(database, untold),
  );
  const failure = failures ?? ends;
  if (failure) throw failure;
}

/** Claims one after the other and tells of it. Returns the last error, after everything has been tried once. */
async function tellEach<Untold extends { id: string }>(
  claimNext: (after_id: string) => Promise<Untold | undefined>,
  tell: (untold: Untold) => Promise<void>,
  unclaim: (untold: Untold) => Promise<void>,
): Promise<unknown> {
  let failure: unknown;
  let untold = await claimNext('');
  while (untold) {
    try {
      await tell(untold);
    } catch (error) {
      failure = error;
      await unclaim(untold);
    }
    untold = await claimNext(untold.id);
  }
  return failure;
}

async function findAtStripe<Found>(retrieve: () => Promise<Found>): Promise<Found | undefined> {
  try {
    return await retrieve();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
