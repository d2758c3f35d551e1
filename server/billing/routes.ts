import { createRoute, z } from '@hono/zod-openapi';
import { insertMissingProfile } from '../accounts/queries.ts';
import type { SignedIn } from '../platform/auth.ts';
import type { Database } from '../platform/database.ts';
import { AppError } from '../platform/errors.ts';
import { createRouter, jsonResponse, problemResponse, signedIn } from '../platform/routes.ts';
import type { BillingParts } from './billing-parts.ts';
import { getOverview, listUsage } from './overview-queries.ts';
import { type BillingProfile, findBillingProfile } from './queries.ts';
import { isLive } from './read-subscription.ts';

const included = z.object({
  messages: z.int().nullable(),
  files: z.int().nullable(),
  tokens: z.int().nullable(),
});
const interval = z.enum(['month', 'year']);

const getPlans = createRoute({
  method: 'get',
  path: '/api/plans',
  summary: 'What can be bought; amounts are in the smallest unit of the currency',
  responses: {
    200: jsonResponse(
      z
        .object({
          is_on: z.boolean().openapi({ description: 'False: nothing can be bought, operators give plans.' }),
          currency: z.string(),
          plans: z.array(
            z.object({
              slug: z.string(),
              title: z.string(),
              summary: z.string(),
              price: z.object({ month: z.int(), year: z.int() }).nullable(),
              includes: included
                .extend({ storage_mb: z.int().nullable() })
                .openapi({ description: 'In a month, and room for files in MB. Null: unlimited.' }),
            }),
          ),
          top_ups: z.array(
            z.object({ slug: z.string(), title: z.string(), messages: z.int(), price: z.int() }),
          ),
        })
        .openapi('Plans'),
      'Plans, from the smallest to the largest, and messages that are bought once',
    ),
    default: problemResponse,
  },
});

export const overview = z
  .object({
    is_on: z.boolean(),
    plan: z.string(),
    source: z.enum(['free', 'subscription', 'grant', 'by_hand']),
    quota: included
      .extend({ storage_mb: z.int().nullable().optional() })
      .openapi({ description: 'Null: unlimited; storage_mb also where it is absent.' }),
    usage: z.object({ messages: z.int(), files: z.int(), tokens: z.int() }),
    storage: z.object({ used_bytes: z.int(), limit_bytes: z.int().nullable() }).openapi({
      description: 'What your files weigh together, and what the plan gives room for. Null: unlimited.',
    }),
    credits: z.int().openapi({ description: 'Bought messages that are left.' }),
    period_started_at: z.string(),
    renews_at: z.string().openapi({ description: 'When the usage begins anew.' }),
    has_customer: z.boolean().openapi({ description: 'Whether there are cards and invoices to look at.' }),
    subscription: z
      .object({
        plan: z.string().nullable(),
        interval: interval.nullable(),
        status: z
          .string()
          .openapi({ description: 'As Stripe says it; past_due: a payment is being tried again.' }),
        amount_minor: z.int().nullable(),
        currency: z.string().nullable(),
        current_period_end: z.string().nullable(),
        cancel_at: z.string().nullable(),
        next: z.object({ plan: z.string(), interval: interval.nullable(), at: z.string() }).nullable(),
        ended_at: z.string().nullable().openapi({ description: 'One that has ended is shown for 30 days.' }),
        end_reason: z
          .string()
          .nullable()
          .openapi({ description: 'As Stripe says it; payment_failed: no retry went through.' }),
      })
      .nullable(),
    grant: z.object({ plan: z.string(), until: z.string() }).nullable(),
  })
  .openapi('Billing');

export const billingResponse = jsonResponse(overview, 'How the member stands');

const getBilling = createRoute({
  method: 'get',
  path: '/api/billing',
  summary: 'Your plan, what is left of it, what changes and when',
  security: signedIn,
  responses: { 200: billingResponse, default: problemResponse },
});

const timeZone = z.string().max(64).refine(isTimeZone, 'is no time zone').default('UTC');

const getUsage = createRoute({
  method: 'get',
  path: '/api/billing/usage',
  summary: 'What you used, by day and coach, the latest first',
  security: signedIn,
  request: {
    query: z.object({ days: z.coerce.number().int().min(1).max(366).default(30), time_zone: timeZone }),
  },
  responses: {
    200: jsonResponse(
      z.object({
        time_zone: z.string(),
        days: z.array(
          z.object({
            day: z.string().openapi({ example: '2026-11-22' }),
            assistant_slug: z.string().nullable(),
            messages: z.int(),
            credits: z.int().openapi({ description: 'Of those messages, bought ones.' }),
            files: z.int(),
            tokens: z.int(),
          }),
        ),
      }),
      'Days without anything are left out',
    ),
    default: problemResponse,
  },
});

/** The routes that show plans and how a member stands. They ask nobody but our database. */
export function billingRoutes(parts: BillingParts) {
  const { plans, stripe, database } = parts;
  const described = {
    is_on: stripe !== undefined,
    currency: plans.currency,
    plans: plans.plans.map(({ slug, title, summary, price, includes }) => ({
      ...{ slug, title, summary, price: price ?? null, includes },
    })),
    top_ups: plans.top_ups.map(({ slug, title, messages, price }) => ({ slug, title, messages, price })),
  };
  const routes = createRouter();
  routes.openapi(getPlans, (c) => c.json(described, 200));
  routes.openapi(getBilling, async (c) => {
    const { id } = await getBillingProfile(database, c.var.signed_in);
    return c.json(await describeBilling(parts, id), 200);
  });
  routes.openapi(getUsage, async (c) => {
    const { id } = await getBillingProfile(database, c.var.signed_in);
    const { days, time_zone } = c.req.valid('query');
    return c.json(await listUsage(database, id, { days, time_zone }), 200);
  });
  return routes;
}

/** The open profile of whoever sent a request. Throws `account_closed`. */
export async function getBillingProfile(database: Database, person: SignedIn): Promise<BillingProfile> {
  const find = () => findBillingProfile(database, person);
  const profile =
    (await find()) ?? ((await insertMissingProfile(database, person)) ? await find() : undefined);
  if (!profile) throw new AppError('account_closed', 'This account is closed. Nothing was changed.');
  return profile;
}

/** How a member stands, as the routes answer it. */
export async function describeBilling(
  { database, stripe }: Pick<BillingParts, 'database' | 'stripe'>,
  id: string,
) {
  const state = await getOverview(database, id);
  const { plan, subscription, grant } = state;
  const source =
    subscription?.plan === plan && isLive(subscription.status)
      ? ('subscription' as const)
      : grant?.plan === plan
        ? ('grant' as const)
        : plan === 'free'
          ? ('free' as const)
          : ('by_hand' as const);
  return { is_on: stripe !== undefined, source, ...state };
}

function isTimeZone(name: string) {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    // PostgreSQL reads offsets the other way round, so only names are taken.
    return /^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name);
  } catch {
    return false;
  }
}
