import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { findEmbeddedPostgres } from '../server/platform/embedded-postgres.ts';
import { lockDataFolder } from '../server/platform/process-lock.ts';
import { no_settings } from '../server/testing/no-settings.ts';
import { createEmptyDatabase, schema_folder } from '../server/testing/test-postgres.ts';

const root = join(import.meta.dirname, '..');
const every_file = readdirSync(schema_folder).filter((name) => name.endsWith('.sql'));
const all_applied = every_file
  .sort()
  .map((name) => `applied ${name}\n`)
  .join('');
const nothing_to_do = { code: 0, stdout: 'nothing to do: the schema is in place\n', stderr: '' };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'touchline-migrate-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `node scripts/migrate.ts` as a process of its own. */
async function runMigrate(settings: Record<string, string>) {
  const child = spawn(process.execPath, [join('scripts', 'migrate.ts')], {
    cwd: root,
    env: { ...process.env, ...no_settings, DATA_DIR: folder, ...settings },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (output.stdout += chunk));
  child.stderr.on('data', (chunk) => (output.stderr += chunk));
  const [code] = await once(child, 'close');
  return { code, ...output };
}

test('it brings an empty PostgreSQL to what a start needs, says each file, and the second time does nothing', async () => {
  const DATABASE_URL = await createEmptyDatabase(inject('admin_url'));
  expect(await runMigrate({ DATABASE_URL })).toEqual({ code: 0, stdout: all_applied, stderr: '' });
  expect(await runMigrate({ DATABASE_URL })).toEqual(nothing_to_do);
}, 60_000);

test('what keeps it from working is one sentence and exit code 1', async () => {
  const DATABASE_URL = await createEmptyDatabase(inject('admin_url'));
  await runMigrate({ DATABASE_URL });
  const client = new pg.Client({ connectionString: DATABASE_URL });
  await client.connect();
  await client.query(`insert into public.schema_files (name, checksum) values ('98_later.sql', 'x')`);
  await client.end();
  expect(await runMigrate({ DATABASE_URL })).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^The database belongs to a newer Touchline: [^\n]+\n$/),
  });
  expect(await runMigrate({ PORT: 'hunter2' })).toEqual({
    code: 1,
    stdout: '',
    stderr: 'The setting PORT is not usable: must be a whole number from 0 to 65535.\n',
  });
}, 60_000);

test('the embedded database is started for it and stopped again, under the lock of its folder', async () => {
  expect(await runMigrate({})).toEqual({ code: 0, stdout: all_applied, stderr: '' });
  expect(await findEmbeddedPostgres(folder)).toEqual({ made: true, url: undefined });
  expect(existsSync(join(folder, 'postgres', 'postmaster.pid'))).toBe(false);
  expect(await runMigrate({})).toEqual(nothing_to_do);

  const lock = lockDataFolder(folder);
  expect(await runMigrate({})).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`in use by the Touchline process ${process.pid}`),
  });
  lock.release();
}, 60_000);
