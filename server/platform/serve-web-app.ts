import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { extname, join, normalize, sep } from 'node:path';
import { Readable } from 'node:stream';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { AppError } from './errors.ts';
import type { AppEnvironment } from './routes.ts';

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};

/**
 * Serves the built web app: files under their name (those in /assets carry a hash and are kept for a year, compressed
 * where the build made a smaller copy), and the app's one page for every other address.
 */
export function serveWebApp(app: OpenAPIHono<AppEnvironment>, folder: string) {
  app.get('*', (c) => {
    const path = decode(c.req.path);
    const file = normalize(join(folder, path));
    const type = types[extname(file)];
    if (type && extname(file) !== '.html' && file.startsWith(join(folder, sep)) && isFile(file)) {
      const compressed = pickCompressed(file, c.req.header('accept-encoding') ?? '');
      c.header('content-type', type);
      c.header('vary', 'accept-encoding');
      c.header(
        'cache-control',
        path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'public, max-age=3600',
      );
      if (compressed.encoding) c.header('content-encoding', compressed.encoding);
      c.header('content-length', String(statSync(compressed.path).size));
      // Hono would drop the body of an answer to HEAD without reading it, and leave the file open.
      if (c.req.method === 'HEAD') return c.body(null);
      return c.body(Readable.toWeb(createReadStream(compressed.path)) as ReadableStream);
    }
    if (extname(path) !== '') throw new AppError('not_found', 'There is nothing at this address.');
    const page = join(folder, 'index.html');
    if (!existsSync(page)) {
      throw new AppError('unavailable', 'The web app is not built. Run "npm start", which builds it.');
    }
    c.header('cache-control', 'no-cache');
    return c.html(readFileSync(page, 'utf8'));
  });
}

function decode(path: string) {
  try {
    const decoded = decodeURIComponent(path);
    if (!decoded.includes('\0')) return decoded;
  } catch {
    // Not what a browser sends.
  }
  throw new AppError('not_found', 'There is nothing at this address.');
}

function isFile(path: string) {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function pickCompressed(file: string, accepted: string) {
  for (const [encoding, ending] of [
    ['br', '.br'],
    ['gzip', '.gz'],
  ] as const) {
    const takes = new RegExp(`(^|,)\\s*${encoding}\\s*(;\\s*q=(?!0(\\.0*)?\\s*(,|$))|,|$)`, 'i').test(
      accepted,
    );
    if (takes && isFile(file + ending)) return { path: file + ending, encoding };
  }
  return { path: file, encoding: undefined };
}
