import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { authGate } from './accounts/auth-gate.ts';
import { avatar_path, avatarRoutes } from './accounts/avatar-routes.ts';
import { closingRoutes } from './accounts/closing-routes.ts';
import { emailRoutes } from './accounts/email-routes.ts';
import { exportRoutes } from './accounts/export-routes.ts';
import { profileRoutes } from './accounts/profile-routes.ts';
import { accountRoutes } from './accounts/routes.ts';
import { grantRoutes } from './billing/grant-routes.ts';
import { purchaseRoutes } from './billing/purchase-routes.ts';
import { billingRoutes } from './billing/routes.ts';
import { webhook_path, webhookRoutes } from './billing/webhook-routes.ts';
import { sessionRoutes } from './chat/session-routes.ts';
import { turnRoutes } from './chat/turn-routes.ts';
import { coachRoutes } from './coaches/routes.ts';
import { fileExtensions } from './files/file-types.ts';
import { fileRoutes } from './files/routes.ts';
import { libraryRoutes } from './knowledge/library-routes.ts';
import { knowledgeRoutes } from './knowledge/routes.ts';
import { isDatabaseAway, pingDatabase } from './platform/database.ts';
import { AppError } from './platform/errors.ts';
import { isFromThisMachine, isOutboxPath, outboxRoutes } from './platform/mail/routes.ts';
import { type AppEnvironment, createRouter, jsonResponse } from './platform/routes.ts';
import { serveWebApp } from './platform/serve-web-app.ts';
import type { Services } from './services.ts';

const largest_json_bytes = 512 * 1024;

/** What pages load of a CAPTCHA: `all` as scripts and frames, `also` as styles and connections. As their makers document it. */
const captcha_sources = {
  hcaptcha: {
    all: ' https://hcaptcha.com https://*.hcaptcha.com',
    also: ' https://hcaptcha.com https://*.hcaptcha.com',
  },
  turnstile: { all: ' https://challenges.cloudflare.com', also: '' },
};

/** Puts the product together: middleware, every feature's routes, the web app, and the one place that renders errors. */
export function createApp(services: Services) {
  const { config, database, logger, local_auth } = services;
  const app = new OpenAPIHono<AppEnvironment>();
  const connectTo = config.supabase ? ` ${new URL(config.supabase.url).origin}` : '';
  const captcha = config.captcha ? captcha_sources[config.captcha.provider] : undefined;
  const pagePolicy = [
    "default-src 'none'",
    `script-src 'self'${captcha?.all ?? ''}`,
    `style-src 'self'${captcha?.also ?? ''}`,
    "img-src 'self' data: blob:",
    `connect-src 'self'${connectTo}${captcha?.also ?? ''}`,
    ...(captcha ? [`frame-src${captcha.all}`] : []),
    "font-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
  const pageHeaders = {
    'content-security-policy': pagePolicy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), microphone=(), geolocation=()',
  };
  // Nothing below /api is a page: it may load nothing and be framed by nobody, and what else guards pages would only be
  // bytes before the first word of each reply.
  const apiHeaders = {
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  };

  app.use(async (c, next) => {
    const started_ms = performance.now();
    c.set('request_id', crypto.randomUUID());
    c.header('x-request-id', c.var.request_id);
    const headers = c.req.path.startsWith('/api/') ? apiHeaders : pageHeaders;
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    await next();
    const { request_id } = c.var;
    const duration_ms = Math.round(performance.now() - started_ms);
    // The pattern and not the path: ids stay out of the logs, and so does whatever somebody typed into the address.
    const route = c.req.routePath;
    logger.debug({ request_id, method: c.req.method, route, status: c.res.status, duration_ms }, 'request');
  });

  const limitJson: MiddlewareHandler<AppEnvironment> = (c, next) => {
    // A length that is announced is kept by Node; one that is not could be any.
    const length = c.req.header('transfer-encoding')
      ? Number.POSITIVE_INFINITY
      : Number(c.req.header('content-length'));
    if (length > largest_json_bytes) {
      throw new AppError(
        'request_too_large',
        'This is too long to be sent. Nothing was changed; shorten it.',
      );
    }
    return next();
  };
  const uploadPaths = new Set(['/api/files', '/api/library', avatar_path]);
  app.use('/api/*', (c, next) => (uploadPaths.has(c.req.path) ? next() : limitJson(c, next)));

  const publicPaths = new Set([
    '/api/config',
    '/api/coaches',
    '/api/plans',
    '/api/email-verification',
    webhook_path,
  ]);
  app.use('/api/*', async (c, next) => {
    if (!publicPaths.has(c.req.path) && !isOutboxPath(c.req.path)) {
      c.set('signed_in', await services.verifyToken(c.req.header('authorization')));
    }
    await next();
  });

  app.route('/', healthRoutes(services));
  app.route('/', configRoutes(services));
  app.route('/', outboxRoutes(services));
  app.route('/', accountRoutes(services));
  app.route('/', profileRoutes(services));
  app.route('/', avatarRoutes(services));
  app.route('/', emailRoutes(services));
  app.route('/', closingRoutes(services));
  app.route('/', exportRoutes(services));
  app.route('/', coachRoutes(services));
  app.route('/', billingRoutes(services));
  app.route('/', purchaseRoutes(services));
  app.route('/', grantRoutes(services));
  app.route('/', webhookRoutes(services));
  app.route('/', fileRoutes(services));
  app.route('/', libraryRoutes(services));
  app.route('/', knowledgeRoutes(services));
  app.route('/', sessionRoutes(services));
  app.route('/', turnRoutes(services));
  app.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'Touchline',
      version: '0.1.0',
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The access token of Supabase Auth.',
  });

  if (local_auth) {
    app.use('/auth/v1/*', limitJson);
    app.route('/', authGate(services, local_auth));
  }
  app.all('/api/*', () => {
    throw new AppError('not_found', 'There is nothing at this address.');
  });
  serveWebApp(app, services.web_folder);
  app.notFound(() => {
    throw new AppError('not_found', 'There is nothing at this address.');
  });

  app.onError((error, c) => {
    const known = asAppError(error);
    if (known.status >= 500) {
      logger.error(
        { error, request_id: c.var.request_id, route: c.req.routePath, code: known.code },
        'a request failed',
      );
    }
    if (known.retry_after_ms) c.header('retry-after', String(Math.ceil(known.retry_after_ms / 1000)));
    return c.body(
      JSON.stringify({
        type: `urn:touchline:error:${known.code}`,
        title: known.code.replaceAll('_', ' '),
        status: known.status,
        detail: known.message,
        code: known.code,
        request_id: c.var.request_id,
        ...known.details,
      }),
      known.status,
      { 'content-type': 'application/problem+json' },
    );
  });
  return app;

  function asAppError(error: Error) {
    if (error instanceof AppError) return error;
    if (error instanceof HTTPException && error.status < 500) {
      return new AppError('invalid_request', 'The request was not understood. Nothing was changed.', {
        cause: error,
      });
    }
    if (isDatabaseAway(error)) {
      return new AppError(
        'unavailable',
        'The database does not answer at the moment. Nothing was changed; try again in a minute.',
        {
          cause: error,
          retry_after_ms: 5_000,
        },
      );
    }
    return new AppError(
      'internal_error',
      'Something went wrong on our side. Try again; if it stays, tell whoever runs this site.',
      {
        cause: error,
      },
    );
  }

  function healthRoutes({ running_turns }: Services) {
    const routes = createRouter();
    const state = z.object({ status: z.enum(['ok', 'unavailable']), running_turns: z.int().optional() });
    const route = (path: string, summary: string) =>
      createRoute({
        method: 'get',
        path,
        summary,
        responses: { 200: jsonResponse(state, 'Yes'), 503: jsonResponse(state, 'No') },
      });
    routes.openapi(route('/healthz', 'Is the process alive?'), (c) =>
      c.json({ status: 'ok' as const, running_turns: running_turns.size }, 200),
    );
    routes.openapi(route('/readyz', 'Can it serve: do the database and Auth answer?'), async (c) => {
      try {
        if (running_turns.is_stopping) return c.json({ status: 'unavailable' as const }, 503);
        await Promise.all([pingDatabase(database, 2_000), local_auth?.ready]);
        return c.json({ status: 'ok' as const }, 200);
      } catch {
        return c.json({ status: 'unavailable' as const }, 503);
      }
    });
    return routes;
  }
}

/** What the web app needs to know before anybody has signed in. */
function configRoutes({ config, local_auth, mailer }: Services) {
  const described = {
    mode: config.mode,
    auth_url: config.supabase ? `${config.supabase.url}/auth/v1` : '/auth/v1',
    auth_key: config.supabase?.publishable_key ?? local_auth!.secrets.publishable_key,
    model: config.openai ? ('openai' as const) : ('practice' as const),
    max_file_bytes: config.max_file_bytes,
    max_files_per_message: 10,
    file_extensions: fileExtensions,
    captcha: config.captcha ?? null,
  };
  const schema = z
    .object({
      mode: z.enum(['embedded', 'postgres', 'supabase']),
      auth_url: z.string(),
      auth_key: z.string().openapi({ description: 'The public key of Supabase Auth.' }),
      model: z.enum(['openai', 'practice']),
      max_file_bytes: z.int(),
      max_files_per_message: z.int(),
      file_extensions: z.array(z.string()),
      captcha: z
        .object({ provider: z.enum(['hcaptcha', 'turnstile']), site_key: z.string() })
        .nullable()
        .openapi({ description: 'What the sign-in asks for before it lets somebody try.' }),
      outbox: z.boolean().openapi({ description: 'Whether mails are shown here in place of being sent.' }),
    })
    .openapi('Config');
  const routes = createRouter();
  routes.openapi(
    createRoute({
      method: 'get',
      path: '/api/config',
      summary: 'What a client needs to know before anybody signs in',
      responses: { 200: jsonResponse(schema, 'The configuration') },
    }),
    (c) => c.json({ ...described, outbox: mailer.outbox !== undefined && isFromThisMachine(c) }, 200),
  );
  return routes;
}
