import { Readable } from 'node:stream';
import type { Context } from 'hono';
import { notFound } from '../platform/errors.ts';
import type { AppEnvironment } from '../platform/routes.ts';
import type { Storage } from '../platform/storage.ts';
import type { StoredFile } from './queries.ts';
import type { PictureWidth, ShowPicture } from './show-picture.ts';

/** Answers with a file's bytes, to be saved and not shown. Throws `not_found`, also when it was deleted just now. */
export async function sendContent(
  c: Context<AppEnvironment>,
  storage: Storage,
  file: StoredFile | undefined,
): Promise<Response> {
  if (!file) throw notFound('file');
  const headers = {
    'content-type': file.file_type,
    'content-length': String(file.size_bytes),
    'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(file.file_name)}`,
  };
  // Hono would drop the body of an answer to HEAD without reading it, and leave the file open.
  if (c.req.method === 'HEAD') return c.body(null, 200, headers);
  const bytes = await storage.findStream(file.storage_key);
  if (!bytes) throw notFound('file');
  return c.body(Readable.toWeb(bytes) as ReadableStream, 200, headers);
}

/**
 * Answers with a picture of the width that is asked for. A file never changes, so its browser may keep it for an hour, and
 * then asks whether it is still there. Throws `not_found`, also for what is no picture.
 */
export async function sendPicture(
  c: Context<AppEnvironment>,
  showPicture: ShowPicture,
  file: StoredFile | undefined,
  width: `${PictureWidth}`,
): Promise<Response> {
  if (file?.kind !== 'image') throw notFound('picture');
  const headers = {
    'cache-control': 'private, max-age=3600',
    etag: `"${file.original_id}-${width}"`,
    // Whoever signs in next in this browser asks anew.
    vary: 'authorization',
    'content-type': 'image/webp',
  };
  if (c.req.header('if-none-match') === headers.etag) return c.body(null, 304, headers);
  if (c.req.method === 'HEAD') return c.body(null, 200, headers);
  const picture = await showPicture({
    auth_id: c.var.signed_in.auth_id,
    storage_key: file.storage_key,
    width: Number(width) as PictureWidth,
    signal: c.req.raw.signal,
  });
  if (!picture) throw notFound('picture');
  return c.body(picture, 200, headers);
}
