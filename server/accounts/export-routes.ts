import { Readable } from 'node:stream';
import { createRoute, z } from '@hono/zod-openapi';
import type { Database } from '../platform/database.ts';
import { AppError, notFound } from '../platform/errors.ts';
import type { Jobs } from '../platform/jobs.ts';
import { createRouter, jsonResponse, problemResponse, signedIn, uuidParam } from '../platform/routes.ts';
import type { Storage } from '../platform/storage.ts';
import { findExportWait, findReadyExport, insertExport, listExports } from './export-queries.ts';
import { exports_job } from './make-export.ts';
import { getOpenProfile } from './routes.ts';

const most_exports_a_day = 5;

const exportSchema = z
  .object({
    id: z.uuid(),
    status: z.enum(['queued', 'running', 'ready', 'failed']),
    parts_done: z.int(),
    parts_total: z.int().openapi({ description: '0 while it is not known.' }),
    size_bytes: z.int().nullable().openapi({ description: 'Null until it is ready.' }),
    created_at: z.string(),
    expires_at: z.string(),
  })
  .openapi('Export');

const postExport = createRoute({
  method: 'post',
  path: '/api/me/exports',
  summary: 'Ask for a copy of everything that is held of you',
  description: 'One that is not finished yet is returned in place of a second one.',
  security: signedIn,
  responses: { 202: jsonResponse(exportSchema, 'It is being made'), default: problemResponse },
});

const getExports = createRoute({
  method: 'get',
  path: '/api/me/exports',
  summary: 'Your copies, the newest first',
  security: signedIn,
  responses: {
    200: jsonResponse(z.object({ exports: z.array(exportSchema) }), 'Those of the last days'),
    default: problemResponse,
  },
});

const getFile = createRoute({
  method: 'get',
  path: '/api/me/exports/{id}/file',
  summary: 'A copy as a ZIP file, for 7 days',
  security: signedIn,
  request: { params: uuidParam },
  responses: {
    200: { description: 'The file', content: { 'application/zip': { schema: z.any() } } },
    default: problemResponse,
  },
});

type ExportServices = { database: Database; storage: Storage; jobs: Jobs };

/** The routes of a member's exports. */
export function exportRoutes({ database, storage, jobs }: ExportServices) {
  const routes = createRouter();

  routes.openapi(postExport, async (c) => {
    const profile = await getOpenProfile(database, c.var.signed_in);
    let asked = await insertExport(database, profile.id, most_exports_a_day);
    if (!asked) {
      // Another request asked for one at the same moment.
      asked = (await listExports(database, profile.id)).find(
        ({ status }) => status === 'queued' || status === 'running',
      );
    }
    if (!asked) {
      throw new AppError(
        'too_many_requests',
        `You have asked for ${most_exports_a_day} copies within a day; no further one was begun. Those that you have are listed; ask again tomorrow.`,
        { retry_after_ms: await findExportWait(database, profile.id, most_exports_a_day) },
      );
    }
    jobs.wake(exports_job);
    return c.json(asked, 202);
  });

  routes.openapi(getExports, async (c) => {
    const profile = await getOpenProfile(database, c.var.signed_in);
    return c.json({ exports: await listExports(database, profile.id) }, 200);
  });

  routes.openapi(getFile, async (c) => {
    const found = await findReadyExport(database, c.var.signed_in.auth_id, c.req.valid('param').id);
    if (!found) throw notFound('export');
    const headers = {
      'content-type': 'application/zip',
      'content-length': String(found.size_bytes),
      'content-disposition': `attachment; filename="touchline-${found.created_at.slice(0, 10)}.zip"`,
    };
    // Hono would drop the body of an answer to HEAD without reading it, and leave the file open.
    if (c.req.method === 'HEAD') return c.body(null, 200, headers);
    const bytes = await storage.getStream(found.storage_key);
    return c.body(Readable.toWeb(bytes) as ReadableStream, 200, headers);
  });

  return routes;
}
