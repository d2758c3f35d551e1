import { createHmac, randomBytes } from 'node:crypto';
import { StripeRefusal } from './parameters.ts';

/** An object of Stripe's, as its API shows it. */
export type StripeObject = { id: string; object: string; [name: string]: any };

/** Everything that the account at Stripe holds. */
export type StripeState = {
  objects: Map<string, StripeObject>;
  /** Every event so far, the oldest first. */
  events: StripeObject[];
  /** Seconds since 1970 by Stripe's clock. */
  now: () => number;
  /** Every card is declined. */
  declines_cards: boolean;
  /** Every bank wants a change's payment confirmed (3-D Secure). */
  wants_confirmation: boolean;
  /** Where the double's pages are. */
  url: string;
};

const prefixes: Record<string, string> = {
  customer: 'cus',
  product: 'prod',
  price: 'price',
  'checkout.session': 'cs_test',
  subscription: 'sub',
  subscription_item: 'si',
  subscription_schedule: 'sub_sched',
  invoice: 'in',
  payment_intent: 'pi',
  charge: 'ch',
  refund: 're',
  event: 'evt',
  'billing_portal.session': 'bps',
  'billing_portal.configuration': 'bpc',
};

/** An id that cannot be guessed, in Stripe's form. */
export function newId(object: string): string {
  return `${prefixes[object]}_${randomBytes(12).toString('base64url').replace(/[-_]/g, 'x')}`;
}

/** Keeps a new object. */
export function keep(state: StripeState, object: string, values: Record<string, unknown>): StripeObject {
  const kept = {
    id: newId(object),
    object,
    created: state.now(),
    livemode: false,
    ...values,
  } as StripeObject;
  state.objects.set(kept.id, kept);
  return kept;
}

/** Throws 404 as Stripe does; `param`: the parameter that named it, undefined for the address. */
export function find(state: StripeState, object: string, id: string, param = 'id'): StripeObject {
  const found = state.objects.get(id);
  if (!found || found.object !== object || (found.deleted && param !== 'id')) {
    throw new StripeRefusal(param === 'id' ? 404 : 400, `No such ${object}: '${id}'`, {
      code: 'resource_missing',
      param,
    });
  }
  return found;
}

export function listOf(state: StripeState, object: string): StripeObject[] {
  return [...state.objects.values()].filter((kept) => kept.object === object && !kept.deleted);
}

/** Notes that something happened to an object, with the object as it is now. */
export function happen(state: StripeState, type: string, about: StripeObject): StripeObject {
  const event = {
    id: newId('event'),
    object: 'event',
    api_version: '2026-10-28.endive',
    created: state.now(),
    data: { object: structuredClone(about) },
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type,
  };
  state.events.push(event);
  return event;
}

/** The `Stripe-Signature` of a body (Stripe's documentation, "Verify webhook signatures manually"). */
export function signBody(body: string, secret: string, at_s: number): string {
  const signature = createHmac('sha256', secret).update(`${at_s}.${body}`).digest('hex');
  return `t=${at_s},v1=${signature}`;
}
