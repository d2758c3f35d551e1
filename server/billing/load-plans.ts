import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { StartError } from '../platform/config.ts';
import { readYaml, YamlError } from '../platform/yaml-document.ts';
import { listPricedItems, type PlanCatalog } from './plans.ts';

const words = z.string().trim().min(1, 'must not be empty');
const slug = z
  .string()
  .regex(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/, 'must be snake_case: small letters, digits and single underscores');
// Stripe takes 200 characters for a lookup key, and amounts of at most eight digits.
const lookupKey = z.string().regex(/^\S{1,200}$/, 'must be 1 to 200 characters without spaces');
const amount = z.int().min(1, 'must be at least 1').max(99_999_999, 'must be at most 99999999');
const counter = z.int().min(0, 'must be 0 or more, or null for unlimited').nullable();

const catalogSchema = z.strictObject({
  currency: z.string().regex(/^[a-z]{3}$/, 'must be a currency of three small letters, such as usd'),
  plans: z
    .array(
      z.strictObject({
        slug,
        title: words,
        summary: words,
        price: z.strictObject({ month: amount, year: amount }).optional(),
        lookup_keys: z.strictObject({ month: lookupKey, year: lookupKey }).optional(),
        includes: z.strictObject({
          messages: counter,
          files: counter,
          tokens: counter,
          storage_mb: counter.default(null),
        }),
      }),
    )
    .min(1, 'must list at least the plan "free"'),
  top_ups: z
    .array(
      z.strictObject({ slug, title: words, messages: z.int().min(1), price: amount, lookup_key: lookupKey }),
    )
    .default([]),
});

/** The plans and top-ups of a file. Throws a `StartError`, one sentence that names the file, the line and the reason. */
export async function loadPlans(path: string): Promise<PlanCatalog> {
  const source = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new StartError(`The file ${basename(path)} cannot be read (${cause.code}).`, { cause });
  });
  return parsePlans(basename(path), source);
}

export function parsePlans(file: string, source: string): PlanCatalog {
  try {
    const { value, lineOf } = readYaml(source, catalogSchema, 'the file');
    const refuse = (path: PropertyKey[], reason: string) => {
      throw new YamlError(lineOf(path), reason);
    };
    const plan_slugs = value.plans.map((plan) => plan.slug);
    const shared = value.top_ups.findIndex((item) => plan_slugs.includes(item.slug));
    if (shared >= 0) {
      refuse(['top_ups', shared, 'slug'], `a plan is called "${value.top_ups[shared]!.slug}" already`);
    }
    if (value.plans[0]!.slug !== 'free') refuse(['plans', 0, 'slug'], 'the first plan must be "free"');
    for (const [index, plan] of value.plans.entries()) {
      const at = ['plans', index];
      if (index === 0 && (plan.price ?? plan.lookup_keys)) refuse(at, 'the plan "free" has no price');
      if (index > 0 && !(plan.price && plan.lookup_keys)) {
        refuse(at, `the plan "${plan.slug}" needs a price and lookup_keys`);
      }
    }
    for (const list of ['plans', 'top_ups'] as const) {
      const slugs = value[list].map((item) => item.slug);
      const twice = slugs.findIndex((name, index) => slugs.indexOf(name) < index);
      if (twice >= 0) refuse([list, twice, 'slug'], `the name "${slugs[twice]}" is taken already`);
    }
    const keys = listPricedItems(value).map((item) => item.lookup_key);
    const twice = keys.find((key, index) => keys.indexOf(key) < index);
    if (twice) refuse([], `the lookup key "${twice}" is used twice`);
    return value;
  } catch (error) {
    throw error instanceof YamlError
      ? new StartError(`${file}, line ${error.line}: ${error.reason}.`)
      : error;
  }
}
