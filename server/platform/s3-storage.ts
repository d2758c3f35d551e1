import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import type { S3Config } from './config.ts';
import { AppError } from './errors.ts';
import type { Storage } from './storage.ts';

const connect_timeout_ms = 10_000;
/** For a silence on a connection, not for a whole transfer. */
const silence_timeout_ms = 30_000;

type S3 = { client: () => Promise<S3Client>; bucket: string };

/** The client of the bucket that the settings name, made at its first use: loading it takes a fifth of a second. */
export function createS3({ endpoint, region, bucket, access_key_id, secret_access_key }: S3Config): S3 {
  let loading: Promise<S3Client> | undefined;
  const load = async () => {
    const { S3Client } = await import('@aws-sdk/client-s3');
    return new S3Client({
      endpoint,
      region,
      credentials: { accessKeyId: access_key_id, secretAccessKey: secret_access_key },
      // A bucket is a folder of the address, as with Supabase and most servers that are not Amazon's.
      forcePathStyle: true,
      maxAttempts: 3,
      // Their newer checksums, in a trailer, are not taken by every server; the body's hash is signed instead.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: {
        connectionTimeout: connect_timeout_ms,
        socketTimeout: silence_timeout_ms,
        httpAgent: new Agent({ keepAlive: true, maxSockets: 50 }),
        httpsAgent: new SecureAgent({ keepAlive: true, maxSockets: 50 }),
      },
      // It warns on the console, of which nobody knows what stands in it.
      logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    });
  };
  return {
    bucket,
    client() {
      loading ??= load();
      return loading;
    },
  };
}

/**
 * Private storage in a bucket behind the S3 protocol, such as Supabase Storage's. Bytes stream both ways. Storing and
 * reading throw `unavailable` after three attempts; deleting fails as the library does. `waiting_folder`: where a stream of
 * unknown length lies until it can be sent, with its length and its hash.
 */
export function createS3Storage({ client, bucket }: S3, waiting_folder: string): Storage {
  const storage: Storage = {
    async putFile(key, path) {
      const { PutObjectCommand } = await import('@aws-sdk/client-s3');
      const [{ size }, sha256] = await Promise.all([stat(path), hashFile(path)]);
      const s3 = await client();
      for (let attempt = 1; ; attempt++) {
        // A stream cannot be sent twice, so the library does not try again; we do, with a new one.
        const body = createReadStream(path);
        const put = new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentLength: size });
        put.middlewareStack.add(
          (next) => (args) => {
            const { headers } = args.request as { headers: Record<string, string> };
            // Signed along: what arrives otherwise than it was read is refused.
            headers['x-amz-content-sha256'] = sha256;
            return next(args);
          },
          { step: 'build', name: 'signBodyHash' },
        );
        try {
          await s3.send(put);
          return;
        } catch (error) {
          if (attempt === 3 || !isPassing(error)) {
            throw unavailable('Nothing was saved or counted; try again in a minute.', error);
          }
          await delay(200 * attempt);
        } finally {
          body.destroy();
        }
      }
    },

    async putStream(key, bytes) {
      await mkdir(waiting_folder, { recursive: true });
      const path = join(waiting_folder, randomUUID());
      try {
        await pipeline(bytes, createWriteStream(path, { mode: 0o600, flags: 'wx' }));
        const { size } = await stat(path);
        await storage.putFile(key, path);
        return size;
      } finally {
        await rm(path, { force: true });
      }
    },

    async getStream(key) {
      const { GetObjectCommand } = await import('@aws-sdk/client-s3');
      const s3 = await client();
      try {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return Body as Readable;
      } catch (error) {
        // That there is none is our mistake, and stays one.
        if ((error as Error).name === 'NoSuchKey') throw error;
        throw unavailable('Try again in a minute.', error);
      }
    },

    async findStream(key) {
      try {
        return await storage.getStream(key);
      } catch (error) {
        if ((error as Error).name === 'NoSuchKey') return undefined;
        throw error;
      }
    },

    async delete(key) {
      const { DeleteObjectCommand } = await import('@aws-sdk/client-s3');
      try {
        await (await client()).send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
      } catch (error) {
        if ((error as { name?: string }).name !== 'NoSuchKey') throw error;
      }
    },

    async deleteFolder(folder) {
      const { DeleteObjectsCommand, ListObjectsV2Command } = await import('@aws-sdk/client-s3');
      const s3 = await client();
      const list = new ListObjectsV2Command({ Bucket: bucket, Prefix: `${folder}/` });
      for (;;) {
        // Always from the beginning: what was listed before is gone.
        const { Contents = [], IsTruncated } = await s3.send(list);
        const Objects = Contents.map(({ Key }) => ({ Key: Key! }));
        if (Objects.length === 0) return;
        const { Errors = [] } = await s3.send(
          new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
        );
        if (Errors.length > 0)
          throw new Error(`The storage kept ${Errors.length} objects: ${Errors[0]!.Code}`);
        if (!IsTruncated) return;
      }
    },
  };
  return storage;
}

function unavailable(what_to_do: string, cause: unknown) {
  return new AppError('unavailable', `The files cannot be reached at the moment. ${what_to_do}`, { cause });
}

async function hashFile(path: string) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Whether it may work when it is tried again: the connection failed, or the server had no time. */
function isPassing(error: unknown) {
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  return status === undefined || status === 429 || status >= 500;
}
