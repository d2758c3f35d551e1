import { createHash, createHmac, randomUUID } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

export type FakeS3 = {
  /** The settings that name it. */
  settings: Record<
    'S3_ENDPOINT' | 'S3_REGION' | 'S3_BUCKET' | 'S3_ACCESS_KEY_ID' | 'S3_SECRET_ACCESS_KEY',
    string
  >;
  /** The stored objects: key to the file that holds the bytes. */
  objects: Map<string, string>;
  /** Method, path and query of every request, with the status of its answer. */
  requests: string[];
  /** So many requests from now on are answered 503; 0: the connection is cut instead, once. */
  fail: (times: number) => void;
  /** Whether anybody may read an object without signing. */
  is_public: boolean;
  close: () => Promise<void>;
};

class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

const bucket = 'touchline-files';
const region = 'eu-central-1';
/** A page of a list; Amazon's has a thousand. */
const page_objects = 3;

/**
 * A bucket behind the S3 protocol, as strict as Amazon's with what it understands: signatures (AWS Signature Version 4,
 * in the header, over every `x-amz-` header and the body's hash), PutObject, GetObject, DeleteObject, DeleteObjects,
 * ListObjectsV2. Bytes go to a folder and are never in memory.
 */
export async function startFakeS3({ path_prefix = '' } = {}): Promise<FakeS3> {
  const folder = mkdtempSync(join(tmpdir(), 'fake-s3-'));
  const key_id = 'AKIATOUCHLINEEXAMPLE';
  const secret = 'lantern/K7MDENG+bPxRfiCYEXAMPLEKEY';
  const objects = new Map<string, string>();
  let failures = 0;
  let cut = false;

  const server = createServer(async (request, response) => {
    const url = new URL(request.url!, 'http://s3.internal');
    try {
      if (cut) {
        cut = false;
        request.socket.destroy();
        return;
      }
      if (failures > 0) {
        failures--;
        throw new Refusal(503, 'SlowDown');
      }
      await answer(request, response, url);
    } catch (error) {
      const { status = 500, code = 'InternalError' } = error as Partial<Refusal>;
      // The rest of a body is read, or the client would not see the answer.
      request.resume();
      const headers = { 'content-type': 'application/xml' };
      const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>refused</Message></Error>`;
      response.writeHead(status, headers).end(request.method === 'HEAD' ? undefined : body);
    } finally {
      double.requests.push(`${request.method} ${request.url} ${response.statusCode}`);
    }
  });

  async function answer(request: IncomingMessage, response: ServerResponse, url: URL) {
    const [, name, key] =
      /^\/([^/]+)(?:\/(.*))?$/.exec(decodeURIComponent(url.pathname.slice(path_prefix.length))) ?? [];
    const is_signed = request.headers.authorization !== undefined;
    if (is_signed) checkSignature(request, url, { key_id, secret });
    else if (!(double.is_public && request.method === 'GET' && key)) throw new Refusal(403, 'AccessDenied');
    if (!url.pathname.startsWith(path_prefix) || name !== bucket) throw new Refusal(404, 'NoSuchBucket');
    const body = join(folder, randomUUID());
    const hash = createHash('sha256');
    await pipeline(
      request,
      async function* (chunks) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(body),
    );
    try {
      if (is_signed && hash.digest('hex') !== request.headers['x-amz-content-sha256']) {
        throw new Refusal(400, 'XAmzContentSHA256Mismatch');
      }
      await serve(request, response, url, { key, body });
    } finally {
      rmSync(body, { force: true });
    }
  }

  async function serve(
    { method, headers }: IncomingMessage,
    response: ServerResponse,
    { searchParams }: URL,
    { key, body }: { key: string | undefined; body: string },
  ) {
    const xml = (content: string) =>
      response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?>${content}`);
    if (method === 'PUT' && key) {
      if (headers['content-length'] === undefined) throw new Refusal(411, 'MissingContentLength');
      const kept = join(folder, randomUUID());
      renameSync(body, kept);
      const before = objects.get(key);
      objects.set(key, kept);
      if (before) rmSync(before);
      response.writeHead(200, { etag: '"0"' }).end();
    } else if (method === 'GET' && key) {
      const kept = objects.get(key);
      if (!kept) throw new Refusal(404, 'NoSuchKey');
      response.writeHead(200, { 'content-length': statSync(kept).size });
      await pipeline(createReadStream(kept), response);
    } else if (method === 'DELETE' && key) {
      const kept = objects.get(key);
      objects.delete(key);
      if (kept) rmSync(kept);
      response.writeHead(204).end();
    } else if (method === 'GET' && searchParams.get('list-type') === '2') {
      const found = [...objects.keys()]
        .filter((one) => one.startsWith(searchParams.get('prefix') ?? ''))
        .sort();
      const limit = Math.min(Number(searchParams.get('max-keys') ?? page_objects), page_objects);
      const contents = found.slice(0, limit).map((one) => `<Contents><Key>${one}</Key></Contents>`);
      xml(
        `<ListBucketResult><Name>${bucket}</Name><KeyCount>${contents.length}</KeyCount><IsTruncated>${found.length > limit}</IsTruncated>${contents.join('')}</ListBucketResult>`,
      );
    } else if (method === 'POST' && searchParams.has('delete')) {
      if (!headers['content-md5'] && !Object.keys(headers).some((one) => one.startsWith('x-amz-checksum-'))) {
        throw new Refusal(400, 'InvalidRequest');
      }
      for (const [, one] of readFileSync(body, 'utf8').matchAll(/<Key>([^<]+)<\/Key>/g)) {
        const kept = objects.get(one!);
        objects.delete(one!);
        if (kept) rmSync(kept);
      }
      xml('<DeleteResult/>');
    } else throw new Refusal(405, 'MethodNotAllowed');
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const double: FakeS3 = {
    settings: {
      S3_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path_prefix}`,
      S3_REGION: region,
      S3_BUCKET: bucket,
      S3_ACCESS_KEY_ID: key_id,
      S3_SECRET_ACCESS_KEY: secret,
    },
    objects,
    requests: [],
    is_public: false,
    fail(times) {
      if (times === 0) cut = true;
      else failures = times;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      rmSync(folder, { recursive: true });
    },
  };
  return double;
}

/** "Authenticating Requests (AWS Signature Version 4)" of the S3 API reference. */
function checkSignature(
  request: IncomingMessage,
  url: URL,
  { key_id, secret }: { key_id: string; secret: string },
) {
  const found =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    );
  if (!found) throw new Refusal(400, 'AuthorizationHeaderMalformed');
  const [, id, day, at_region, names, signature] = found as unknown as string[];
  if (id !== key_id) throw new Refusal(403, 'InvalidAccessKeyId');
  if (at_region !== region) throw new Refusal(400, 'AuthorizationHeaderMalformed');
  const time = String(request.headers['x-amz-date']);
  const at = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!(Math.abs(Date.now() - at) < 15 * 60_000) || !time.startsWith(day!)) {
    throw new Refusal(403, 'RequestTimeTooSkewed');
  }
  const body_hash = String(request.headers['x-amz-content-sha256']);
  // An unsigned body is allowed by Amazon over TLS; whoever signs it is safe everywhere.
  if (!/^[0-9a-f]{64}$/.test(body_hash)) throw new Refusal(400, 'InvalidRequest');
  const signed = names!.split(';');
  const must = ['host', ...Object.keys(request.headers).filter((name) => name.startsWith('x-amz-'))];
  if (must.some((name) => !signed.includes(name))) throw new Refusal(403, 'AccessDenied');

  const encode = (text: string) =>
    encodeURIComponent(text).replace(
      /[!'()*]/g,
      (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
    );
  const query = [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const path = decodeURIComponent(url.pathname).split('/').map(encode).join('/');
  const headers = signed.map(
    (name) => `${name}:${String(request.headers[name]).trim().replace(/ +/g, ' ')}\n`,
  );
  const canonical = [request.method, path, query, headers.join(''), names, body_hash].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join(
    '\n',
  );
  const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();
  const key = [day!, region, 's3', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`);
  if (hmac(key, text).toString('hex') !== signature) throw new Refusal(403, 'SignatureDoesNotMatch');
}
