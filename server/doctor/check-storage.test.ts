import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { readConfig } from '../platform/config.ts';
import { findFreePort } from '../platform/free-port.ts';
import { type FakeS3, startFakeS3 } from '../testing/fake-s3.ts';
import { checkStorage } from './check-storage.ts';

let s3: FakeS3;
beforeAll(async () => {
  s3 = await startFakeS3({ path_prefix: '/storage/v1/s3' });
});
afterAll(() => s3.close());
beforeEach(() => {
  s3.is_public = false;
});

async function check(settings: Record<string, string> = {}) {
  const lines = (await checkStorage(readConfig({ ...s3.settings, ...settings }))).map(
    ({ verdict, about, sentence }) => {
      expect(about).toBe('storage');
      return `${verdict} ${sentence}`;
    },
  );
  expect(lines.join()).not.toMatch(/lantern|AKIA|127\.0\.0\.1/);
  return lines;
}

test('a private bucket that works is good, and nothing is left in it', async () => {
  expect(await check()).toEqual([
    'good The bucket takes, returns and deletes files.',
    'good Nobody reads them without the key.',
  ]);
  expect(s3.objects.size).toBe(0);
});

test('a bucket that everybody can read is wrong', async () => {
  s3.is_public = true;
  expect((await check())[1]).toMatch(/^wrong Everybody can read the members’ files: make the bucket/);
  expect(s3.objects.size).toBe(0);
});

test.each([
  [{ S3_ACCESS_KEY_ID: 'AKIALANTERN' }, /^wrong The storage does not know S3_ACCESS_KEY_ID: copy both/],
  [{ S3_SECRET_ACCESS_KEY: 'another lantern' }, /^wrong S3_SECRET_ACCESS_KEY does not belong/],
  [{ S3_BUCKET: 'another' }, /^wrong There is no bucket that S3_BUCKET names: make it, private/],
  [{ S3_REGION: 'us-east-1' }, /^wrong S3_REGION is not the region/],
])('with %j it says what to mend', async (settings, sentence) => {
  expect(await check(settings)).toEqual([expect.stringMatching(sentence)]);
});

test('an address where nobody listens is told with the code', async () => {
  const lines = await check({ S3_ENDPOINT: `http://127.0.0.1:${await findFreePort()}` });
  expect(lines).toEqual([expect.stringMatching(/^wrong The storage cannot be reached \(ECONNREFUSED\)/)]);
});

test('an address that is no storage is told', async () => {
  const server = createServer((_, response) => response.writeHead(418).end('lantern'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  expect(await check({ S3_ENDPOINT: `http://127.0.0.1:${port}` })).toEqual([
    expect.stringMatching(/^wrong S3_ENDPOINT does not answer as an S3 storage does \(418\)/),
  ]);
  server.close();
});

test('without a bucket files lie on the disk, which is a note on Supabase only', async () => {
  const none = {
    S3_ENDPOINT: '',
    S3_REGION: '',
    S3_BUCKET: '',
    S3_ACCESS_KEY_ID: '',
    S3_SECRET_ACCESS_KEY: '',
  };
  expect(await check(none)).toEqual([]);
  const supabase = {
    SUPABASE_URL: 'https://project.supabase.co',
    SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_key',
    DATABASE_URL: 'postgresql://postgres:secret@db.project.supabase.co:5432/postgres',
  };
  expect(await check({ ...none, ...supabase })).toEqual([expect.stringMatching(/^note .*lie in DATA_DIR/)]);
});
