import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { isDatabaseAway } from '../platform/database.ts';
import { AppError, type ErrorCode } from '../platform/errors.ts';
import type { LocalAuth } from '../platform/local-auth.ts';
import type { AppEnvironment } from '../platform/routes.ts';

export type AuthContext = Context<AppEnvironment>;

/**
 * A refusal in the words of Supabase Auth, whose clients branch on `error_code`. Codes are Auth's own where it has one.
 */
export class AuthRefusal extends Error {
  readonly status: number;
  readonly error_code: string;
  readonly retry_after_ms: number | undefined;

  constructor(
    status: number,
    error_code: string,
    message: string,
    options: { cause?: unknown; retry_after_ms?: number | undefined } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'AuthRefusal';
    this.status = status;
    this.error_code = error_code;
    this.retry_after_ms = options.retry_after_ms;
  }
}

/** What Auth calls our errors where it has a name for them. */
const auth_codes: Partial<Record<ErrorCode, string>> = {
  invalid_request: 'validation_failed',
  too_many_requests: 'over_request_rate_limit',
  unavailable: 'unexpected_failure',
};

/** The refusal that says what an error says; undefined where the error is none of ours. */
export function asAuthRefusal(error: unknown): AuthRefusal | undefined {
  if (error instanceof AuthRefusal) return error;
  if (error instanceof AppError) {
    const { code, status, message, retry_after_ms } = error;
    return new AuthRefusal(status, auth_codes[code] ?? code, message, { cause: error, retry_after_ms });
  }
  if (error instanceof Error && isDatabaseAway(error)) {
    return new AuthRefusal(
      503,
      'unexpected_failure',
      'Signing in does not work at the moment. Try again in a minute.',
      {
        cause: error,
        retry_after_ms: 5_000,
      },
    );
  }
  return undefined;
}

export function refuse(c: AuthContext, { status, error_code, message, retry_after_ms }: AuthRefusal) {
  if (retry_after_ms) c.header('retry-after', String(Math.ceil(retry_after_ms / 1000)));
  return c.json({ code: status, error_code, msg: message }, status as ContentfulStatusCode);
}

export const wrong_password = () => new AuthRefusal(400, 'invalid_credentials', 'Invalid login credentials');

export const expired_link = () =>
  new AuthRefusal(
    403,
    'otp_expired',
    'This link was used before, is too old, or was replaced by a newer one.',
  );

/** The body of a request as an object. Throws `bad_json`. */
export async function readBody(c: AuthContext): Promise<Record<string, unknown>> {
  const body: unknown = await c.req.json().catch(() => undefined);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new AuthRefusal(400, 'bad_json', 'The request was not understood. Nothing was changed.');
  }
  return body as Record<string, unknown>;
}

/** A text in a body, such as an address. Throws `validation_failed` where it is none, empty or too long. */
export function readText(body: Record<string, unknown>, name: string, most_characters: number): string {
  const value = body[name];
  if (typeof value === 'string' && value !== '' && value.length <= most_characters) return value;
  throw new AuthRefusal(
    422,
    'validation_failed',
    `The request was not understood (${name}). Nothing was changed.`,
  );
}

type Ask = { method?: string; path: string; body?: object | undefined };

/**
 * Asks the Auth in our process in the name of whoever sent a request. Of the request's headers only those go along that
 * Auth reads. Throws `unavailable` where it fails.
 */
export async function askAuth(
  c: AuthContext,
  auth: LocalAuth,
  { method, path, body }: Ask,
): Promise<Response> {
  const headers = new Headers();
  for (const name of ['apikey', 'authorization']) {
    const value = c.req.header(name);
    if (value !== undefined) headers.set(name, value);
  }
  if (body) headers.set('content-type', 'application/json');
  const answer = await auth.fetch(
    new Request(`http://touchline.internal/auth/v1/${path}`, {
      method: method ?? c.req.method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    }),
  );
  if (answer.status >= 500) {
    throw new AppError('unavailable', 'Signing in does not work at the moment. Try again in a minute.', {
      retry_after_ms: 5_000,
    });
  }
  return answer;
}

/** An answer of Auth's as one of ours, so that the headers of every answer stand on it too. */
export async function passBack(c: AuthContext, answer: Response) {
  const type = answer.headers.get('content-type');
  if (answer.status === 204) return c.body(null, 204);
  return c.body(
    await answer.text(),
    answer.status as ContentfulStatusCode,
    type ? { 'content-type': type } : {},
  );
}
