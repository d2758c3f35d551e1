import { createRoute, z } from '@hono/zod-openapi';
import type { SignedIn } from '../platform/auth.ts';
import type { Database } from '../platform/database.ts';
import { AppError } from '../platform/errors.ts';
import type { Jobs } from '../platform/jobs.ts';
import { createRouter, jsonResponse, problemResponse, signedIn } from '../platform/routes.ts';
import { closeAccount, restoreAccount } from './closing-queries.ts';
import { accountRestoredMail } from './mails/closing-mails.ts';
import { getOpenProfile } from './routes.ts';
import { type Closers, closers_job } from './run-closers.ts';
import { type MailParts, sendBehind } from './send-behind.ts';

const closing = z.object({
  confirmation: z
    .string()
    .max(400)
    .openapi({ description: 'The address of the account, as typed by its owner.' }),
});

const closed = z
  .object({
    deleted_at: z.string(),
    erased_on: z.string().openapi({ description: 'Until then it can be restored.' }),
  })
  .openapi('ClosedAccount');

const postClose = createRoute({
  method: 'post',
  path: '/api/me/close',
  summary: 'Close your account; it can be restored for 30 days and is then erased',
  security: signedIn,
  request: { body: { required: true, content: { 'application/json': { schema: closing } } } },
  responses: {
    200: jsonResponse(closed, 'It is closed, and all sign-ins have ended'),
    default: problemResponse,
  },
});

const postRestore = createRoute({
  method: 'post',
  path: '/api/me/restore',
  summary: 'Open your closed account again',
  security: signedIn,
  responses: { 204: { description: 'It is open' }, default: problemResponse },
});

type ClosingParts = MailParts & {
  database: Database;
  jobs: Jobs;
  site_url: string;
  closers: Closers;
  /** Told at once in this process whose sign-ins have ended. */
  onClosed: (auth_id: string) => void;
};

/** The routes by which a person leaves, and comes back. */
export function closingRoutes(parts: ClosingParts) {
  const { database, jobs, site_url, closers } = parts;
  const routes = createRouter();

  routes.openapi(postClose, async (c) => {
    const { auth_id } = c.var.signed_in;
    const { confirmation } = c.req.valid('json');
    const result = await closeAccount(database, auth_id, confirmation, Object.keys(closers));
    if (result.outcome === 'no_profile') {
      throw new AppError('sign_in_required', 'This account does not exist any more. Sign up again.');
    }
    if (result.outcome === 'not_confirmed') {
      throw new AppError(
        'invalid_request',
        'This is not the address of your account, so it was not closed. Nothing was changed; type the address as your profile shows it.',
      );
    }
    parts.onClosed(auth_id);
    jobs.wake(closers_job);
    return c.json({ deleted_at: result.deleted_at, erased_on: result.erase_after }, 200);
  });

  routes.openapi(postRestore, async (c) => {
    const restored = await restoreAccount(database, c.var.signed_in.auth_id);
    if (restored?.email) sendBehind(parts, accountRestoredMail({ to: restored.email, site_url }));
    if (!restored) await refuseUnlessOpen(database, c.var.signed_in);
    return c.body(null, 204);
  });

  return routes;
}

/** An account that is open already was restored by an earlier click; for any other one it is too late. */
async function refuseUnlessOpen(database: Database, person: SignedIn) {
  try {
    await getOpenProfile(database, person);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'account_closed') throw error;
    throw new AppError(
      'account_closed',
      'The time in which this account could be restored is over, so it stays closed. Nothing was changed; ask whoever runs this site if you need to know more.',
      { details: error.details },
    );
  }
}
