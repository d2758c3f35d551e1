import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPrice, createProduct, listPrices } from './catalog.ts';
import { createSession, expireSession, paySession } from './checkout.ts';
import { servePage } from './pages.ts';
import {
  known_parameters,
  type Parameters,
  readParameters,
  requireParameters,
  StripeRefusal,
} from './parameters.ts';
import { confirmInvoice, expirePendingUpdate, voidInvoice } from './pending-updates.ts';
import { find, happen, keep, listOf, newId, type StripeObject, type StripeState, signBody } from './state.ts';
import { addInterval, itemOf } from './subscription-parts.ts';
import {
  createSchedule,
  endSubscription,
  prorate,
  releaseSchedule,
  renewSubscription,
  updateSchedule,
  updateSubscription,
} from './subscriptions.ts';

const webhook_secret = 'whsec_3kFq0Zr8TnGd6vXy1PbLw2';

/** The one version that the double speaks: that of the SDK. */
const api_version = '2026-10-28.endive';

export type FakeStripe = Awaited<ReturnType<typeof startFakeStripe>>;

type Answer = { status: number; body: object };

/**
 * A small Stripe that speaks HTTP: form encoding, idempotency keys, expansion, pages, its version and its errors. It knows the
 * calls that the product makes and refuses every parameter that they do not have. `site_url`: where to send events by itself;
 * without it a test delivers them.
 */
export async function startFakeStripe({ port = 0, site_url }: { port?: number; site_url?: string } = {}) {
  const state: StripeState = {
    objects: new Map(),
    events: [],
    now: () => Math.floor(Date.now() / 1000),
    declines_cards: false,
    wants_confirmation: false,
    url: '',
  };
  const replays = new Map<string, { request: string; answer: Answer }>();
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await readBody(request);
    const { pathname, searchParams } = new URL(request.url!, 'http://stripe.internal');
    if (await servePage(request, response, pathname, state, tellSite)) return;
    requests.push(`${request.method} ${pathname}`);
    if (double.outage === 0) return request.socket.destroy();
    const key = request.headers['idempotency-key'] as string | undefined;
    const form = request.method === 'GET' ? searchParams : new URLSearchParams(body);
    const signature = `${request.method} ${pathname} ${form}`;
    const replayed = key === undefined ? undefined : replays.get(key);
    const answer = replayed
      ? replayed.request === signature
        ? replayed.answer
        : asAnswer(
            new StripeRefusal(
              400,
              'Keys for idempotent requests can only be used with the same parameters.',
              {
                type: 'idempotency_error',
              },
            ),
          )
      : serve(request, pathname, form);
    // Errors of the request's form are not kept, so that it can be corrected.
    if (key && !replayed && answer.status < 400) replays.set(key, { request: signature, answer });
    if (double.loses_answers > 0 && request.method === 'POST') {
      double.loses_answers -= 1;
      return request.socket.destroy();
    }
    await double.beforeAnswer?.(`${request.method} ${pathname}`);
    response.writeHead(answer.status, {
      'content-type': 'application/json',
      'request-id': 'req_fake',
      ...(replayed ? { 'idempotent-replayed': 'true' } : {}),
    });
    response.end(JSON.stringify(answer.body));
  });

  /** Where the double runs by hand, it tells the site at once, as Stripe does. */
  async function tellSite(from: number) {
    if (!site_url) return;
    for (const event of state.events.slice(from)) await double.deliver(event, site_url).catch(() => {});
  }

  function serve(request: IncomingMessage, pathname: string, form: URLSearchParams): Answer {
    try {
      if (double.outage) throw new StripeRefusal(double.outage, 'An error occurred.', { type: 'api_error' });
      if (request.headers.authorization !== `Bearer ${double.secret_key}`) {
        throw new StripeRefusal(401, 'Invalid API Key provided.');
      }
      if (request.headers['stripe-version'] !== api_version) {
        throw new StripeRefusal(400, `Invalid Stripe API version: ${request.headers['stripe-version']}`);
      }
      const { call, id } = findCall(request.method!, pathname);
      const given = readParameters(call, form);
      const { expand, ...parameters } = given;
      const answered = calls[call]!(parameters, id);
      // A copy, because what is expanded is so for this answer alone.
      return { status: 200, body: expandAll(state, structuredClone(answered), expand ?? []) };
    } catch (error) {
      if (!(error instanceof StripeRefusal)) throw error;
      return asAnswer(error);
    }
  }

  const calls: Record<string, (given: Parameters, id: string) => object> = {
    'POST /v1/customers': (given) =>
      keep(state, 'customer', { email: null, name: null, metadata: {}, ...given }),
    'POST /v1/customers/{id}': (given, id) => Object.assign(find(state, 'customer', id), given),
    'GET /v1/customers/{id}': (_, id) => find(state, 'customer', id),
    'GET /v1/customers': (given) => pageOf(listOf(state, 'customer'), given),
    'DELETE /v1/customers/{id}': (_, id) => deleteCustomer(id),
    'POST /v1/products': (given) => createProduct(state, given),
    'POST /v1/products/{id}': (given, id) => Object.assign(find(state, 'product', id), given),
    'GET /v1/products/{id}': (_, id) => find(state, 'product', id),
    'POST /v1/prices': (given) => createPrice(state, given),
    'POST /v1/prices/{id}': (given, id) => Object.assign(find(state, 'price', id), given),
    'GET /v1/prices': (given) => pageOf(listPrices(state, given), given),
    'POST /v1/checkout/sessions': (given) => createSession(state, given, double.url),
    'GET /v1/checkout/sessions': (given) =>
      pageOf(
        listOf(state, 'checkout.session').filter(
          (session) =>
            (given.customer === undefined || session.customer === given.customer) &&
            (given.status === undefined || session.status === given.status) &&
            session.created >= (given.created?.gte ?? 0),
        ),
        given,
      ),
    'GET /v1/checkout/sessions/{id}': (_, id) => find(state, 'checkout.session', id),
    'POST /v1/checkout/sessions/{id}/expire': (_, id) =>
      expireSession(state, find(state, 'checkout.session', id)),
    'POST /v1/subscriptions/{id}': (given, id) =>
      updateSubscription(state, find(state, 'subscription', id), given),
    'GET /v1/subscriptions': (given) =>
      pageOf(
        listOf(state, 'subscription').filter(
          ({ customer, status }) =>
            (given.customer === undefined || customer === given.customer) &&
            (given.status === 'all' || (given.status ? status === given.status : status !== 'canceled')),
        ),
        given,
      ),
    'GET /v1/subscriptions/{id}': (_, id) => find(state, 'subscription', id),
    'DELETE /v1/subscriptions/{id}': (_, id) => endSubscription(state, find(state, 'subscription', id)),
    'POST /v1/subscription_schedules': (given) => createSchedule(state, given),
    'POST /v1/subscription_schedules/{id}': (given, id) =>
      updateSchedule(state, find(state, 'subscription_schedule', id), given),
    'POST /v1/subscription_schedules/{id}/release': (_, id) =>
      releaseSchedule(state, find(state, 'subscription_schedule', id)),
    'GET /v1/subscription_schedules/{id}': (_, id) => find(state, 'subscription_schedule', id),
    'POST /v1/invoices/create_preview': previewInvoice,
    'POST /v1/billing_portal/sessions': (given) => {
      requireParameters(given, 'customer');
      find(state, 'customer', given.customer, 'customer');
      const id = newId('billing_portal.session');
      return keep(state, 'billing_portal.session', { ...given, id, url: `${double.url}/p/session/${id}` });
    },
    'POST /v1/billing_portal/configurations': (given) => {
      requireParameters(given, 'features');
      return keep(state, 'billing_portal.configuration', {
        active: true,
        is_default: false,
        metadata: {},
        ...given,
      });
    },
    'POST /v1/billing_portal/configurations/{id}': (given, id) =>
      Object.assign(find(state, 'billing_portal.configuration', id), given),
    'GET /v1/billing_portal/configurations': (given) =>
      pageOf(
        listOf(state, 'billing_portal.configuration').filter(
          ({ active }) => given.active === undefined || active === given.active,
        ),
        given,
      ),
    'GET /v1/invoices/{id}': (_, id) => find(state, 'invoice', id),
    'POST /v1/invoices/{id}/void': (_, id) => voidInvoice(state, find(state, 'invoice', id)),
    'GET /v1/charges/{id}': (_, id) => find(state, 'charge', id),
    'GET /v1/payment_intents/{id}': (_, id) => find(state, 'payment_intent', id),
    'GET /v1/refunds': (given) =>
      pageOf(
        listOf(state, 'refund').filter((refund) => refund.created >= (given.created?.gte ?? 0)),
        given,
      ),
  };

  function previewInvoice(given: Parameters) {
    const subscription = find(state, 'subscription', given.subscription, 'subscription');
    if (given.customer && subscription.customer !== given.customer) {
      throw new StripeRefusal(400, 'The subscription does not belong to this customer.');
    }
    if (
      subscription.status === 'canceled' ||
      (subscription.cancel_at_period_end && !given.subscription_details)
    ) {
      throw new StripeRefusal(400, 'No upcoming invoices for customer', { code: 'invoice_upcoming_none' });
    }
    const item = itemOf(subscription);
    const [change] = given.subscription_details?.items ?? [];
    const price = change
      ? find(state, 'price', change.price, 'subscription_details[items][0][price]')
      : item.price;
    const schedule = subscription.schedule && find(state, 'subscription_schedule', subscription.schedule);
    const next = schedule?.phases.find((phase: Parameters) => phase.start_date === item.current_period_end);
    const amount = change
      ? prorate(subscription, price, given.subscription_details.proration_date ?? state.now())
      : find(state, 'price', next?.items[0].price ?? price.id).unit_amount;
    const at = change ? state.now() : item.current_period_end;
    return {
      id: `upcoming_${newId('invoice')}`,
      object: 'invoice',
      amount_due: Math.max(amount, 0),
      created: at,
      currency: subscription.currency,
      customer: subscription.customer,
      next_payment_attempt: at,
      period_end: at,
      starting_balance: 0,
      total: amount,
    };
  }

  function deleteCustomer(id: string) {
    const customer = find(state, 'customer', id);
    if (customer.deleted)
      throw new StripeRefusal(404, `No such customer: '${id}'`, { code: 'resource_missing' });
    for (const subscription of listOf(state, 'subscription')) {
      if (subscription.customer === id && subscription.status !== 'canceled')
        endSubscription(state, subscription);
    }
    state.objects.set(id, { id, object: 'customer', deleted: true });
    happen(state, 'customer.deleted', customer);
    return { id, object: 'customer', deleted: true };
  }

  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const double = {
    /** For STRIPE_API_URL. */
    url: state.url,
    secret_key: 'sk_test_4eC39HqLyjWDarjtT1zdp7dc',
    webhook_secret,
    state,
    /** Method and address of every request. */
    requests,
    /** Answered to everything in place of the truth: a status; 0 for no answer at all. */
    outage: undefined as number | undefined,
    /** So many POSTs are done, and their answers lost on the way. */
    loses_answers: 0,
    /** Called when a request is done and its answer is about to be sent. */
    beforeAnswer: undefined as ((call: string) => Promise<void> | void) | undefined,
    events: state.events,
    subscription: (id: string) => find(state, 'subscription', id),
    list: (object: string) => listOf(state, object),
    /** Somebody pays at the page of a checkout session, by its id or its address. */
    pay: (session: string) => paySession(state, find(state, 'checkout.session', session.split('/').at(-1)!)),
    /** Lets the period of a subscription end now. */
    renew: (subscription: string) => renewSubscription(state, find(state, 'subscription', subscription)),
    /** Stripe's retries end: as the account is set, the subscription is `unpaid` or `canceled`. */
    giveUp(id: string, status: 'unpaid' | 'canceled') {
      const subscription = find(state, 'subscription', id);
      if (status === 'canceled') return endSubscription(state, subscription, 'payment_failed');
      subscription.status = 'unpaid';
      happen(state, 'customer.subscription.updated', subscription);
      return subscription;
    },
    /** Somebody confirms a payment to the bank, at the page of its invoice. Returns whether it could be paid. */
    confirm: (page: string) => confirmInvoice(state, find(state, 'invoice', page.split('/').at(-1)!)),
    /** Nobody confirms what waits for it: the day is over. */
    expirePendingUpdate: (subscription: string) =>
      expirePendingUpdate(state, find(state, 'subscription', subscription)),
    refund(payment_intent: string, amount: number) {
      const charge = listOf(state, 'charge').find((kept) => kept.payment_intent === payment_intent)!;
      charge.amount_refunded += amount;
      charge.refunded = charge.amount_refunded >= charge.amount;
      const { id, currency } = charge;
      const refund = keep(state, 'refund', {
        amount,
        charge: id,
        currency,
        payment_intent,
        status: 'succeeded',
      });
      happen(state, 'charge.refunded', charge);
      happen(state, 'refund.updated', refund);
    },
    addInterval,
    /** Sends an event to a server as Stripe does; the signature is made now, however old the event is. */
    deliver(event: StripeObject, site_url: string, secret = webhook_secret, at_s = Date.now() / 1000) {
      const body = JSON.stringify(event);
      return fetch(`${site_url}/api/stripe/webhook`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'stripe-signature': signBody(body, secret, Math.floor(at_s)),
        },
        body,
      });
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  return double;
}

async function readBody(request: IncomingMessage) {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function asAnswer({ status, error }: StripeRefusal): Answer {
  return { status, body: { error } };
}

function findCall(method: string, pathname: string) {
  for (const call of Object.keys(known_parameters)) {
    const [verb, pattern] = call.split(' ') as [string, string];
    const match = new RegExp(`^${pattern.replace('{id}', '([^/]+)')}$`).exec(pathname);
    // An address with a word of Stripe's own in the place of an id stands in the list itself.
    const isWord = pattern.includes('{id}') && `${verb} ${pathname}` in known_parameters;
    if (verb === method && match && !isWord) return { call, id: match[1] ?? '' };
  }
  throw new StripeRefusal(404, `Unrecognized request URL (${method}: ${pathname}).`);
}

/** A page of a list, the newest first. */
function pageOf(all: StripeObject[], { limit = 10, starting_after }: Parameters) {
  if (limit < 1 || limit > 100)
    throw new StripeRefusal(400, 'limit must be from 1 to 100', { param: 'limit' });
  const newest_first = all.toReversed();
  const start = starting_after ? newest_first.findIndex(({ id }) => id === starting_after) + 1 : 0;
  const data = newest_first.slice(start, start + limit);
  return { object: 'list', data, has_more: start + limit < newest_first.length, url: '/v1' };
}

function expandAll(state: StripeState, answer: any, paths: string[]) {
  for (const path of paths) {
    const isList = path.startsWith('data.');
    const name = isList ? path.slice('data.'.length) : path;
    for (const object of isList ? answer.data : [answer]) {
      if (!(name in object)) throw new StripeRefusal(400, `This property cannot be expanded (${name}).`);
      if (typeof object[name] === 'string') object[name] = structuredClone(state.objects.get(object[name]));
    }
  }
  return answer;
}
