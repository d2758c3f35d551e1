import type Stripe from 'stripe';
import { listPricedItems, type PlanCatalog, type PricedItem } from './plans.ts';
import { portal_key } from './portal.ts';
import { interval_key, plan_key, top_up_key } from './read-subscription.ts';
import { isMissing } from './stripe-client.ts';

/**
 * Brings products, prices and the portal at Stripe to what plans.yaml says, and returns a line for each thing that it did; none
 * when all was right. An amount that has changed gets a new price, to which the lookup key moves; whoever pays the old one
 * goes on paying it.
 */
export async function syncCatalog(stripe: Stripe, catalog: PlanCatalog, site_url: string): Promise<string[]> {
  const lines: string[] = [];
  for (const item of listPricedItems(catalog)) {
    lines.push(...(await syncProduct(stripe, item)));
    lines.push(...(await syncPrice(stripe, catalog, item)));
  }
  lines.push(...(await syncPortal(stripe, site_url)));
  return lines;
}

function productOf(item: PricedItem) {
  return item.kind === 'plan'
    ? { id: `touchline_${item.plan.slug}`, name: item.plan.title, description: item.plan.summary }
    : { id: `touchline_${item.top_up.slug}`, name: item.top_up.title, description: undefined };
}

async function syncProduct(stripe: Stripe, item: PricedItem): Promise<string[]> {
  const { id, name, description } = productOf(item);
  const described = { name, ...(description ? { description } : {}) };
  const present = await stripe.products.retrieve(id).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (!present) {
    await stripe.products.create({ id, ...described });
    return [`made the product ${id}`];
  }
  if (present.name === name && (present.description ?? undefined) === description && present.active)
    return [];
  await stripe.products.update(id, { ...described, active: true });
  return [`changed the product ${id}`];
}

async function syncPrice(stripe: Stripe, { currency }: PlanCatalog, item: PricedItem): Promise<string[]> {
  const { lookup_key, amount_minor } = item;
  const product = productOf(item).id;
  const metadata: Record<string, string> =
    item.kind === 'plan'
      ? { [plan_key]: item.plan.slug, [interval_key]: item.interval }
      : { [top_up_key]: item.top_up.slug };
  const interval = item.kind === 'plan' ? item.interval : undefined;
  const { data } = await stripe.prices.list({ lookup_keys: [lookup_key], limit: 1 });
  const present = data[0];
  const isRight =
    present?.active &&
    present.unit_amount === amount_minor &&
    present.currency === currency &&
    present.recurring?.interval === interval &&
    present.product === product;
  if (isRight) {
    if (Object.entries(metadata).every(([name, value]) => present.metadata[name] === value)) return [];
    await stripe.prices.update(present.id, { metadata });
    return [`marked the price ${lookup_key}`];
  }
  await stripe.prices.create({
    product,
    currency,
    unit_amount: amount_minor,
    lookup_key,
    // Takes the key from the price that had it, in the same call: there is no moment without a price.
    transfer_lookup_key: true,
    ...(interval ? { recurring: { interval } } : {}),
    metadata,
  });
  if (!present) return [`made the price ${lookup_key}`];
  if (present.active) await stripe.prices.update(present.id, { active: false });
  return [`replaced the price ${lookup_key}`];
}

async function syncPortal(stripe: Stripe, site_url: string): Promise<string[]> {
  const { data } = await stripe.billingPortal.configurations.list({ active: true, limit: 100 });
  if (data.some(({ metadata }) => metadata?.[portal_key])) return [];
  await stripe.billingPortal.configurations.create({
    default_return_url: `${site_url}/billing`,
    metadata: { [portal_key]: '1' },
    features: {
      customer_update: { enabled: true, allowed_updates: ['address', 'name', 'tax_id'] },
      invoice_history: { enabled: true },
      payment_method_update: { enabled: true },
      // Plans are changed and cancelled in the app, which says what it means.
      subscription_cancel: { enabled: false },
      subscription_update: { enabled: false },
    },
  });
  return ['made the portal’s configuration'];
}
