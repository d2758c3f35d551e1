/** What one parameter may be: a scalar, one of several words, an object, or a list. Stripe refuses everything else. */
type Spec =
  | 'text'
  | 'integer'
  | 'boolean'
  | 'metadata'
  | { one_of: string[] }
  | { object: Record<string, Spec> }
  | { list: Spec };

export type Parameters = { [name: string]: any };

/** An error in Stripe's form. */
export class StripeRefusal extends Error {
  readonly status: number;
  readonly error: Record<string, unknown>;
  constructor(status: number, message: string, error: Record<string, unknown> = {}) {
    super(message);
    this.status = status;
    this.error = { type: 'invalid_request_error', message, ...error };
  }
}

const words = (...one_of: string[]): Spec => ({ one_of });
const list = (of: Spec): Spec => ({ list: of });
const object = (of: Record<string, Spec>): Spec => ({ object: of });
const expand = list('text');
const page: Record<string, Spec> = { limit: 'integer', starting_after: 'text', expand };
const prorations = words('always_invoice', 'create_prorations', 'none');

const phase = object({
  items: list(object({ price: 'text', quantity: 'integer' })),
  start_date: 'integer',
  end_date: 'integer',
  duration: object({ interval: words('day', 'week', 'month', 'year'), interval_count: 'integer' }),
  proration_behavior: prorations,
  metadata: 'metadata',
  discounts: list(object({ coupon: 'text', discount: 'text', promotion_code: 'text' })),
});

const portalFeatures = object({
  customer_update: object({
    enabled: 'boolean',
    allowed_updates: list(words('address', 'email', 'name', 'phone', 'shipping', 'tax_id')),
  }),
  invoice_history: object({ enabled: 'boolean' }),
  payment_method_update: object({ enabled: 'boolean' }),
  subscription_cancel: object({ enabled: 'boolean' }),
  subscription_update: object({ enabled: 'boolean' }),
});

/** What the product sends: names and forms of the parameters, by method and address. */
export const known_parameters: Record<string, Record<string, Spec>> = {
  'POST /v1/customers': { email: 'text', name: 'text', metadata: 'metadata', expand },
  'POST /v1/customers/{id}': { email: 'text', name: 'text', metadata: 'metadata', expand },
  'GET /v1/customers/{id}': { expand },
  'DELETE /v1/customers/{id}': {},
  'GET /v1/customers': { ...page, email: 'text' },
  'POST /v1/products': {
    id: 'text',
    name: 'text',
    description: 'text',
    active: 'boolean',
    metadata: 'metadata',
  },
  'POST /v1/products/{id}': { name: 'text', description: 'text', active: 'boolean', metadata: 'metadata' },
  'GET /v1/products/{id}': { expand },
  'POST /v1/prices': {
    product: 'text',
    currency: 'text',
    unit_amount: 'integer',
    lookup_key: 'text',
    transfer_lookup_key: 'boolean',
    nickname: 'text',
    tax_behavior: words('exclusive', 'inclusive', 'unspecified'),
    recurring: object({ interval: words('day', 'week', 'month', 'year'), interval_count: 'integer' }),
    metadata: 'metadata',
  },
  'POST /v1/prices/{id}': { active: 'boolean', lookup_key: 'text', nickname: 'text', metadata: 'metadata' },
  'GET /v1/prices': { ...page, active: 'boolean', lookup_keys: list('text'), product: 'text' },
  'POST /v1/checkout/sessions': {
    mode: words('payment', 'setup', 'subscription'),
    customer: 'text',
    client_reference_id: 'text',
    line_items: list(object({ price: 'text', quantity: 'integer' })),
    success_url: 'text',
    cancel_url: 'text',
    allow_promotion_codes: 'boolean',
    automatic_tax: object({ enabled: 'boolean' }),
    customer_update: object({ address: words('auto', 'never'), name: words('auto', 'never') }),
    tax_id_collection: object({ enabled: 'boolean' }),
    invoice_creation: object({ enabled: 'boolean' }),
    metadata: 'metadata',
    subscription_data: object({ metadata: 'metadata' }),
    payment_intent_data: object({ metadata: 'metadata' }),
    expand,
  },
  'GET /v1/checkout/sessions': {
    ...page,
    customer: 'text',
    status: words('complete', 'expired', 'open'),
    created: object({ gte: 'integer', gt: 'integer', lte: 'integer', lt: 'integer' }),
  },
  'GET /v1/checkout/sessions/{id}': { expand },
  'POST /v1/checkout/sessions/{id}/expire': { expand },
  'POST /v1/subscriptions/{id}': {
    items: list(object({ id: 'text', price: 'text', quantity: 'integer' })),
    cancel_at_period_end: 'boolean',
    proration_behavior: prorations,
    proration_date: 'integer',
    payment_behavior: words(
      'allow_incomplete',
      'default_incomplete',
      'error_if_incomplete',
      'pending_if_incomplete',
    ),
    metadata: 'metadata',
    expand,
  },
  'GET /v1/subscriptions': {
    ...page,
    customer: 'text',
    status: words('active', 'all', 'canceled', 'ended', 'past_due', 'trialing', 'unpaid'),
  },
  'GET /v1/subscriptions/{id}': { expand },
  'DELETE /v1/subscriptions/{id}': { invoice_now: 'boolean', prorate: 'boolean', expand },
  'POST /v1/subscription_schedules': { from_subscription: 'text', metadata: 'metadata', expand },
  'POST /v1/subscription_schedules/{id}': {
    end_behavior: words('cancel', 'release'),
    phases: list(phase),
    proration_behavior: prorations,
    metadata: 'metadata',
    expand,
  },
  'POST /v1/subscription_schedules/{id}/release': { preserve_cancel_date: 'boolean', expand },
  'GET /v1/subscription_schedules/{id}': { expand },
  'POST /v1/invoices/create_preview': {
    customer: 'text',
    subscription: 'text',
    schedule: 'text',
    subscription_details: object({
      items: list(object({ id: 'text', price: 'text', quantity: 'integer' })),
      proration_behavior: prorations,
      proration_date: 'integer',
      cancel_at_period_end: 'boolean',
    }),
    expand,
  },
  'GET /v1/invoices/{id}': { expand },
  'POST /v1/invoices/{id}/void': { expand },
  'POST /v1/billing_portal/sessions': { customer: 'text', return_url: 'text', configuration: 'text', expand },
  'POST /v1/billing_portal/configurations': {
    features: portalFeatures,
    metadata: 'metadata',
    default_return_url: 'text',
  },
  'POST /v1/billing_portal/configurations/{id}': {
    active: 'boolean',
    features: portalFeatures,
    metadata: 'metadata',
    default_return_url: 'text',
  },
  'GET /v1/billing_portal/configurations': { ...page, active: 'boolean' },
  'GET /v1/charges/{id}': { expand },
  'GET /v1/payment_intents/{id}': { expand },
  'GET /v1/refunds': {
    ...page,
    charge: 'text',
    payment_intent: 'text',
    created: object({ gte: 'integer', gt: 'integer', lte: 'integer', lt: 'integer' }),
  },
};

/** Decodes a form as Stripe does (`items[0][price]=…`) and holds it against what the call knows. */
export function readParameters(call: string, form: URLSearchParams): Parameters {
  const given: Parameters = {};
  for (const [name, value] of form) {
    const path = [name.split('[')[0]!, ...[...name.matchAll(/\[([^\]]*)\]/g)].map((part) => part[1]!)];
    let at = given;
    for (const part of path.slice(0, -1)) at = at[part] ??= {};
    const last = path.at(-1)!;
    at[last === '' ? String(Object.keys(at).length) : last] = value;
  }
  return readObject(known_parameters[call]!, given, '');
}

function readObject(specs: Record<string, Spec>, given: Parameters, path: string): Parameters {
  const read: Parameters = {};
  for (const [name, value] of Object.entries(given)) {
    const param = path ? `${path}[${name}]` : name;
    const spec = specs[name];
    if (!spec) {
      throw new StripeRefusal(400, `Received unknown parameter: ${param}`, {
        code: 'parameter_unknown',
        param,
      });
    }
    read[name] = readValue(spec, value, param);
  }
  return read;
}

function readValue(spec: Spec, value: any, param: string): unknown {
  const refuse = (what: string) => new StripeRefusal(400, `Invalid ${param}: must be ${what}`, { param });
  if (typeof spec === 'object' && 'object' in spec) {
    if (typeof value !== 'object') throw refuse('an object');
    return readObject(spec.object, value, param);
  }
  if (typeof spec === 'object' && 'list' in spec) {
    if (typeof value !== 'object') throw refuse('an array');
    return Object.entries(value).map(([index, item]) => readValue(spec.list, item, `${param}[${index}]`));
  }
  if (spec === 'metadata') {
    const isFlat =
      typeof value === 'object' && Object.values(value).every((item) => typeof item === 'string');
    if (!isFlat) throw refuse('a set of key-value pairs');
    return value;
  }
  if (typeof value !== 'string') throw refuse('a scalar');
  if (typeof spec === 'object') {
    if (!spec.one_of.includes(value)) throw refuse(`one of ${spec.one_of.join(', ')}`);
    return value;
  }
  if (spec === 'integer') {
    if (!/^-?\d+$/.test(value))
      throw new StripeRefusal(400, `Invalid integer: ${value}`, { param, code: 'parameter_invalid_integer' });
    return Number(value);
  }
  if (spec === 'boolean') {
    if (value !== 'true' && value !== 'false') throw refuse('true or false');
    return value === 'true';
  }
  return value;
}

/** Throws as Stripe does where a parameter that a call needs is missing. */
export function requireParameters(given: Parameters, ...names: string[]): void {
  const missing = names.find((name) => given[name] === undefined);
  if (missing) {
    throw new StripeRefusal(400, `Missing required param: ${missing}.`, {
      code: 'parameter_missing',
      param: missing,
    });
  }
}
