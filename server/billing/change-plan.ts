import type Stripe from 'stripe';
import { AppError } from '../platform/errors.ts';
import { fetchSubscription } from './apply-subscription.ts';
import type { StripeParts } from './billing-parts.ts';
import { findItem, findPrice } from './checkout.ts';
import { type Confirmation, dropUnconfirmed, updateAwaitingConfirmation } from './confirm-payment.ts';
import { type Interval, type PlanCatalog, rankOf } from './plans.ts';
import type { BillingProfile } from './queries.ts';
import { idOf, interval_key, plan_key, readPrice, readSubscription, toIso } from './read-subscription.ts';
import { changeAtStripe, isUncertain, uncertainOutcome, wantsConfirmation } from './stripe-client.ts';

type PlanWish = { plan: string; interval: Interval };

/** When a change happens: more, or a longer time of the same, at once; less when what is paid for is over. */
type ChangeTime = 'now' | 'at_period_end' | 'unchanged';

function decideChange(catalog: PlanCatalog, from: PlanWish, to: PlanWish): ChangeTime {
  const step = rankOf(catalog, to.plan) - rankOf(catalog, from.plan);
  if (step === 0 && to.interval === from.interval) return 'unchanged';
  return step > 0 || (step === 0 && to.interval === 'year') ? 'now' : 'at_period_end';
}

/** What a change would do. Amounts are in the smallest unit of the currency. */
type ChangePreview = {
  when: ChangeTime;
  at: string;
  from: PlanWish;
  to: PlanWish;
  /** What is charged at once, after what is left of the present period; null: nothing is charged now. */
  due_now_minor: number | null;
  /** What each interval costs from then on, before tax and discounts. */
  price_minor: number;
  currency: string;
  /** To be sent along with the change within a quarter of an hour, so that it costs what was shown. */
  previewed_at_s: number;
};

/** What was shown to whoever changes the plan, as in the preview. */
type Shown = Pick<ChangePreview, 'from' | 'previewed_at_s' | 'price_minor' | 'currency'>;

/** What a change to another plan would cost and when it would happen. Changes nothing. */
export async function previewChange(
  parts: StripeParts,
  profile: BillingProfile,
  to: PlanWish,
): Promise<ChangePreview> {
  const stripe = await parts.stripe.load();
  const { subscription, item, from } = await getPresent(parts, profile);
  const price = await findPrice(stripe, findItem(parts, to));
  const when = decideChange(parts.plans, from, to);
  if (when === 'now') forbidWhileUnpaid(subscription);
  const previewed_at_s = Math.floor(Date.now() / 1000);
  let due_now_minor: number | null = null;
  if (when === 'now') {
    const invoice = await stripe.invoices.createPreview({
      customer: idOf(subscription.customer)!,
      subscription: subscription.id,
      subscription_details: {
        items: [{ id: item.id, price: price.id }],
        proration_behavior: 'always_invoice',
        proration_date: previewed_at_s,
      },
    });
    due_now_minor = invoice.amount_due;
  }
  return {
    when,
    at: when === 'at_period_end' ? toIso(item.current_period_end) : toIso(previewed_at_s),
    from,
    to,
    due_now_minor,
    price_minor: price.unit_amount ?? 0,
    currency: price.currency,
    previewed_at_s,
  };
}

const preview_holds_s = 15 * 60;

/**
 * Changes the plan: more at once, with what is left of the period taken into account, less when the period ends. Undoes a
 * cancellation, and replaces a change that was to come, or one that waits for a confirmation. Doing it twice does no harm. Returns
 * where the bank wants the payment confirmed; null: the change is made. Throws `payment_failed` with the plan as it was, and
 * `preview_outdated` where it would not be what was `shown`.
 */
export async function changePlan(
  parts: StripeParts,
  profile: BillingProfile,
  to: PlanWish,
  shown?: Shown,
): Promise<Confirmation | null> {
  const stripe = await parts.stripe.load();
  const { subscription, item, from } = await getPresent(parts, profile);
  const price = await findPrice(stripe, findItem(parts, to));
  const when = decideChange(parts.plans, from, to);
  if (shown && when !== 'unchanged' && !holds(shown, from, item, price)) {
    throw new AppError(
      'preview_outdated',
      'What you were shown does not hold any more. Nothing was changed or charged; look at it once more.',
    );
  }
  if (when === 'now') forbidWhileUnpaid(subscription);
  const confirmation = await changeAtStripe(async () => {
    if (when === 'unchanged') return clearPlans(stripe, subscription);
    if (!(await dropUnconfirmed(stripe, subscription))) throw changedMeanwhile();
    if (when === 'at_period_end') return scheduleChange(stripe, subscription, item, price, to);
    return changeNow(parts, stripe, subscription, item, price, shown?.previewed_at_s);
  });
  await readChanged(parts, subscription.id);
  return confirmation ?? null;
}

/** What is left of a period counts towards a larger plan, so that it must have been paid. */
function forbidWhileUnpaid({ status }: Stripe.Subscription) {
  if (status !== 'past_due') return;
  throw new AppError(
    'payment_failed',
    'A payment for your present plan is still open. Nothing was changed or charged; pay it under “Cards and invoices” first.',
  );
}

/** Brings over what was just changed. Where that fails, the change is made all the same, and nobody may say that it is not. */
async function readChanged(parts: StripeParts, subscription_id: string) {
  try {
    await fetchSubscription(parts, subscription_id);
  } catch (error) {
    throw uncertainOutcome(error);
  }
}

/** Whether a change costs what was shown: from the same plan, to the same price, in the same period, not long ago. */
function holds(
  { from: shown, previewed_at_s, price_minor, currency }: Shown,
  from: PlanWish,
  item: Stripe.SubscriptionItem,
  price: Stripe.Price,
) {
  const now_s = Date.now() / 1000;
  return (
    shown.plan === from.plan &&
    shown.interval === from.interval &&
    price_minor === (price.unit_amount ?? 0) &&
    currency === price.currency &&
    previewed_at_s <= now_s + 60 &&
    previewed_at_s > now_s - preview_holds_s &&
    previewed_at_s >= item.current_period_start
  );
}

async function changeNow(
  parts: StripeParts,
  stripe: Stripe,
  subscription: Stripe.Subscription,
  item: Stripe.SubscriptionItem,
  price: Stripe.Price,
  previewed_at_s: number | undefined,
): Promise<Confirmation | null> {
  const { next_plan: plan, next_interval: interval } = readSubscription(subscription, parts.plans);
  async function putBack(former: PlanWish) {
    const former_price = await findPrice(stripe, findItem(parts, former));
    await scheduleChange(stripe, { ...subscription, schedule: null }, item, former_price, former);
  }
  await releaseSchedule(stripe, subscription);
  const update: Stripe.SubscriptionUpdateParams = {
    items: [{ id: item.id, price: price.id }],
    proration_behavior: 'always_invoice',
    ...(subscription.cancel_at_period_end ? { cancel_at_period_end: false } : {}),
    ...(previewed_at_s === undefined ? {} : { proration_date: previewed_at_s }),
  };
  try {
    // A card that is declined must leave everything as it was.
    await stripe.subscriptions.update(subscription.id, {
      ...update,
      payment_behavior: 'error_if_incomplete',
    });
    return null;
  } catch (error) {
    if (wantsConfirmation(error) && !plan) {
      return await updateAwaitingConfirmation(stripe, subscription, update, error);
    }
    // Where it may have been paid for all the same, what was to come would take it away again.
    if (plan && interval && !isUncertain(error)) {
      const former = { plan, interval: interval as Interval };
      await putBack(former).catch((failure) => {
        parts.logger.error({ error: failure }, 'a change that was to come could not be put back');
      });
    }
    if (wantsConfirmation(error)) throw cannotWait(error);
    throw error;
  }
}

function changedMeanwhile() {
  return new AppError(
    'billing_changed',
    'An earlier change was confirmed or forgotten a moment ago, so this one was not made. Load the page again to see how your plan stands.',
  );
}

/** A change that is to come does not stand beside one that waits for a confirmation and may never get it. */
function cannotWait(cause: unknown) {
  return new AppError(
    'payment_failed',
    'Your bank wants this payment confirmed, which cannot be done while another change is to come. Nothing was changed or charged; take back the change that is to come, and try once more.',
    { cause },
  );
}

/** Ends the plan when the period that is paid for is over. */
export async function cancelPlan(parts: StripeParts, profile: BillingProfile): Promise<void> {
  const stripe = await parts.stripe.load();
  const { subscription } = await getPresent(parts, profile);
  await changeAtStripe(() => cancelAtPeriodEnd(stripe, subscription));
  await readChanged(parts, subscription.id);
}

/** Keeps the plan as it is: undoes a cancellation, and a change that was to come. */
export async function keepPlan(parts: StripeParts, profile: BillingProfile): Promise<void> {
  const stripe = await parts.stripe.load();
  const { subscription } = await getPresent(parts, profile);
  await changeAtStripe(() => clearPlans(stripe, subscription));
  await readChanged(parts, subscription.id);
}

/** Also for an account that is closed: nothing is charged any more. */
export async function cancelAtPeriodEnd(stripe: Stripe, subscription: Stripe.Subscription): Promise<void> {
  await dropUnconfirmed(stripe, subscription);
  // Stripe lets nobody cancel a subscription that a schedule leads.
  await releaseSchedule(stripe, subscription);
  if (!subscription.cancel_at_period_end) {
    await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
  }
}

/** Takes away what was to happen at the period's end, or waits for a confirmation. */
async function clearPlans(stripe: Stripe, subscription: Stripe.Subscription) {
  await dropUnconfirmed(stripe, subscription);
  await releaseSchedule(stripe, subscription);
  if (subscription.cancel_at_period_end) {
    await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: false });
  }
}

async function releaseSchedule(stripe: Stripe, { schedule }: Stripe.Subscription) {
  const id = idOf(schedule);
  if (id) await stripe.subscriptionSchedules.release(id);
}

/** A schedule that is made and not filled, because the server died in between, changes nothing; it is filled here. */
async function scheduleChange(
  stripe: Stripe,
  subscription: Stripe.Subscription,
  item: Stripe.SubscriptionItem,
  price: Stripe.Price,
  { plan, interval }: PlanWish,
) {
  if (subscription.cancel_at_period_end) {
    await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: false });
  }
  // A phase that names none has the customer's, and a promotion code of the checkout belongs to the subscription.
  const discounts = subscription.discounts.map((discount) => ({ discount: idOf(discount)! }));
  const kept = discounts.length > 0 ? { discounts } : {};
  const schedule =
    idOf(subscription.schedule) ??
    (await stripe.subscriptionSchedules.create({ from_subscription: subscription.id })).id;
  await stripe.subscriptionSchedules.update(schedule, {
    end_behavior: 'release',
    metadata: { [plan_key]: plan, [interval_key]: interval },
    phases: [
      {
        items: [{ price: item.price.id, quantity: 1 }],
        start_date: item.current_period_start,
        end_date: item.current_period_end,
        proration_behavior: 'none',
        ...kept,
      },
      {
        items: [{ price: price.id, quantity: 1 }],
        duration: { interval, interval_count: 1 },
        proration_behavior: 'none',
        ...kept,
      },
    ],
  });
}

/** The member's live subscription as it stands at Stripe. Throws `no_subscription`. */
async function getPresent(parts: StripeParts, profile: BillingProfile) {
  const none = () =>
    new AppError(
      'no_subscription',
      'You have no paid plan at the moment. Nothing was changed; choose a plan first.',
    );
  if (!profile.stripe_subscription_id) throw none();
  const subscription = await fetchSubscription(parts, profile.stripe_subscription_id);
  // The rows are the member's own; that Stripe agrees costs nothing.
  if (!subscription || idOf(subscription.customer) !== profile.stripe_customer_id) throw none();
  const item = subscription.items.data.find(({ price }) => readPrice(price, parts.plans));
  if (!item || subscription.status === 'canceled') throw none();
  return { subscription, item, from: readPrice(item.price, parts.plans)! };
}
