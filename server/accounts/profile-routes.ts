import { createRoute, z } from '@hono/zod-openapi';
import { AppError } from '../platform/errors.ts';
import { createRouter, jsonResponse, problemResponse, signedIn } from '../platform/routes.ts';
import { describeMe, meSchema } from './me.ts';
import { findSignInMethods, updateProfile } from './profile-queries.ts';
import type { RoleParts } from './roles.ts';
import { getOpenProfile } from './routes.ts';

/** One line of text without control characters; what is empty is none. */
const name = z
  .string()
  .trim()
  .max(100)
  .regex(/^\P{Cc}*$/u, 'one line of text')
  .transform((text) => text || null)
  .nullable();

const language = z.string().max(35).refine(isLanguageTag, 'a BCP 47 tag such as en-GB').nullable();
const time_zone = z.string().max(64).refine(isTimeZone, 'a name such as Europe/Vienna').nullable();

const patchMe = createRoute({
  method: 'patch',
  path: '/api/me',
  summary: 'Change the own profile; what is absent stays, null clears',
  security: signedIn,
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.strictObject({ user_name: name, organization_name: name, language, time_zone }).partial(),
        },
      },
    },
  },
  responses: { 200: jsonResponse(meSchema, 'The profile as it is now'), default: problemResponse },
});

const getSignInMethods = createRoute({
  method: 'get',
  path: '/api/me/sign-in-methods',
  summary: 'By what this account can be entered',
  security: signedIn,
  responses: {
    200: jsonResponse(
      z.object({
        password: z.boolean(),
        providers: z.array(z.string()).openapi({ description: 'Such as google or github.' }),
      }),
      'The methods',
    ),
    default: problemResponse,
  },
});

/** The routes of what a member says about the own person. */
export function profileRoutes(parts: RoleParts) {
  const { database } = parts;
  const routes = createRouter();
  routes.openapi(patchMe, async (c) => {
    const { id } = await getOpenProfile(database, c.var.signed_in);
    await updateProfile(database, id, c.req.valid('json'));
    return c.json(await describeMe(parts, await getOpenProfile(database, c.var.signed_in), c), 200);
  });
  routes.openapi(getSignInMethods, async (c) => {
    const methods = await findSignInMethods(database, c.var.signed_in.auth_id);
    if (!methods)
      throw new AppError('sign_in_required', 'This account does not exist any more. Sign up again.');
    return c.json(methods, 200);
  });
  return routes;
}

function isLanguageTag(tag: string) {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

/** Names only: `Intl` would take an offset such as +01:00, too. */
function isTimeZone(zone: string) {
  if (!/^[A-Za-z]/.test(zone)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
