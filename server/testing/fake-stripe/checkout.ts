import { type Parameters, requireParameters, StripeRefusal } from './parameters.ts';
import { find, happen, keep, newId, type StripeObject, type StripeState } from './state.ts';
import { startSubscription } from './subscriptions.ts';

export function createSession(state: StripeState, given: Parameters, url: string) {
  requireParameters(given, 'mode', 'line_items', 'success_url');
  if (given.customer) find(state, 'customer', given.customer, 'customer');
  const [line] = given.line_items;
  const price = find(state, 'price', line.price, 'line_items[0][price]');
  if (!price.active)
    throw new StripeRefusal(400, 'The price specified is inactive.', { param: 'line_items[0][price]' });
  if ((price.type === 'recurring') !== (given.mode === 'subscription')) {
    throw new StripeRefusal(400, `You specified \`${given.mode}\` mode but passed a ${price.type} price.`, {
      param: 'mode',
    });
  }
  if (given.automatic_tax?.enabled && given.customer && given.customer_update?.address !== 'auto') {
    throw new StripeRefusal(
      400,
      'Automatic tax calculation in Checkout requires a valid address on the Customer.',
      {
        code: 'customer_tax_location_invalid',
      },
    );
  }
  if (given.subscription_data && given.mode !== 'subscription') {
    throw new StripeRefusal(400, 'You can not pass `subscription_data` in `payment` mode.', {
      param: 'subscription_data',
    });
  }
  if ((given.payment_intent_data || given.invoice_creation) && given.mode !== 'payment') {
    throw new StripeRefusal(400, 'You can not pass `payment_intent_data` in `subscription` mode.');
  }
  const id = newId('checkout.session');
  const { subscription_data, line_items: _, ...shown } = given;
  const session = keep(state, 'checkout.session', {
    allow_promotion_codes: null,
    cancel_url: null,
    client_reference_id: null,
    customer: null,
    invoice: null,
    metadata: {},
    payment_intent: null,
    subscription: null,
    ...shown,
    id,
    amount_subtotal: price.unit_amount * (line.quantity ?? 1),
    amount_total: price.unit_amount * (line.quantity ?? 1),
    currency: price.currency,
    expires_at: state.now() + 86_400,
    payment_status: 'unpaid',
    status: 'open',
    url: `${url}/c/pay/${id}`,
  });
  hidden.set(session, { price, metadata: subscription_data?.metadata ?? {} });
  return session;
}

/** What Stripe knows of a session and does not show. */
const hidden = new WeakMap<StripeObject, { price: StripeObject; metadata: object }>();

/** Somebody pays at the page of a session. */
export function paySession(state: StripeState, session: StripeObject) {
  if (session.status !== 'open') throw new Error('this session is not open');
  const { price, metadata } = hidden.get(session)!;
  if (session.mode === 'subscription') {
    session.subscription = startSubscription(state, session.customer, price, metadata).id;
    happen(state, 'customer.subscription.created', find(state, 'subscription', session.subscription));
  } else {
    const intent = keep(state, 'payment_intent', { amount: session.amount_total, status: 'succeeded' });
    intent.latest_charge = keep(state, 'charge', {
      amount: session.amount_total,
      amount_refunded: 0,
      currency: session.currency,
      customer: session.customer,
      payment_intent: intent.id,
      refunded: false,
    }).id;
    session.payment_intent = intent.id;
  }
  Object.assign(session, { status: 'complete', payment_status: 'paid', url: null });
  happen(state, 'checkout.session.completed', session);
  return session;
}

export function expireSession(state: StripeState, session: StripeObject) {
  if (session.status !== 'open') {
    throw new StripeRefusal(400, `Only Checkout Sessions with a status in ["open"] can be expired.`);
  }
  Object.assign(session, { status: 'expired', url: null });
  happen(state, 'checkout.session.expired', session);
  return session;
}
