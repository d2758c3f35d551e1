import { createRoute, z } from '@hono/zod-openapi';
import { createRouter, jsonResponse, problemResponse, signedIn } from '../platform/routes.ts';
import { confirmEmail, type EmailVerificationParts, resendVerification } from './email-verification.ts';
import { getOpenProfile } from './routes.ts';

const postResend = createRoute({
  method: 'post',
  path: '/api/me/email-verification',
  summary: 'Mail a new link that confirms the address; the one before dies',
  security: signedIn,
  responses: { 204: { description: 'It is mailed' }, default: problemResponse },
});

const postConfirmation = createRoute({
  method: 'post',
  path: '/api/email-verification',
  summary: 'Confirm an address by the token that was mailed to it; needs no sign-in',
  request: {
    body: {
      required: true,
      content: { 'application/json': { schema: z.strictObject({ token: z.string().min(1).max(200) }) } },
    },
  },
  responses: {
    200: jsonResponse(z.object({ status: z.enum(['confirmed', 'already_confirmed']) }), 'It is confirmed'),
    default: problemResponse,
  },
});

/** The routes that confirm a member's address. */
export function emailRoutes(parts: EmailVerificationParts) {
  const routes = createRouter();
  routes.openapi(postResend, async (c) => {
    await resendVerification(parts, await getOpenProfile(parts.database, c.var.signed_in));
    return c.body(null, 204);
  });
  routes.openapi(postConfirmation, async (c) => {
    return c.json({ status: await confirmEmail(parts.database, c.req.valid('json').token) }, 200);
  });
  return routes;
}
