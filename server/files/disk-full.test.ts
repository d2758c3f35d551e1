import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startTestServer } from '../testing/start-test-server.ts';

const disk = vi.hoisted(() => ({ full_folder: '' }));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const createWriteStream: typeof fs.createWriteStream = (path, options) =>
    // Linux's device that answers every write as a full disk does.
    fs.createWriteStream(
      disk.full_folder && String(path).startsWith(disk.full_folder) ? '/dev/full' : path,
      options,
    );
  return { ...fs, createWriteStream };
});

let server: Awaited<ReturnType<typeof startTestServer>>;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

it.runIf(existsSync('/dev/full')).each(['uploads', 'files'])(
  'an upload for which the disk has no room in %s is answered, not counted, and leaves nothing; later ones go on',
  async (folder) => {
    const sender = await server.signUp();
    const upload = () => {
      const form = new FormData();
      form.set('file', new File(['Flour, water, salt and time. '.repeat(200_000)], 'long.txt'));
      return sender.fetch('/api/files', { method: 'POST', body: form });
    };
    disk.full_folder = join(server.folder, folder);
    const answer = await upload();
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      code: 'unavailable',
      detail: expect.stringMatching(/no room left.*Nothing was saved or counted/),
    });
    expect(readdirSync(join(server.folder, 'uploads'))).toEqual([]);
    const { id } = await sender.json('/api/me');
    const kept = join(server.folder, 'files', id);
    expect(existsSync(kept) ? readdirSync(kept) : []).toEqual([]);
    disk.full_folder = '';
    expect((await upload()).status).toBe(201);
    expect((await sender.json('/api/me')).subscription_usage.files).toBe(1);
  },
);
