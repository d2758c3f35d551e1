import { createRoute } from '@hono/zod-openapi';
import type { SignedIn } from '../platform/auth.ts';
import type { Database } from '../platform/database.ts';
import { AppError } from '../platform/errors.ts';
import { createRouter, jsonResponse, problemResponse, signedIn } from '../platform/routes.ts';
import { type EmailVerificationParts, settleEmailVerification } from './email-verification.ts';
import { describeMe, meSchema } from './me.ts';
import { findProfile, insertMissingProfile } from './queries.ts';
import type { RoleParts } from './roles.ts';

const getMe = createRoute({
  method: 'get',
  path: '/api/me',
  summary: 'The profile of the signed-in member',
  security: signedIn,
  responses: { 200: jsonResponse(meSchema, 'The profile'), default: problemResponse },
});

/** The routes of a person's own account. */
export function accountRoutes(parts: RoleParts & EmailVerificationParts) {
  const routes = createRouter();
  routes.openapi(getMe, async (c) => {
    const profile = await getOpenProfile(parts.database, c.var.signed_in);
    const authorization = c.req.header('authorization') ?? '';
    const email_confirmed = await settleEmailVerification(parts, c.var.signed_in, profile, authorization);
    return c.json(await describeMe(parts, { ...profile, email_confirmed }, c), 200);
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
    throw new AppError('account_closed', 'This account is closed. Nothing was changed.', {
      details: { deleted_at: profile.deleted_at, erased_on: profile.erase_after },
    });
  return profile;
}
