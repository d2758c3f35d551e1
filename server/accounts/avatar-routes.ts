import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { AppError, notFound } from '../platform/errors.ts';
import type { RateLimit, RateLimits } from '../platform/rate-limit.ts';
import { receiveBytes } from '../platform/receive-bytes.ts';
import {
  type AppEnvironment,
  createRouter,
  jsonResponse,
  problemResponse,
  signedIn,
} from '../platform/routes.ts';
import { isDiskFull, type Storage } from '../platform/storage.ts';
import { createAvatarMaker, max_avatar_bytes } from './make-avatar.ts';
import { describeMe, meSchema } from './me.ts';
import { replaceAvatarUrl } from './profile-queries.ts';
import type { RoleParts } from './roles.ts';
import { getOpenProfile } from './routes.ts';

export const avatar_path = '/api/me/avatar';

const uploads: RateLimit = { name: 'avatar', points: 20, per_ms: 60 * 60_000 };

const binary = { schema: z.any().openapi({ type: 'string', format: 'binary' }) };

const putAvatar = createRoute({
  method: 'put',
  path: avatar_path,
  summary: 'Set the own picture: PNG, JPEG or WebP, up to 5 MB; it becomes 256 × 256 pixels of WebP',
  security: signedIn,
  request: {
    body: {
      required: true,
      content: { 'image/png': binary, 'image/jpeg': binary, 'image/webp': binary },
    },
  },
  responses: { 200: jsonResponse(meSchema, 'The profile as it is now'), default: problemResponse },
});

const deleteAvatar = createRoute({
  method: 'delete',
  path: avatar_path,
  summary: 'Remove the own picture',
  security: signedIn,
  responses: { 200: jsonResponse(meSchema, 'The profile as it is now'), default: problemResponse },
});

const getAvatar = createRoute({
  method: 'get',
  path: avatar_path,
  summary: 'The own picture',
  security: signedIn,
  responses: {
    200: { description: 'The picture', content: { 'image/webp': binary } },
    304: { description: 'It is the one that If-None-Match names' },
    default: problemResponse,
  },
});

/** The routes of a member's picture. Nobody else sees it. */
export function avatarRoutes(parts: RoleParts & { storage: Storage; rate_limits: RateLimits }) {
  const { database, storage, rate_limits } = parts;
  const routes = createRouter();
  const makeAvatar = createAvatarMaker();

  // Registered for the document alone and served below: the body is bounded while it is read.
  routes.openAPIRegistry.registerPath(putAvatar);
  routes.put(avatar_path, async (c) => {
    const { id } = await getOpenProfile(database, c.var.signed_in);
    await rate_limits.consume(uploads, id);
    const picture = await receiveBytes(c.env.incoming, max_avatar_bytes, { tooLarge, brokenOff });
    const avatar = await makeAvatar(picture);
    const version = randomBytes(6).toString('hex');
    try {
      await storage.putStream(avatarKey(id, version), Readable.from([avatar]));
    } catch (error) {
      throw isDiskFull(error) ? diskFull(error) : error;
    }
    return replace(c, id, version);
  });

  routes.openapi(deleteAvatar, async (c) => {
    const { id } = await getOpenProfile(database, c.var.signed_in);
    return replace(c, id, null);
  });

  /** Sets or removes the picture, and deletes the one before. */
  async function replace(c: Context<AppEnvironment>, user_id: string, version: string | null) {
    const replaced = await replaceAvatarUrl(database, user_id, version && `${avatar_path}?v=${version}`);
    // Closed in between: then the new one is of no use. One that cannot be deleted goes with the account's folder.
    const unused = replaced ? versionOf(replaced.former) : version;
    if (unused) await storage.delete(avatarKey(user_id, unused)).catch(() => {});
    const profile = await getOpenProfile(database, c.var.signed_in);
    return c.json(await describeMe(parts, profile, c), 200);
  }

  routes.openapi(getAvatar, async (c) => {
    const { id, avatar_url } = await getOpenProfile(database, c.var.signed_in);
    const version = versionOf(avatar_url);
    if (!version) throw notFound('picture');
    // Kept by this browser only, and asked for again each time, with the token.
    const headers = {
      'cache-control': 'private, no-cache',
      etag: `"${version}"`,
      vary: 'authorization',
      'content-type': 'image/webp',
    };
    if (c.req.header('if-none-match') === headers.etag) return c.body(null, 304, headers);
    if (c.req.method === 'HEAD') return c.body(null, 200, headers);
    const avatar = await readAvatar(storage, avatarKey(id, version));
    if (!avatar) throw notFound('picture');
    return c.body(avatar, 200, headers);
  });
  return routes;
}

/** A few kilobytes. Undefined where there is none: another request has just replaced it, or the column was written to. */
async function readAvatar(storage: Storage, key: string) {
  try {
    const chunks: Uint8Array[] = await (await storage.getStream(key)).toArray();
    return new Uint8Array(Buffer.concat(chunks));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Made of what the server chose, never of what stands in the column: members may write that over the Data API. */
function avatarKey(user_id: string, version: string) {
  return `${user_id}/avatar-${version}.webp`;
}

function versionOf(avatar_url: string | null) {
  return /^\/api\/me\/avatar\?v=([0-9a-f]{12})$/.exec(avatar_url ?? '')?.[1];
}

function tooLarge() {
  return new AppError(
    'file_too_large',
    'This picture is larger than 5 MB. Nothing was changed; choose a smaller one.',
  );
}

function brokenOff(cause: unknown) {
  return new AppError('invalid_request', 'The upload broke off. Nothing was changed; try again.', { cause });
}

function diskFull(cause: unknown) {
  return new AppError(
    'unavailable',
    'There is no room left for pictures on this site. Nothing was changed; tell whoever runs it, who has to make room.',
    { cause },
  );
}
