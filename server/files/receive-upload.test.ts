import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeEach, expect, it, vi } from 'vitest';
import { deleteLeftUploads, receiveUpload } from './receive-upload.ts';

const disk = vi.hoisted(() => ({ is_full: false }));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const createWriteStream: typeof fs.createWriteStream = (path, options) =>
    // Linux's device that answers every write as a full disk does.
    fs.createWriteStream(disk.is_full ? '/dev/full' : path, options);
  return { ...fs, createWriteStream };
});

const base = mkdtempSync(join(tmpdir(), 'touchline-uploads-'));
afterAll(() => rmSync(base, { recursive: true }));
let folder: string;
beforeEach(() => {
  disk.is_full = false;
  folder = mkdtempSync(join(base, 'uploads-'));
});

/** A request whose body the test writes. */
function request(headers: Record<string, string> = {}) {
  const stream = new PassThrough();
  const own = { 'content-type': 'multipart/form-data; boundary=x', ...headers };
  return Object.assign(stream, { headers: own }) as PassThrough & IncomingMessage;
}

function opening(file_name = 'a.txt') {
  return `--x\r\ncontent-disposition: form-data; name="file"; filename="${file_name}"\r\n\r\n`;
}

function openFiles() {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      return false;
    }
  });
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it was received'),
    (error) => error,
  );

it('a file is received whole; discarding it leaves nothing', async () => {
  const incoming = request();
  incoming.end(`${opening()}Some words.\r\n--x--\r\n`);
  const upload = await receiveUpload(incoming, folder, 1_000);
  expect(upload).toMatchObject({ file_name: 'a.txt', size_bytes: 11 });
  expect(readdirSync(folder)).toHaveLength(1);
  await upload.discard();
  expect(readdirSync(folder)).toEqual([]);
});

it('a name comes out as it was before the browser escaped it, and other signs of percent stay', async () => {
  const incoming = request();
  incoming.end(`${opening('a %22quote%22%0D%0A 100%25 %2F.txt')}Some words.\r\n--x--\r\n`);
  const { file_name } = await receiveUpload(incoming, folder, 1_000);
  expect(file_name).toBe('a "quote"\r\n 100%25 %2F.txt');
});

it.runIf(existsSync('/dev/full'))(
  'a full disk ends the upload with its error, and nothing is left',
  async () => {
    disk.is_full = true;
    const incoming = request();
    // More than any buffer on the way holds: without a reader it would wait for ever.
    incoming.write(opening() + 'words '.repeat(500_000));
    const error = await failure(receiveUpload(incoming, folder, 10_000_000));
    expect(error).toMatchObject({ code: 'ENOSPC', syscall: 'write' });
    expect(readdirSync(folder)).toEqual([]);
    // Its answer still goes back on the same connection.
    expect(incoming.destroyed).toBe(false);
  },
);

it('a length over the limit is refused before anything arrives', async () => {
  const error = await failure(receiveUpload(request({ 'content-length': '70000' }), folder, 1_000));
  expect(error).toMatchObject({ code: 'file_too_large' });
});

it('past the limit nothing more is read, though the sender goes on', async () => {
  const incoming = request();
  incoming.write(`${opening()}${'words '.repeat(1_000)}`);
  const error = await failure(receiveUpload(incoming, folder, 1_000));
  expect(error).toMatchObject({ code: 'file_too_large' });
  expect(readdirSync(folder)).toEqual([]);
  expect(incoming.destroyed).toBe(false);
});

it('a sender who left before it began is told apart from one who sends nothing', async () => {
  const incoming = request();
  incoming.destroy();
  expect(await failure(receiveUpload(incoming, folder, 1_000))).toMatchObject({ code: 'invalid_request' });
});

it('a sender who leaves in the middle leaves no file, neither in the folder nor open', async () => {
  for (let n = 0; n < 5; n++) {
    const incoming = request();
    incoming.write(`${opening()}${'words '.repeat(1_000)}`);
    const received = failure(receiveUpload(incoming, folder, 10_000));
    await vi.waitFor(() => expect(readdirSync(folder)).toHaveLength(1), { timeout: 20_000 });
    incoming.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
    expect(await received).toMatchObject({ code: 'invalid_request' });
  }
  expect(readdirSync(folder)).toEqual([]);
  if (existsSync('/proc/self/fd'))
    await vi.waitFor(() => expect(openFiles()).toEqual([]), { timeout: 20_000 });
});

it('what a killed process left is deleted after an hour, and nothing younger', async () => {
  mkdirSync(folder, { recursive: true });
  for (const [name, age_minutes] of [
    ['left', 61],
    ['arriving', 59],
  ] as const) {
    writeFileSync(join(folder, name), 'words');
    const time = Date.now() / 1000 - age_minutes * 60;
    utimesSync(join(folder, name), time, time);
  }
  await deleteLeftUploads(folder);
  expect(readdirSync(folder)).toEqual(['arriving']);
  await deleteLeftUploads(join(folder, 'never made'));
});
