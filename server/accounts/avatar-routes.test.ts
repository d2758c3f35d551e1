import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import pg from 'pg';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';

let server: Awaited<ReturnType<typeof startTestServer>>;
let pool: pg.Pool;
beforeAll(async () => {
  server = await startTestServer();
  pool = new pg.Pool({ connectionString: server.database_url, max: 2 });
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});

const put = (member: TestClient, picture: Uint8Array | string, type = 'image/png') =>
  member.fetch('/api/me/avatar', {
    method: 'PUT',
    headers: { 'content-type': type },
    body: picture as NonNullable<RequestInit['body']>,
  });

async function codeOf(answering: Promise<Response>) {
  const answer = await answering;
  return `${answer.status} ${((await answer.json()) as any).code}`;
}

async function seen(member: TestClient) {
  const answer = await member.fetch('/api/me/avatar');
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}

const canvas = (width: number, height: number, background = '#0a7a3c') =>
  sharp({ create: { width, height, channels: 3, background } });

/** What lies in the member's folder. */
async function stored(member: TestClient) {
  const { id } = await member.json('/api/me');
  const folder = join(server.folder, 'files', id);
  return readdirSync(folder).map((name) => readFileSync(join(folder, name)));
}

function chunk(type: string, data: Buffer) {
  const typed = Buffer.concat([Buffer.from(type), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, checksum]);
}

/** A good PNG in black and white whose pixels are many more than its bytes. */
function bomb(side: number) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header[8] = 1;
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(side * (Math.ceil(side / 8) + 1)), { level: 1 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>';

describe('a picture', () => {
  it.each(['png', 'jpeg', 'webp'] as const)('in %s becomes 256 × 256 pixels of WebP', async (format) => {
    const member = await server.signUp();
    const answer = await put(member, await canvas(640, 400).toFormat(format).toBuffer());
    expect(answer.status).toBe(200);
    const { avatar_url } = (await answer.json()) as { avatar_url: string };
    expect(avatar_url).toMatch(/^\/api\/me\/avatar\?v=[0-9a-f]{12}$/);
    expect((await member.json('/api/me')).avatar_url).toBe(avatar_url);
    expect(await sharp(await seen(member)).metadata()).toMatchObject({
      format: 'webp',
      width: 256,
      height: 256,
    });
  });

  it('is turned as its camera says, and nothing else of its file stays: no place, no name, no payload', async () => {
    const left = await canvas(100, 100, '#ff0000').png().toBuffer();
    const photo = await canvas(200, 100, '#0000ff')
      .composite([{ input: left, left: 0, top: 0 }])
      .jpeg()
      .withExif({
        IFD0: { Make: 'SecretCamera', Artist: 'Nora' },
        IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '48/1 12/1 30/1' },
      })
      .withMetadata({ orientation: 6 })
      .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"><secret/></x:xmpmeta>')
      .toBuffer();
    expect((await sharp(photo).metadata()).exif).toBeDefined();
    const payload = '<html><script>alert(document.cookie)</script></html>PK\x03\x04';
    const member = await server.signUp();
    expect((await put(member, Buffer.concat([photo, Buffer.from(payload)]), 'image/jpeg')).status).toBe(200);
    const [avatar] = await stored(member);
    expect(await seen(member)).toEqual(avatar);
    const described = await sharp(avatar).metadata();
    expect(described).toMatchObject({ format: 'webp', width: 256, height: 256 });
    for (const extra of ['exif', 'xmp', 'icc', 'iptc', 'orientation'] as const) {
      expect(described[extra]).toBeUndefined();
    }
    for (const word of ['script', 'PK\x03\x04', 'SecretCamera', 'Nora', 'xmpmeta']) {
      expect(avatar!.includes(word), word).toBe(false);
    }
    // Turned by a quarter, what was left is above.
    const { data } = await sharp(avatar).raw().toBuffer({ resolveWithObject: true });
    const colour = (row: number) => [...data.subarray((row * 256 + 128) * 3, (row * 256 + 128) * 3 + 3)];
    expect(colour(20)[0]).toBeGreaterThan(200);
    expect(colour(235)[2]).toBeGreaterThan(200);
  });

  it('is its owner’s alone, and a browser asks each time whether it is still the same', async () => {
    const [member, other] = [await server.signUp(), await server.signUp()];
    await put(member, await canvas(300, 300).png().toBuffer());
    const { avatar_url } = await member.json('/api/me');
    expect((await other.fetch(avatar_url)).status).toBe(404);
    expect((await fetch(`${server.url}${avatar_url}`)).status).toBe(401);
    const answer = await member.fetch(avatar_url);
    expect(answer.headers.get('content-type')).toBe('image/webp');
    expect(answer.headers.get('cache-control')).toBe('private, no-cache');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    await answer.arrayBuffer();
    const etag = answer.headers.get('etag')!;
    const again = await member.fetch(avatar_url, { headers: { 'if-none-match': etag } });
    expect(again.status).toBe(304);
    await put(member, await canvas(300, 300, '#ffffff').png().toBuffer());
    expect((await member.fetch(avatar_url, { headers: { 'if-none-match': etag } })).status).toBe(200);
  });

  it('that takes the place of another, or is removed, leaves nothing behind', async () => {
    const member = await server.signUp();
    for (const colour of ['#111111', '#eeeeee']) {
      expect((await put(member, await canvas(300, 300, colour).png().toBuffer())).status).toBe(200);
      expect(await stored(member)).toHaveLength(1);
    }
    const answer = await member.fetch('/api/me/avatar', { method: 'DELETE' });
    expect(answer.status).toBe(200);
    expect(((await answer.json()) as any).avatar_url).toBeNull();
    expect((await member.fetch('/api/me/avatar')).status).toBe(404);
    expect(await stored(member)).toEqual([]);
    expect((await member.fetch('/api/me/avatar', { method: 'DELETE' })).status).toBe(200);
  });

  it('of several that come at once one stays, whole', async () => {
    const member = await server.signUp();
    const picture = await canvas(1_000, 1_000).png().toBuffer();
    const answers = await Promise.all(Array.from({ length: 6 }, () => put(member, picture)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 200));
    const left = await stored(member);
    expect(left).toHaveLength(1);
    expect(await seen(member)).toEqual(left[0]);
  });
});

describe('what is no picture is refused, and the one before stays:', () => {
  it.each<[string, () => Uint8Array | string | Promise<Uint8Array>, string]>([
    ['SVG', () => svg, '415 unsupported_file_type'],
    ['SVG after a declaration', () => `<?xml version="1.0"?>${svg}`, '415 unsupported_file_type'],
    ['GIF', () => canvas(9, 9).gif().toBuffer(), '415 unsupported_file_type'],
    ['TIFF', () => canvas(9, 9).tiff().toBuffer(), '415 unsupported_file_type'],
    ['AVIF', () => canvas(64, 64).avif({ effort: 0 }).toBuffer(), '415 unsupported_file_type'],
    ['PDF', () => '%PDF-1.7\n', '415 unsupported_file_type'],
    ['HTML', () => '<!doctype html><script>alert(1)</script>', '415 unsupported_file_type'],
    [
      'HTML that begins as a JPEG',
      () => Buffer.from('\xff\xd8\xff<script>alert(1)</script>', 'latin1'),
      '422 unreadable_file',
    ],
    [
      'SVG that begins as a PNG',
      () => Buffer.from(`\x89PNG\r\n\x1a\n${svg}`, 'latin1'),
      '422 unreadable_file',
    ],
    [
      'a sound in the container of WebP',
      () => Buffer.from('RIFF\x24\0\0\0WAVEfmt ', 'latin1'),
      '415 unsupported_file_type',
    ],
    ['WebP without a picture', () => Buffer.from('RIFF\x04\0\0\0WEBP', 'latin1'), '422 unreadable_file'],
    ['noise', () => randomBytes(2_000), '415 unsupported_file_type'],
    [
      'half a JPEG',
      async () => (await canvas(2_000, 2_000).jpeg().toBuffer()).subarray(0, 8_000),
      '422 unreadable_file',
    ],
    [
      'half a PNG',
      async () => (await canvas(2_000, 2_000).png().toBuffer()).subarray(0, 5_000),
      '422 unreadable_file',
    ],
    ['nothing', () => new Uint8Array(), '422 empty_file'],
    ['30,000 × 30,000 pixels in a small file', () => bomb(30_000), '413 file_too_large'],
    ['5,100 × 5,100 pixels', () => bomb(5_100), '413 file_too_large'],
  ])('%s', async (_, make, refusal) => {
    const member = await server.signUp();
    expect((await put(member, await canvas(300, 300).png().toBuffer())).status).toBe(200);
    const before = await stored(member);
    const picture = await make();
    expect(picture.length).toBeLessThan(5 * 1024 * 1024);
    expect(await codeOf(put(member, picture))).toBe(refusal);
    expect(await stored(member)).toEqual(before);
    expect(await seen(member)).toEqual(before[0]);
  });

  it('a picture under the limit of pixels is taken, so that it is the pixels that are refused above', async () => {
    const member = await server.signUp();
    expect((await put(member, bomb(5_000))).status).toBe(200);
  });
});

describe('more than 5 MB', () => {
  /** A request whose body the test writes itself. */
  function open(member: TestClient, headers: Record<string, string | number>) {
    const sending = request(`${server.url}/api/me/avatar`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${member.token}`, 'content-type': 'image/png', ...headers },
    });
    sending.on('error', () => {});
    const answer = once(sending, 'response').then(async ([response]: IncomingMessage[]) => {
      let body = '';
      for await (const part of response!) body += part;
      return `${response!.statusCode} ${JSON.parse(body).code}`;
    });
    return { sending, answer };
  }

  it('is refused before anything of it is sent, where the length is announced', async () => {
    const { sending, answer } = open(await server.signUp(), { 'content-length': 5 * 1024 * 1024 + 1 });
    sending.flushHeaders();
    expect(await answer).toBe('413 file_too_large');
    sending.destroy();
  });

  it('is refused as soon as it is more, where the length is not announced', async () => {
    const { sending, answer } = open(await server.signUp(), { 'transfer-encoding': 'chunked' });
    sending.write(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'));
    for (let sent = 0; sent < 6; sent++) sending.write(Buffer.alloc(1024 * 1024));
    // It has not ended, and the answer is there.
    expect(await answer).toBe('413 file_too_large');
    sending.destroy();
  });

  it('5 MB are taken', async () => {
    const member = await server.signUp();
    const picture = await canvas(300, 300).png().toBuffer();
    const padded = Buffer.concat([picture, Buffer.alloc(5 * 1024 * 1024 - picture.length)]);
    expect((await put(member, padded)).status).toBe(200);
  });
});

it('an upload that breaks off changes nothing, and the server goes on', async () => {
  const member = await server.signUp();
  await pool.query('delete from public.rate_limits');
  const sending = request(`${server.url}/api/me/avatar`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${member.token}`, 'content-length': 1_000 },
  });
  sending.on('error', () => {});
  sending.write(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'));
  // It is being received once it was counted.
  await vi.waitFor(async () => {
    const { rows } = await pool.query(
      `select 1 from public.rate_limits where key like 'avatar:%' and points = 1`,
    );
    expect(rows.length).toBeGreaterThan(0);
  }, 10_000);
  sending.destroy();
  expect(await member.json('/api/me')).toMatchObject({ avatar_url: null });
  expect((await put(member, await canvas(300, 300).png().toBuffer())).status).toBe(200);
});

it('what a member writes into the column over the Data API leads to nobody else’s picture', async () => {
  const [member, other] = [await server.signUp(), await server.signUp()];
  await put(other, await canvas(300, 300).png().toBuffer());
  const { id, avatar_url } = await other.json('/api/me');
  const version = avatar_url.split('=')[1];
  for (const written of [
    avatar_url,
    `/api/me/avatar?v=../${id}/avatar-${version}`,
    `/api/me/avatar?v=../../../etc`,
  ]) {
    await pool.query('update public.profiles set avatar_url = $2 where email = $1', [member.email, written]);
    expect((await member.fetch('/api/me/avatar')).status).toBe(404);
  }
});

it('twenty pictures an hour are enough', async () => {
  const member = await server.signUp();
  for (let sent = 0; sent < 20; sent++) expect((await put(member, svg)).status).toBe(415);
  const answer = await put(member, svg);
  expect(answer.status).toBe(429);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(60);
});
