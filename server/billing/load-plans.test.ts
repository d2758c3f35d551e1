import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StartError } from '../platform/config.ts';
import { loadPlans, parsePlans } from './load-plans.ts';
import { listPricedItems } from './plans.ts';

const shipped = join(import.meta.dirname, '..', '..', 'plans.yaml');
const source = readFileSync(shipped, 'utf8');

describe('plans.yaml', () => {
  it('holds free, starter, pro and enterprise, and every price has a lookup key of its own', async () => {
    const catalog = await loadPlans(shipped);
    expect(catalog.plans.map(({ slug }) => slug)).toEqual(['free', 'starter', 'pro', 'enterprise']);
    const keys = listPricedItems(catalog).map(({ lookup_key }) => lookup_key);
    expect(keys.length).toBeGreaterThan(6);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('says what the files of each plan may weigh; without a word of it they may weigh anything', () => {
    const storageOf = (text: string) =>
      parsePlans('plans.yaml', text).plans.map(({ includes }) => includes.storage_mb);
    expect(storageOf(source)).toEqual([100, 1000, 5000, null]);
    expect(storageOf(source.replace(', storage_mb: 100 }', ' }'))).toEqual([null, 1000, 5000, null]);
  });

  it.each([
    ['broken YAML', 'currency: usd', 'currency: [usd', /^plans\.yaml, line \d+: invalid YAML, .+\.$/],
    [
      'an unknown field',
      'currency: usd',
      'currency: usd\ncolour: red',
      'line 7: the field "colour" is not known',
    ],
    [
      'a price that is no whole number',
      'price: { month: 1900,',
      'price: { month: 19.5,',
      /line 17: the field "plans\[2\]\.price\.month" must be/,
    ],
    [
      'a missing field',
      '    summary: For one channel, every week.\n',
      '',
      'line 14: the field "plans[2].summary" is missing',
    ],
    ['a plan before free', 'slug: free', 'slug: gratis', 'line 9: the first plan must be "free"'],
    [
      'a plan without a price',
      '    price: { month: 1900, year: 19000 }\n',
      '',
      'line 14: the plan "starter" needs a price and lookup_keys',
    ],
    ['a name twice', 'slug: pro', 'slug: starter', 'line 21: the name "starter" is taken already'],
    [
      'a lookup key twice',
      'touchline_pro_year',
      'touchline_pro_month',
      'the lookup key "touchline_pro_month" is used twice',
    ],
    [
      'a quota below zero',
      'messages: 300',
      'messages: -1',
      'line 19: the field "plans[2].includes.messages" must be 0 or more, or null for unlimited',
    ],
  ])('with %s stops the start with the file and the line', (_, from, to, sentence) => {
    expect(source).toContain(from);
    const read = () => parsePlans('plans.yaml', source.replace(from, to));
    expect(read).toThrow(StartError);
    expect(read).toThrow(sentence);
  });

  it('that is missing stops the start', async () => {
    await expect(loadPlans('/nowhere/plans.yaml')).rejects.toThrow(
      'The file plans.yaml cannot be read (ENOENT).',
    );
  });
});
