import { type Parameters, requireParameters, StripeRefusal } from './parameters.ts';
import { awaitConfirmation, expirePendingUpdate } from './pending-updates.ts';
import { find, happen, keep, listOf, newId, type StripeObject, type StripeState } from './state.ts';
import { addInterval, invoice, itemOf, setCancellation, setPrice } from './subscription-parts.ts';

/** A subscription as a paid checkout makes it. */
export function startSubscription(
  state: StripeState,
  customer: string,
  price: StripeObject,
  metadata: object,
) {
  const now = state.now();
  const id = newId('subscription');
  const subscription = keep(state, 'subscription', {
    id,
    billing_cycle_anchor: now,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
    collection_method: 'charge_automatically',
    currency: price.currency,
    customer,
    discounts: [],
    ended_at: null,
    items: {
      object: 'list',
      data: [newItem(state, id, price, now)],
      has_more: false,
      url: '/v1/subscription_items',
    },
    latest_invoice: null,
    metadata,
    pause_collection: null,
    pending_update: null,
    schedule: null,
    start_date: now,
    status: 'active',
    trial_end: null,
    trial_start: null,
  });
  invoice(state, subscription, price.unit_amount, 'subscription_create');
  return subscription;
}

function newItem(state: StripeState, subscription: string, price: StripeObject, start_s: number) {
  return {
    id: newId('subscription_item'),
    object: 'subscription_item',
    created: state.now(),
    current_period_start: start_s,
    current_period_end: addInterval(start_s, price.recurring.interval),
    metadata: {},
    price,
    quantity: 1,
    subscription,
  };
}

/** What a change of price at `at_s` costs: the rest of the period at the new price, less that at the old one. */
export function prorate(subscription: StripeObject, price: StripeObject, at_s: number): number {
  const item = itemOf(subscription);
  const left = (item.current_period_end - at_s) / (item.current_period_end - item.current_period_start);
  const unused = Math.round(item.price.unit_amount * left);
  if (price.recurring.interval !== item.price.recurring.interval) return price.unit_amount - unused;
  return Math.round(price.unit_amount * left) - unused;
}

export function updateSubscription(state: StripeState, subscription: StripeObject, given: Parameters) {
  if (subscription.status === 'canceled') {
    throw new StripeRefusal(404, `No such subscription: '${subscription.id}'`, {
      code: 'resource_missing',
      param: 'id',
    });
  }
  if (given.cancel_at_period_end !== undefined && subscription.schedule) {
    throw new StripeRefusal(
      400,
      `The subscription is managed by the subscription schedule \`${subscription.schedule}\`, and updating any cancelation behavior directly is not allowed. Please update the schedule instead.`,
    );
  }
  const [change] = given.items ?? [];
  if (change) {
    const item = itemOf(subscription);
    if (change.id !== item.id)
      throw new StripeRefusal(400, `Invalid subscription item`, { param: 'items[0][id]' });
    const price = find(state, 'price', change.price, 'items[0][price]');
    if (!price.active)
      throw new StripeRefusal(400, 'The price specified is inactive.', { param: 'items[0][price]' });
    if (price.currency !== subscription.currency)
      throw new StripeRefusal(400, 'The currencies do not match.');
    const at_s = given.proration_date ?? state.now();
    const amount = prorate(subscription, price, at_s);
    const isCollected = given.proration_behavior === 'always_invoice' && amount > 0;
    if (isCollected && state.declines_cards && given.payment_behavior === 'error_if_incomplete') {
      throw new StripeRefusal(402, 'Your card was declined.', { type: 'card_error', code: 'card_declined' });
    }
    if (isCollected && state.wants_confirmation) {
      return awaitConfirmation(state, subscription, given, price, amount);
    }
    if (subscription.pending_update) expirePendingUpdate(state, subscription);
    setPrice(state, subscription, price);
    if (isCollected) invoice(state, subscription, amount, 'subscription_update');
  }
  if (given.cancel_at_period_end !== undefined) {
    setCancellation(state, subscription, { cancel_at_period_end: given.cancel_at_period_end });
  }
  Object.assign(subscription.metadata, given.metadata);
  happen(state, 'customer.subscription.updated', subscription);
  return subscription;
}

export function endSubscription(
  state: StripeState,
  subscription: StripeObject,
  reason = 'cancellation_requested',
) {
  if (subscription.status === 'canceled') {
    throw new StripeRefusal(404, `No such subscription: '${subscription.id}'`, {
      code: 'resource_missing',
      param: 'id',
    });
  }
  Object.assign(subscription, {
    status: 'canceled',
    ended_at: state.now(),
    canceled_at: state.now(),
    schedule: null,
  });
  subscription.cancellation_details.reason = reason;
  happen(state, 'customer.subscription.deleted', subscription);
  return subscription;
}

export function createSchedule(state: StripeState, given: Parameters) {
  requireParameters(given, 'from_subscription');
  const subscription = find(state, 'subscription', given.from_subscription, 'from_subscription');
  if (subscription.schedule) {
    throw new StripeRefusal(400, 'You cannot migrate a subscription that is already attached to a schedule.');
  }
  const item = itemOf(subscription);
  const schedule = keep(state, 'subscription_schedule', {
    customer: subscription.customer,
    end_behavior: subscription.cancel_at_period_end ? 'cancel' : 'release',
    metadata: given.metadata ?? {},
    phases: [
      {
        start_date: item.current_period_start,
        end_date: item.current_period_end,
        items: [{ price: item.price.id, quantity: 1 }],
      },
    ],
    released_at: null,
    status: 'active',
    subscription: subscription.id,
  });
  subscription.schedule = schedule.id;
  happen(state, 'customer.subscription.updated', subscription);
  return schedule;
}

export function updateSchedule(state: StripeState, schedule: StripeObject, given: Parameters) {
  if (schedule.status !== 'active')
    throw new StripeRefusal(400, 'You cannot update a schedule that has ended.');
  const phases: Parameters[] = given.phases ?? schedule.phases;
  phases.forEach((phase, index) => {
    requireParameters(phase, 'items');
    for (const { price } of phase.items) find(state, 'price', price, `phases[${index}][items][0][price]`);
    if (index > 0) phase.start_date ??= phases[index - 1]!.end_date;
    if (phase.duration)
      phase.end_date = addInterval(phase.start_date, phase.duration.interval, phase.duration.interval_count);
    delete phase.duration;
    phase.end_date ??= addInterval(
      phase.start_date,
      find(state, 'price', phase.items[0].price).recurring.interval,
    );
  });
  if (phases[0]!.start_date !== schedule.phases[0].start_date) {
    throw new StripeRefusal(400, 'You can not modify the start date of the current phase.', {
      param: 'phases[0][start_date]',
    });
  }
  find(state, 'subscription', schedule.subscription).discounts = discountsOf(phases[0]!);
  Object.assign(schedule, { phases, end_behavior: given.end_behavior ?? schedule.end_behavior });
  Object.assign(schedule.metadata, given.metadata);
  happen(state, 'subscription_schedule.updated', schedule);
  return schedule;
}

/** What a phase does not name it has not; the double's customers have no discounts of their own. */
const discountsOf = ({ discounts = [] }: Parameters): string[] =>
  discounts.map(({ discount }: Parameters) => discount);

export function releaseSchedule(state: StripeState, schedule: StripeObject) {
  if (schedule.status !== 'active')
    throw new StripeRefusal(400, 'You cannot release a schedule that has ended.');
  const subscription = find(state, 'subscription', schedule.subscription);
  subscription.schedule = null;
  Object.assign(schedule, { status: 'released', released_at: state.now(), subscription: null });
  happen(state, 'subscription_schedule.released', schedule);
  happen(state, 'customer.subscription.updated', subscription);
  return schedule;
}

/** The customer gives a card that works, and what is open is paid with it. */
export function payOpenInvoices(state: StripeState, customer: string) {
  state.declines_cards = false;
  for (const subscription of listOf(state, 'subscription')) {
    if (subscription.customer !== customer || subscription.status !== 'past_due') continue;
    const open = find(state, 'invoice', subscription.latest_invoice);
    Object.assign(open, {
      amount_paid: open.amount_due,
      amount_remaining: 0,
      next_payment_attempt: null,
      status: 'paid',
    });
    happen(state, 'invoice.paid', open);
    subscription.status = 'active';
    happen(state, 'customer.subscription.updated', subscription);
  }
}

/** Lets a subscription's period end: it ends, changes or goes on, as was asked for, and is paid where cards are taken. */
export function renewSubscription(state: StripeState, subscription: StripeObject) {
  const item = itemOf(subscription);
  if (subscription.cancel_at_period_end) return endSubscription(state, subscription);
  const schedule = subscription.schedule && find(state, 'subscription_schedule', subscription.schedule);
  const next = schedule?.phases.find((phase: Parameters) => phase.start_date === item.current_period_end);
  if (next) {
    item.price = find(state, 'price', next.items[0].price);
    subscription.discounts = discountsOf(next);
  }
  if (schedule && schedule.end_behavior === 'release') releaseSchedule(state, schedule);
  item.current_period_start = item.current_period_end;
  item.current_period_end = addInterval(item.current_period_start, item.price.recurring.interval);
  invoice(state, subscription, item.price.unit_amount, 'subscription_cycle');
  subscription.status = state.declines_cards ? 'past_due' : 'active';
  happen(state, 'customer.subscription.updated', subscription);
  return subscription;
}
