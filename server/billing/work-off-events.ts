import type Stripe from 'stripe';
import { fetchSubscription } from './apply-subscription.ts';
import type { StripeParts } from './billing-parts.ts';
import { claimEvents, type EventTarget, markEventsProcessed, type NewEvent } from './event-queries.ts';
import { idOf, toIso } from './read-subscription.ts';
import { settleCheckout } from './settle-checkout.ts';
import { isMissing } from './stripe-client.ts';
import { takeBackCharge } from './take-back-refunds.ts';

/** What is kept of an event: to which object it happened. Nothing of the object itself is believed. */
export function describeEvent(event: Stripe.Event): NewEvent {
  const { object_kind, object_id } = targetOf(
    event.data.object as unknown as { object: string; id?: string },
  );
  return {
    id: event.id,
    type: event.type,
    object_kind,
    object_id: object_id ?? null,
    happened_at: toIso(event.created),
  };
}

function targetOf(object: { object: string; id?: string }): { object_kind: string; object_id?: string } {
  const of = (object_kind: string, object_id: string | undefined) =>
    object_id === undefined ? { object_kind } : { object_kind, object_id };
  switch (object.object) {
    case 'subscription':
    case 'checkout.session':
    case 'charge':
      return of(object.object, object.id);
    case 'invoice': {
      // Since 2025 an invoice's subscription stands under its parent.
      const { parent } = object as Stripe.Invoice;
      return of('subscription', idOf(parent?.subscription_details?.subscription));
    }
    case 'subscription_schedule': {
      const schedule = object as Stripe.SubscriptionSchedule;
      return of('subscription', idOf(schedule.subscription) ?? idOf(schedule.released_subscription));
    }
    case 'refund':
      return of('charge', idOf((object as Stripe.Refund).charge));
    default:
      return { object_kind: object.object };
  }
}

/**
 * Works off the events that are due: asks Stripe how each object stands now and takes that over. So duplicates, their order
 * and their age do not matter. What fails comes again later.
 */
export async function workOffEvents(parts: StripeParts): Promise<void> {
  for (;;) {
    const target = await claimEvents(parts.database);
    if (!target) return;
    try {
      await takeOver(parts, target);
      await markEventsProcessed(parts.database, target.event_ids);
    } catch (error) {
      const { object_kind, object_id, attempts } = target;
      parts.logger.warn({ error, object_kind, object_id, attempts }, 'an event of Stripe was put off');
      if (attempts >= 5) parts.tellOperators('billing_difference');
    }
  }
}

async function takeOver(parts: StripeParts, { object_kind, object_id }: EventTarget): Promise<void> {
  if (object_kind === 'subscription') {
    await fetchSubscription(parts, object_id);
    return;
  }
  const stripe = await parts.stripe.load();
  try {
    if (object_kind === 'checkout.session') {
      await settleCheckout(parts, await stripe.checkout.sessions.retrieve(object_id));
    } else if (object_kind === 'charge') {
      await takeBackCharge(parts, await stripe.charges.retrieve(object_id));
    }
  } catch (error) {
    // It is gone, so there is nothing to take over.
    if (!isMissing(error)) throw error;
  }
}
