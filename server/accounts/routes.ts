import { createRoute, z } from '@hono/zod-openapi';
import type { SignedIn } from '../platform/auth.ts';
import type { Database } from '../platform/database.ts';
import { AppError } from '../platform/errors.ts';
import { isFromThisMachine } from '../platform/mail/routes.ts';
import { createRouter, jsonResponse, problemResponse, signedIn } from '../platform/routes.ts';
import { findProfile, insertMissingProfile } from './queries.ts';
import { type RoleParts, settleRole } from './roles.ts';

const counters = z.object({
  messages: z.int().nullable(),
  files: z.int().nullable(),
  tokens: z.int().nullable(),
});

const me = z
  .object({
    id: z.uuid(),
    email: z.string().nullable(),
    user_name: z.string().nullable(),
    organization_name: z.string().nullable(),
    avatar_url: z.string().nullable(),
    subscription_plan: z.string(),
    subscription_quota: counters.openapi({ description: 'Null: unlimited.' }),
    subscription_usage: counters,
    is_active: z.boolean(),
    email_confirmed: z.boolean(),
    role: z.enum(['member', 'operator']),
    created_at: z.string(),
  })
  .openapi('Me');

const getMe = createRoute({
  method: 'get',
  path: '/api/me',
  summary: 'The profile of the signed-in member',
  security: signedIn,
  responses: { 200: jsonResponse(me, 'The profile'), default: problemResponse },
});

/** The routes of a person's own account. */
export function accountRoutes(parts: RoleParts) {
  const routes = createRouter();
  routes.openapi(getMe, async (c) => {
    const { is_deleted: _, ...profile } = await getOpenProfile(parts.database, c.var.signed_in);
    return c.json(
      {
        ...profile,
        role: await settleRole(parts, profile, isFromThisMachine(c)),
        subscription_quota: fillCounters(profile.subscription_quota),
        subscription_usage: fillCounters(profile.subscription_usage),
      },
      200,
    );
  });
  return routes;
}

/**
 * The profile of a signed-in person; made now if the sign-up could not make it.
 * Throws `sign_in_required` when Auth knows the user no more, and `account_closed`.
 */
export async function getOpenProfile(database: Database, person: SignedIn) {
  let profile = await findProfile(database, person.auth_id);
  if (!profile && (await insertMissingProfile(database, person))) {
    profile = await findProfile(database, person.auth_id);
  }
  if (!profile)
    throw new AppError('sign_in_required', 'This account does not exist any more. Sign up again.');
  if (profile.is_deleted)
    throw new AppError('account_closed', 'This account is closed. Nothing was changed.');
  return profile;
}

/** A counter that is absent means 0. */
function fillCounters(counters: unknown) {
  return { messages: 0, files: 0, tokens: 0, ...(counters as Record<string, number | null>) };
}
