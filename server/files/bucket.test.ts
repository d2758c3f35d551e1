import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type FakeS3, startFakeS3 } from '../testing/fake-s3.ts';
import { startTestServer } from '../testing/start-test-server.ts';

const report = join(import.meta.dirname, '..', 'testing', 'fixtures', 'ridgeway-bakery-review.pdf');

let s3: FakeS3;
let server: Awaited<ReturnType<typeof startTestServer>>;
beforeAll(async () => {
  s3 = await startFakeS3();
  server = await startTestServer(s3.settings);
});
afterAll(async () => {
  await server.stop();
  await s3.close();
});

it('with a bucket, a file goes there and nowhere else, comes back byte for byte, and is deleted there', async () => {
  const sender = await server.signUp();
  const { id } = (await (await sender.upload(report)).json()) as any;
  expect(s3.objects.size).toBe(1);
  expect(existsSync(join(server.folder, 'files'))).toBe(false);
  expect(readdirSync(join(server.folder, 'uploads'))).toEqual([]);
  const content = await sender.fetch(`/api/files/${id}/content`);
  expect(Buffer.from(await content.arrayBuffer()).equals(readFileSync(report))).toBe(true);
  expect((await (await server.signUp()).fetch(`/api/files/${id}/content`)).status).toBe(404);
  expect((await sender.fetch(`/api/files/${id}`, { method: 'DELETE' })).status).toBe(204);
  await vi.waitFor(() => expect(s3.objects.size).toBe(0), { timeout: 15_000, interval: 200 });
});

it('while the bucket is away an upload fails uncounted, and the next one goes on', async () => {
  const sender = await server.signUp();
  s3.fail(3);
  const answer = await sender.upload(report);
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({
    code: 'unavailable',
    detail: expect.stringMatching(/Nothing was saved or counted; try again/),
  });
  expect((await sender.json('/api/me')).subscription_usage.files).toBe(0);
  expect((await sender.upload(report)).status).toBe(201);
  expect((await sender.json('/api/me')).subscription_usage.files).toBe(1);
});
