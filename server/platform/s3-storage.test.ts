import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type FakeS3, startFakeS3 } from '../testing/fake-s3.ts';
import { readConfig } from './config.ts';
import { createS3, createS3Storage } from './s3-storage.ts';

let folder: string;
let s3: FakeS3;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'touchline-s3-'));
  // As Supabase's, the address goes on behind the host.
  s3 = await startFakeS3({ path_prefix: '/storage/v1/s3' });
});
afterAll(async () => {
  await s3.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  s3.requests.length = 0;
});

function storage(settings: Record<string, string> = {}) {
  return createS3Storage(createS3(readConfig({ ...s3.settings, ...settings }).s3!), join(folder, 'waiting'));
}

function keep(content: string) {
  const path = join(folder, 'upload');
  writeFileSync(path, content);
  return path;
}

it('bytes are stored whole, replaced, read and deleted', async () => {
  for (const words of ['one', 'Flour, water, salt – and time.'.repeat(10_000)]) {
    await storage().putFile('member/original', keep(words));
    expect(await text(await storage().getStream('member/original'))).toBe(words);
  }
  expect([...s3.objects.keys()]).toEqual(['member/original']);
  await storage().delete('member/original');
  await storage().delete('member/original');
  expect(s3.objects.size).toBe(0);
  await expect(storage().getStream('member/original')).rejects.toThrow();
});

it('a stream of unknown length is stored whole or not at all, and nothing of it stays on this machine', async () => {
  const parts = Array.from({ length: 100 }, (_, number) => `${number} Flour, water, salt. `.repeat(500));
  const size = await storage().putStream('member/export', Readable.from(parts));
  expect(size).toBe(parts.join('').length);
  expect(await text((await storage().findStream('member/export'))!)).toBe(parts.join(''));
  async function* brokenOff() {
    yield 'The beginning of ';
    throw new Error('the source broke off');
  }
  await expect(storage().putStream('member/half', Readable.from(brokenOff()))).rejects.toThrow('broke off');
  expect(await storage().findStream('member/half')).toBeUndefined();
  expect(readdirSync(join(folder, 'waiting'))).toEqual([]);
  await storage().delete('member/export');
});

it('a member’s folder is deleted whole, however many pages the list has, and nobody else’s', async () => {
  for (const key of ['a/1', 'a/2', 'a/3', 'a/4', 'a/5', 'a/6', 'a/7', 'ab/1'])
    await storage().putFile(key, keep('x'));
  await storage().deleteFolder('a');
  expect([...s3.objects.keys()]).toEqual(['ab/1']);
  await storage().deleteFolder('a');
  await storage().deleteFolder('ab');
  expect(s3.objects.size).toBe(0);
});

it.each([
  ['a server without time', 2],
  ['a connection that breaks', 0],
])('%s is asked again, and the bytes arrive whole', async (_, times) => {
  s3.fail(times);
  const words = 'Flour, water, salt and time. '.repeat(40_000);
  await storage().putFile('again/1', keep(words));
  s3.fail(times);
  expect(await text(await storage().getStream('again/1'))).toBe(words);
  s3.fail(times);
  await storage().delete('again/1');
  expect(s3.objects.has('again/1')).toBe(false);
});

it('a server that stays away is given up, and nothing is left there', async () => {
  s3.fail(1_000);
  await expect(storage().putFile('away/1', keep('words'))).rejects.toThrow();
  expect(s3.requests.length).toBe(3);
  s3.fail(1);
  expect(s3.objects.has('away/1')).toBe(false);
  await storage().delete('away/1');
});

it.each([
  ['another secret', { S3_SECRET_ACCESS_KEY: 'not the one' }],
  ['another key', { S3_ACCESS_KEY_ID: 'AKIASOMEBODYELSE' }],
  ['another region', { S3_REGION: 'us-east-1' }],
  ['another bucket', { S3_BUCKET: 'of-somebody-else' }],
])('with %s nothing is stored, read or deleted', async (_, settings) => {
  await storage().putFile('kept/1', keep('words'));
  const wrong = storage(settings);
  await expect(wrong.putFile('kept/2', keep('words'))).rejects.toThrow();
  await expect(wrong.getStream('kept/1')).rejects.toThrow();
  await expect(wrong.delete('kept/1')).rejects.toThrow();
  await expect(wrong.deleteFolder('kept')).rejects.toThrow();
  expect([...s3.objects.keys()]).toEqual(['kept/1']);
  await storage().deleteFolder('kept');
});

it('an address without a signature reads nothing', async () => {
  await storage().putFile('kept/1', keep('words'));
  const { S3_ENDPOINT, S3_BUCKET } = s3.settings;
  expect((await fetch(`${S3_ENDPOINT}/${S3_BUCKET}/kept/1`)).status).toBe(403);
  await storage().deleteFolder('kept');
});

/** The most memory that a process of its own ever has while it stores a file and reads it back, in megabytes. */
async function memoryFor(size_bytes: number) {
  const path = keep('');
  truncateSync(path, size_bytes);
  const script = `
    const { createS3, createS3Storage } = await import(${JSON.stringify(new URL('./s3-storage.ts', import.meta.url).href)});
    const storage = createS3Storage(createS3(${JSON.stringify(readConfig(s3.settings).s3)}), ${JSON.stringify(join(folder, 'waiting'))});
    await storage.putFile('large/1', ${JSON.stringify(path)});
    let read = 0;
    for await (const chunk of await storage.getStream('large/1')) read += chunk.length;
    if (read !== ${size_bytes}) throw new Error('it came back otherwise');
    process.stdout.write(String(process.resourceUsage().maxRSS / 1024));
    process.exit();
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return Number(stdout);
}

it('a file of 250 MB is streamed both ways: it costs a fraction of that in memory', async () => {
  const little = await memoryFor(1_000);
  const much = await memoryFor(250_000_000);
  // 67 measured; a buffer of the file would be 250.
  expect(much - little).toBeLessThan(150);
  await storage().deleteFolder('large');
}, 120_000);
