import type Stripe from 'stripe';
import { AppError } from '../platform/errors.ts';
import { createRouter } from '../platform/routes.ts';
import type { BillingParts } from './billing-parts.ts';
import { insertEvent } from './event-queries.ts';
import { describeEvent } from './work-off-events.ts';

export const webhook_path = '/api/stripe/webhook';
export const stripe_events_job = 'work_off_stripe_events';

/** How old a signature may be: whoever has recorded a request cannot send it again later. */
const tolerance_s = 300;

/** Where Stripe tells what happened: the event is kept and answered at once, and worked off by a job. */
export function webhookRoutes({ stripe, database, jobs, logger }: BillingParts) {
  const routes = createRouter();
  routes.post(webhook_path, async (c) => {
    const secret = stripe?.config.webhook_secret;
    if (!stripe || !secret) {
      throw new AppError('billing_off', 'No events are taken here: STRIPE_WEBHOOK_SECRET is not set.');
    }
    // The signature is over the bytes as they came.
    const body = Buffer.from(await c.req.arrayBuffer());
    const { webhooks } = await stripe.load();
    let event: Stripe.Event;
    try {
      event = webhooks.constructEvent(body, c.req.header('stripe-signature') ?? '', secret, tolerance_s);
    } catch (cause) {
      throw new AppError('invalid_signature', 'The signature does not fit. The event was not taken.', {
        cause,
      });
    }
    const described = describeEvent(event);
    if (await insertEvent(database, described)) jobs.wake(stripe_events_job);
    logger.info({ event_id: described.id, type: described.type }, 'an event of Stripe was taken');
    return c.json({ received: true }, 200);
  });
  return routes;
}
