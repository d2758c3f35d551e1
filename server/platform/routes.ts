import type { HttpBindings } from '@hono/node-server';
import { OpenAPIHono, z } from '@hono/zod-openapi';
import type { SignedIn } from './auth.ts';
import { AppError } from './errors.ts';

/** What every request carries: Node's own request and response, its id, and who sent it. */
export type AppEnvironment = {
  Bindings: HttpBindings;
  Variables: { request_id: string; signed_in: SignedIn };
};

/** A router of one feature. Input that does not fit is refused with the first reason in words. */
export function createRouter() {
  return new OpenAPIHono<AppEnvironment>({
    defaultHook: (result) => {
      if (result.success) return;
      const issue = result.error.issues[0];
      const where = issue?.path.join('.');
      throw new AppError(
        'invalid_request',
        `The request was not understood${where ? ` (${where}: ${issue?.message})` : ''}. Nothing was changed.`,
      );
    },
  });
}

const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().openapi({ description: 'One or two sentences for the person.' }),
    code: z.string().openapi({ description: 'Permanent; branch on it.' }),
    request_id: z.string(),
  })
  .openapi('Problem');

/** The OpenAPI entry of an answer in JSON. */
export function jsonResponse<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { content: { 'application/json': { schema } }, description };
}

/** The OpenAPI entry that stands for every error of a route. */
export const problemResponse = {
  content: { 'application/problem+json': { schema: problem } },
  description: 'What went wrong (RFC 9457).',
};

/** Says in the OpenAPI document that a route wants a token. */
export const signedIn = [{ bearer: [] }];

export const uuidParam = z.object({ id: z.uuid() });
