import { createRoute, z } from '@hono/zod-openapi';
import type { SignedIn } from '../platform/auth.ts';
import { createRouter, jsonResponse, problemResponse, signedIn } from '../platform/routes.ts';
import { type BillingParts, requireStripe } from './billing-parts.ts';
import { cancelPlan, changePlan, keepPlan, previewChange } from './change-plan.ts';
import { confirmCheckout, openCheckout } from './checkout.ts';
import { findNextInvoice } from './next-invoice.ts';
import { openPortal } from './portal.ts';
import type { BillingProfile } from './queries.ts';
import { billingResponse, describeBilling, getBillingProfile, overview } from './routes.ts';
import { explainStripeFailure } from './stripe-client.ts';

const interval = z.enum(['month', 'year']);
const planWish = z.object({ plan: z.string().max(64), interval });
const page = jsonResponse(z.object({ url: z.url() }), 'A page at Stripe to go to');
const jsonBody = <Schema extends z.ZodType>(schema: Schema) => ({
  body: { required: true, content: { 'application/json': { schema } } },
});

const postCheckout = createRoute({
  method: 'post',
  path: '/api/billing/checkout',
  summary: 'Buy a plan, or messages',
  security: signedIn,
  request: jsonBody(z.union([planWish, z.object({ top_up: z.string().max(64) })])),
  responses: { 200: page, default: problemResponse },
});

const postConfirm = createRoute({
  method: 'post',
  path: '/api/billing/confirm',
  summary: 'Back from Stripe: take over what was paid, without waiting for its event',
  security: signedIn,
  request: jsonBody(z.object({ checkout_session_id: z.string().regex(/^cs_\w{1,200}$/) })),
  responses: {
    200: jsonResponse(
      z.object({
        outcome: z
          .enum(['open', 'expired', 'processing', 'complete'])
          .openapi({ description: 'processing: paid in a way that takes days.' }),
        bought: z
          .union([planWish, z.object({ top_up: z.string(), messages: z.int() })])
          .nullable()
          .openapi({ description: 'What the checkout is for.' }),
      }),
      'How it stands',
    ),
    default: problemResponse,
  },
});

const postPortal = createRoute({
  method: 'post',
  path: '/api/billing/portal',
  summary: 'Cards, invoices and tax data',
  security: signedIn,
  responses: { 200: page, default: problemResponse },
});

const change = z.object({
  when: z.enum(['now', 'at_period_end', 'unchanged']),
  at: z.string(),
  from: z.object({ plan: z.string(), interval }),
  to: z.object({ plan: z.string(), interval }),
  due_now_minor: z.int().nullable().openapi({ description: 'Null: nothing is charged now.' }),
  price_minor: z.int().openapi({ description: 'Each interval from then on, before tax and discounts.' }),
  currency: z.string(),
  previewed_at_s: z
    .int()
    .openapi({ description: 'Send it along with the change, under shown, so that it costs this.' }),
});

const getChangePreview = createRoute({
  method: 'get',
  path: '/api/billing/change-preview',
  summary: 'What another plan would cost, and when it would begin',
  security: signedIn,
  request: { query: planWish },
  responses: { 200: jsonResponse(change.openapi('PlanChange'), 'The change'), default: problemResponse },
});

const postChange = createRoute({
  method: 'post',
  path: '/api/billing/change',
  summary: 'Change the plan: more at once, less when the period ends',
  security: signedIn,
  request: jsonBody(
    planWish.extend({
      shown: z
        .object({ from: planWish, previewed_at_s: z.int(), price_minor: z.int(), currency: z.string() })
        .optional()
        .openapi({ description: 'Of the preview that was shown: what it does not hold for is refused.' }),
    }),
  ),
  responses: {
    200: jsonResponse(
      overview.extend({
        confirmation: z
          .object({
            url: z.string().openapi({ description: 'The page at Stripe where the payment is confirmed.' }),
            until: z.string(),
          })
          .nullable()
          .openapi({
            description:
              'Null: the change is made. Otherwise the bank wants the payment confirmed first; until then nothing is changed or charged.',
          }),
      }),
      'How the member stands now',
    ),
    default: problemResponse,
  },
});

const postCancel = createRoute({
  method: 'post',
  path: '/api/billing/cancel',
  summary: 'End the plan when the period ends',
  security: signedIn,
  responses: { 200: billingResponse, default: problemResponse },
});

const postKeep = createRoute({
  method: 'post',
  path: '/api/billing/keep',
  summary: 'Keep the plan: undo a cancellation or a change that was to come',
  security: signedIn,
  responses: { 200: billingResponse, default: problemResponse },
});

const getNextInvoice = createRoute({
  method: 'get',
  path: '/api/billing/next-invoice',
  summary: 'What is charged next; null where nothing will be',
  security: signedIn,
  responses: {
    200: jsonResponse(
      z.object({
        next_invoice: z
          .object({ amount_due_minor: z.int(), currency: z.string(), at: z.string() })
          .nullable(),
      }),
      'The next invoice',
    ),
    default: problemResponse,
  },
});

/** The routes that ask Stripe: buying, changing, cards and invoices. */
export function purchaseRoutes(parts: BillingParts) {
  const { database } = parts;

  /**
   * Does something at Stripe for whoever asks; throws `billing_off`, and what Stripe could not do in our words. `away`: those
   * for when Stripe cannot be reached.
   */
  async function atStripe<Result>(
    person: SignedIn,
    work: (parts: ReturnType<typeof requireStripe<BillingParts>>, profile: BillingProfile) => Promise<Result>,
    away?: string,
  ): Promise<Result> {
    const stripe_parts = requireStripe(parts);
    const profile = await getBillingProfile(database, person);
    try {
      return await work(stripe_parts, profile);
    } catch (error) {
      throw explainStripeFailure(error, away);
    }
  }

  const routes = createRouter();
  routes.openapi(postCheckout, async (c) => {
    const wish = c.req.valid('json');
    const url = await atStripe(c.var.signed_in, (at, profile) => openCheckout(at, profile, wish));
    return c.json({ url }, 200);
  });
  routes.openapi(postConfirm, async (c) => {
    const { checkout_session_id } = c.req.valid('json');
    const confirmed = await atStripe(
      c.var.signed_in,
      (at, profile) => confirmCheckout(at, profile, checkout_session_id),
      'Stripe cannot be reached at the moment. What you have paid is not lost, and shows here by itself; look again in a minute.',
    );
    return c.json(confirmed, 200);
  });
  routes.openapi(postPortal, async (c) => {
    return c.json({ url: await atStripe(c.var.signed_in, openPortal) }, 200);
  });
  routes.openapi(getChangePreview, async (c) => {
    const wish = c.req.valid('query');
    return c.json(await atStripe(c.var.signed_in, (at, profile) => previewChange(at, profile, wish)), 200);
  });
  routes.openapi(postChange, async (c) => {
    const { shown, ...wish } = c.req.valid('json');
    const state = await atStripe(c.var.signed_in, async (at, profile) => {
      const confirmation = await changePlan(at, profile, wish, shown);
      return { ...(await describeBilling(at, profile.id)), confirmation };
    });
    return c.json(state, 200);
  });
  routes.openapi(postCancel, async (c) => {
    const state = await atStripe(c.var.signed_in, async (at, profile) => {
      await cancelPlan(at, profile);
      return describeBilling(at, profile.id);
    });
    return c.json(state, 200);
  });
  routes.openapi(postKeep, async (c) => {
    const state = await atStripe(c.var.signed_in, async (at, profile) => {
      await keepPlan(at, profile);
      return describeBilling(at, profile.id);
    });
    return c.json(state, 200);
  });
  routes.openapi(getNextInvoice, async (c) => {
    return c.json({ next_invoice: await atStripe(c.var.signed_in, findNextInvoice) }, 200);
  });
  return routes;
}
