import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isDiskFull } from '../storage.ts';
import { createOutbox } from './outbox.ts';

const disk = vi.hoisted(() => ({ is_full: false }));
vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof import('node:fs/promises')>();
  const writeFile = async (path: string, content: string, options: object) => {
    if (!disk.is_full) return fs.writeFile(path, content, options);
    // A disk that fills up takes the beginning.
    await fs.writeFile(path, content.slice(0, 10), options);
    throw Object.assign(new Error(), { code: 'ENOSPC' });
  };
  return { ...fs, writeFile };
});

let data_folder: string;
let folder: string;
beforeEach(() => {
  data_folder = mkdtempSync(join(tmpdir(), 'touchline-outbox-'));
  folder = join(data_folder, 'outbox');
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(data_folder, { recursive: true, force: true });
});

const letter = (subject = 'Hello') => ({
  to: 'member@example.org',
  subject,
  text: `${subject} to you\n`,
  html: `<p>${subject} to you</p>`,
});

test('before the first mail it is empty, and makes no folder', async () => {
  const outbox = createOutbox(data_folder);
  expect(await outbox.list()).toEqual([]);
  expect(await outbox.find('000000000000000-0123456789abcdef')).toBeUndefined();
  expect(existsSync(folder)).toBe(false);
});

test('a mail is found again, in another process as well, and nobody else of the machine reads it', async () => {
  await createOutbox(data_folder).add(letter());
  const outbox = createOutbox(data_folder);
  const [mail, ...others] = await outbox.list();
  expect(others).toEqual([]);
  expect(mail).toEqual({ id: expect.any(String), ...letter(), sent_at: expect.any(String) });
  expect(Math.abs(Date.now() - Date.parse(mail!.sent_at))).toBeLessThan(60_000);
  expect(await outbox.find(mail!.id)).toEqual(mail);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, `${mail!.id}.json`)).mode & 0o777).toBe(0o600);
});

test('a folder that others could read is closed with the next mail', async () => {
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  await createOutbox(data_folder).add(letter());
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test('the newest comes first, also of mails of the same moment', async () => {
  vi.spyOn(Date, 'now').mockReturnValue(1_795_000_000_000);
  const outbox = createOutbox(data_folder);
  for (const subject of ['one', 'two', 'three']) await outbox.add(letter(subject));
  expect((await outbox.list()).map(({ subject }) => subject)).toEqual(['three', 'two', 'one']);
});

test('the newest hundred stay', async () => {
  const outbox = createOutbox(data_folder);
  for (let n = 1; n <= 103; n++) await outbox.add(letter(`number ${n}`));
  const subjects = (await outbox.list()).map(({ subject }) => subject);
  expect(subjects).toHaveLength(100);
  expect(subjects[0]).toBe('number 103');
  expect(subjects.at(-1)).toBe('number 4');
  expect(readdirSync(folder)).toHaveLength(100);
});

test('two processes that write and prune at once lose none of the newest and leave no part', async () => {
  const script = `
    const { createOutbox } = await import(${JSON.stringify(join(import.meta.dirname, 'outbox.ts'))});
    const outbox = createOutbox(${JSON.stringify(data_folder)});
    for (let n = 0; n < 120; n++) {
      await outbox.add({ to: 'a@example.org', subject: process.pid + ' ' + n, text: '', html: '' });
      if (n % 10 === 0) await outbox.list();
    }`;
  const exits = [1, 2].map(() =>
    once(spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' }), 'exit'),
  );
  expect((await Promise.all(exits)).map(([code]) => code)).toEqual([0, 0]);
  expect(await createOutbox(data_folder).list()).toHaveLength(100);
  expect(readdirSync(folder).filter((name) => !name.endsWith('.json'))).toEqual([]);
  expect(readdirSync(folder).length).toBeLessThanOrEqual(101);
});

test.each([
  '../auth-secrets',
  '..%2fauth-secrets',
  '',
  '.',
  'a'.repeat(5_000),
  '000000000000000-0123456789abcdeF',
])('an id that is none of ours finds nothing: %j', async (id) => {
  writeFileSync(join(data_folder, 'auth-secrets.json'), JSON.stringify({ id, ...letter(), sent_at: '' }));
  const outbox = createOutbox(data_folder);
  await outbox.add(letter());
  expect(await outbox.find(id)).toBeUndefined();
});

test('damaged and foreign files are passed over', async () => {
  const outbox = createOutbox(data_folder);
  await outbox.add(letter());
  writeFileSync(join(folder, '999999999999999-0123456789abcdef.json'), '{"id":');
  writeFileSync(join(folder, '999999999999998-0123456789abcdef.json'), '{"id":"x"}');
  writeFileSync(join(folder, 'notes.json'), JSON.stringify({ id: 'notes', ...letter(), sent_at: '' }));
  expect((await outbox.list()).map(({ subject }) => subject)).toEqual(['Hello']);
});

test('what a process left that died while it wrote is cleared away, what is being written is not', async () => {
  mkdirSync(folder);
  const part = (ms: number) => `${String(ms).padStart(15, '0')}-0123456789abcdef.part`;
  const [old, fresh] = [part(Date.now() - 3_600_000), part(Date.now())];
  for (const name of [old, fresh]) writeFileSync(join(folder, name), '{');
  await createOutbox(data_folder).add(letter());
  expect(existsSync(join(folder, old))).toBe(false);
  expect(existsSync(join(folder, fresh))).toBe(true);
});

test('a mail for which the disk has no room leaves nothing, and the reason can be told', async () => {
  const outbox = createOutbox(data_folder);
  await outbox.add(letter('before'));
  disk.is_full = true;
  const error = await outbox.add(letter()).then(
    () => expect.fail('it was written'),
    (thrown) => thrown,
  );
  disk.is_full = false;
  expect(isDiskFull(error)).toBe(true);
  expect(readdirSync(folder)).toHaveLength(1);
  await outbox.add(letter('after'));
  expect((await outbox.list()).map(({ subject }) => subject)).toEqual(['after', 'before']);
});
