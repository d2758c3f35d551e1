import { createRoute, z } from '@hono/zod-openapi';
import type { Database } from '../platform/database.ts';
import { notFound } from '../platform/errors.ts';
import { createRouter, jsonResponse, problemResponse, signedIn } from '../platform/routes.ts';
import { findPassage } from './queries.ts';

const passage = z
  .object({
    passage_id: z.uuid(),
    file_id: z.uuid(),
    file_name: z.string(),
    page: z.int().nullable(),
    content: z.string(),
    before: z.string().nullable().openapi({ description: 'The text just before it in the file.' }),
    after: z.string().nullable(),
  })
  .openapi('Passage');

const getPassage = createRoute({
  method: 'get',
  path: '/api/files/{id}/passages/{passage_id}',
  summary: 'A cited passage with the text around it',
  security: signedIn,
  request: { params: z.object({ id: z.uuid(), passage_id: z.uuid() }) },
  responses: { 200: jsonResponse(passage, 'The passage'), default: problemResponse },
});

/** The routes of what the coaches know from files. */
export function knowledgeRoutes({ database }: { database: Database }) {
  const routes = createRouter();
  routes.openapi(getPassage, async (c) => {
    const { id, passage_id } = c.req.valid('param');
    const found = await findPassage(database, c.var.signed_in.auth_id, id, passage_id);
    if (!found) throw notFound('passage');
    return c.json(found, 200);
  });
  return routes;
}
