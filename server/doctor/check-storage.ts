import { randomUUID } from 'node:crypto';
import type { Config } from '../platform/config.ts';
import { createS3 } from '../platform/s3-storage.ts';
import { ask } from './ask.ts';
import { type Finding, findingsAbout } from './finding.ts';

const { good, note, wrong } = findingsAbout('storage');

const timeout_ms = 15_000;

/**
 * Whether the bucket takes, returns and deletes a file, and gives it to nobody without the key. It writes one small
 * object below `doctor/` and deletes it.
 */
export async function checkStorage({ s3, mode }: Pick<Config, 's3' | 'mode'>): Promise<Finding[]> {
  if (!s3) {
    if (mode !== 'supabase') return [];
    return [
      note('S3_ENDPOINT is not set: the members’ files lie in DATA_DIR, not in the project’s Storage.'),
    ];
  }
  const { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } = await import('@aws-sdk/client-s3');
  const client = await createS3(s3).client();
  const object = { Bucket: s3.bucket, Key: `doctor/${randomUUID()}` };
  const words = 'Written by the doctor, and deleted again.';
  const options = { abortSignal: AbortSignal.timeout(timeout_ms) };
  try {
    await client.send(new PutObjectCommand({ ...object, Body: words }), options);
    const { Body } = await client.send(new GetObjectCommand(object), options);
    const came_back = (await Body?.transformToString()) === words;
    const is_private = await isPrivate(s3.endpoint, object);
    await client.send(new DeleteObjectCommand(object), options);
    if (!came_back)
      return [wrong('What the bucket takes comes back changed: set S3_ENDPOINT to the storage itself.')];
    return [
      good('The bucket takes, returns and deletes files.'),
      is_private
        ? good('Nobody reads them without the key.')
        : wrong('Everybody can read the members’ files: make the bucket that S3_BUCKET names private.'),
    ];
  } catch (error) {
    return [wrong(whatFailed(error as Failure))];
  } finally {
    client.destroy();
  }
}

/** Supabase gives the objects of a public bucket away under another address than the S3 protocol's. */
async function isPrivate(endpoint: string, { Bucket, Key }: { Bucket: string; Key: string }) {
  const addresses = [`${endpoint}/${Bucket}/${Key}`];
  if (endpoint.endsWith('/storage/v1/s3')) {
    addresses.push(`${endpoint.slice(0, -'/s3'.length)}/object/public/${Bucket}/${Key}`);
  }
  const answers = await Promise.all(addresses.map((address) => ask(address, {})));
  return answers.every(({ status }) => status !== 200);
}

type Failure = Error & { code?: string; $metadata?: { httpStatusCode?: number } };

function whatFailed({ name, code, $metadata }: Failure) {
  const keys = 'copy both from where the key was made (Supabase: Storage, Settings, S3 access keys)';
  switch (name) {
    case 'InvalidAccessKeyId':
      return `The storage does not know S3_ACCESS_KEY_ID: ${keys}.`;
    case 'SignatureDoesNotMatch':
      return `S3_SECRET_ACCESS_KEY does not belong to S3_ACCESS_KEY_ID, or S3_REGION is another one: ${keys}.`;
    case 'NoSuchBucket':
      return 'There is no bucket that S3_BUCKET names: make it, private, or correct the name.';
    case 'AuthorizationHeaderMalformed':
      return 'S3_REGION is not the region of the storage: set it to the one that stands beside its address.';
    case 'AccessDenied':
      return 'The key may not write, read and delete in the bucket that S3_BUCKET names: allow it, or set a key that may.';
    case 'RequestTimeTooSkewed':
      return 'The clock of this machine is wrong, so the storage refuses what it signs: set the clock.';
    case 'AbortError':
    case 'TimeoutError':
      return 'The storage does not answer within 15 seconds: check S3_ENDPOINT and the network.';
  }
  const status = $metadata?.httpStatusCode;
  if (status !== undefined) {
    return `S3_ENDPOINT does not answer as an S3 storage does (${status}): set it to the endpoint that the storage shows (Supabase: Storage, Settings, S3 connection).`;
  }
  const reason = code && /^[A-Z0-9_]+$/.test(code) ? code : 'no connection';
  return `The storage cannot be reached (${reason}): check S3_ENDPOINT and the network.`;
}
