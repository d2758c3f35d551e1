import { createRoute, z } from '@hono/zod-openapi';
import { findAccountByEmail } from '../accounts/queries.ts';
import { requireOperator } from '../accounts/roles.ts';
import { AppError, notFound } from '../platform/errors.ts';
import { createRouter, jsonResponse, problemResponse, signedIn, uuidParam } from '../platform/routes.ts';
import type { BillingParts } from './billing-parts.ts';
import { grantPlan, listGrants, revokeGrant } from './grant-queries.ts';

const grant = z
  .object({
    id: z.uuid(),
    user_id: z.uuid(),
    email: z.string().nullable(),
    plan: z.string(),
    until: z.string(),
    note: z.string(),
    granted_by: z.uuid().nullable(),
    revoked_at: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('PlanGrant');

const postGrant = createRoute({
  method: 'post',
  path: '/api/admin/grants',
  summary: 'Give a member a plan until a time',
  security: signedIn,
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.object({
            email: z.string().max(320),
            plan: z.string().max(64),
            until: z.iso.datetime({ offset: true }),
            note: z.string().trim().max(500).default(''),
          }),
        },
      },
    },
  },
  responses: { 200: jsonResponse(z.object({ id: z.uuid() }), 'The grant'), default: problemResponse },
});

const getGrants = createRoute({
  method: 'get',
  path: '/api/admin/grants',
  summary: 'The last 200 grants, the latest first',
  security: signedIn,
  responses: { 200: jsonResponse(z.object({ grants: z.array(grant) }), 'Grants'), default: problemResponse },
});

const deleteGrant = createRoute({
  method: 'delete',
  path: '/api/admin/grants/{id}',
  summary: 'End a grant now',
  security: signedIn,
  request: { params: uuidParam },
  responses: { 204: { description: 'It has ended' }, default: problemResponse },
});

/** Operators give plans. To everybody else there is nothing at these addresses. */
export function grantRoutes({ database, plans }: BillingParts) {
  const routes = createRouter();
  routes.openapi(postGrant, async (c) => {
    const operator = await requireOperator(database, c.var.signed_in);
    const { email, plan, until, note } = c.req.valid('json');
    if (!plans.plans.some(({ slug }) => slug === plan)) throw notFound('plan');
    if (Date.parse(until) <= Date.now()) {
      throw new AppError(
        'invalid_request',
        'This time is over. Nothing was changed; choose one that is to come.',
      );
    }
    const account = await findAccountByEmail(database, email);
    const given = account && { user_id: account.id, plan, until, note, granted_by: operator.user_id };
    const id = given && (await grantPlan(database, given));
    if (!id) throw new AppError('not_found', 'No open account has this address. Nothing was changed.');
    return c.json({ id }, 200);
  });
  routes.openapi(getGrants, async (c) => {
    await requireOperator(database, c.var.signed_in);
    return c.json({ grants: await listGrants(database) }, 200);
  });
  routes.openapi(deleteGrant, async (c) => {
    await requireOperator(database, c.var.signed_in);
    if (!(await revokeGrant(database, c.req.valid('param').id))) {
      throw new AppError('not_found', 'This grant does not exist, or it has ended. Nothing was changed.');
    }
    return c.body(null, 204);
  });
  return routes;
}
