import { sendOrGiveUp } from '../accounts/send-or-give-up.ts';
import type { Mailer } from '../platform/mail/mailer.ts';
import type { BillingParts, StripeParts } from './billing-parts.ts';
import { paymentFailedMail } from './mails.ts';
import { claimUntoldFailures, unclaimFailure } from './queries.ts';
import { toIso } from './read-subscription.ts';
import { isMissing } from './stripe-client.ts';

type Parts = StripeParts & Pick<BillingParts, 'site_url'> & { mailer: Mailer };

/**
 * Tells each member by mail whose payment did not go through and is tried again, once for each invoice. Stripe is asked first:
 * what has been paid meanwhile needs no mail. What cannot be sent now comes again with the next run, and throws.
 */
export async function tellOfFailedPayments(parts: Parts): Promise<void> {
  const { database, mailer, plans, site_url } = parts;
  let failure: unknown;
  for (const untold of await claimUntoldFailures(database)) {
    try {
      const invoice = await findInvoice(parts, untold.invoice_id);
      if (invoice?.status !== 'open') continue;
      const plan = plans.plans.find(({ slug }) => slug === untold.plan)?.title ?? null;
      const { next_payment_attempt: next } = invoice;
      const next_attempt_at = next ? toIso(next) : null;
      await sendOrGiveUp(mailer, paymentFailedMail({ to: untold.email, site_url, plan, next_attempt_at }));
    } catch (error) {
      failure = error;
      await unclaimFailure(database, untold);
    }
  }
  if (failure) throw failure;
}

async function findInvoice({ stripe: client }: Parts, id: string) {
  const stripe = await client.load();
  try {
    return await stripe.invoices.retrieve(id);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
