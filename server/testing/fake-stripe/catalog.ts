import { type Parameters, requireParameters, StripeRefusal } from './parameters.ts';
import { find, keep, listOf, type StripeObject, type StripeState } from './state.ts';

export function createProduct(state: StripeState, given: Parameters) {
  requireParameters(given, 'name');
  if (given.id && state.objects.has(given.id)) {
    throw new StripeRefusal(400, `Product already exists.`, { code: 'resource_already_exists' });
  }
  return keep(state, 'product', { active: true, description: null, metadata: {}, ...given });
}

export function createPrice(state: StripeState, given: Parameters) {
  requireParameters(given, 'currency', 'product');
  find(state, 'product', given.product, 'product');
  const { transfer_lookup_key, recurring, ...values } = given;
  const holder = listOf(state, 'price').find(
    (price) => given.lookup_key && price.lookup_key === given.lookup_key,
  );
  if (holder && !transfer_lookup_key) {
    throw new StripeRefusal(400, `A price already uses that lookup key.`, { param: 'lookup_key' });
  }
  if (holder) holder.lookup_key = null;
  return keep(state, 'price', {
    active: true,
    lookup_key: null,
    metadata: {},
    nickname: null,
    ...values,
    type: recurring ? 'recurring' : 'one_time',
    recurring: recurring ? { interval_count: 1, usage_type: 'licensed', ...recurring } : null,
  });
}

export function listPrices(state: StripeState, given: Parameters): StripeObject[] {
  if (given.lookup_keys?.length > 10)
    throw new StripeRefusal(400, 'Array must not have more than 10 elements', { param: 'lookup_keys' });
  return listOf(state, 'price').filter(
    (price) =>
      (given.active === undefined || price.active === given.active) &&
      (given.product === undefined || price.product === given.product) &&
      (given.lookup_keys === undefined || given.lookup_keys.includes(price.lookup_key)),
  );
}
