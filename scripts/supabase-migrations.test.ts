import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { migrate, readSchemaFiles } from '../server/platform/migrate.ts';
import { describeObjects } from '../server/testing/describe-objects.ts';
import { addSupabaseObjects, createEmptyDatabase, schema_folder } from '../server/testing/test-postgres.ts';
import { writeSupabaseMigrations } from './supabase-migrations.ts';

let project: string;
let folder: string;
const pools: pg.Pool[] = [];
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'touchline-supabase-'));
  folder = join(project, 'supabase', 'migrations');
});
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.end();
  rmSync(project, { recursive: true, force: true });
});

/** A database with what Supabase brings and nothing of ours. */
async function openNewProject() {
  const url = await createEmptyDatabase(inject('admin_url'));
  await addSupabaseObjects(url);
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  pools.push(pool);
  return { url, pool };
}

async function describeOwnRunner() {
  const { pool } = await openNewProject();
  await migrate(pool, readSchemaFiles(schema_folder));
  return describeObjects(pool);
}

/** The CLI's program, which lies in its npm packages; undefined where they are not installed. */
function findCli() {
  try {
    const { resolve } = createRequire(import.meta.url);
    return join(dirname(resolve('supabase/package.json')), 'dist', 'supabase.js');
  } catch {
    return undefined;
  }
}
const cli = findCli();

function push(url: string) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [cli!, 'db', 'push', '--db-url', `${url}?sslmode=disable`, '--workdir', project, '--yes'],
    {
      encoding: 'utf8',
      // It keeps its own files in the home folder, and would tell its makers about each call.
      env: { ...process.env, HOME: project, DO_NOT_TRACK: '1', SUPABASE_TELEMETRY_DISABLED: '1' },
    },
  );
  return { status, output: stdout + stderr };
}

const snapshot = () => readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]);

test('each schema file becomes one migration, in the same order, the same bytes every time', () => {
  const names = writeSupabaseMigrations(schema_folder, folder);
  expect(names[0]).toBe('20260101000100_users.sql');
  expect(readdirSync(folder).sort()).toEqual(names);
  expect(names.map((name) => name.slice(15))).toEqual(
    readSchemaFiles(schema_folder).map((file) => file.name.slice(3)),
  );
  const first = snapshot();
  writeSupabaseMigrations(schema_folder, folder);
  expect(snapshot()).toEqual(first);
});

test('what a file of another number is called has a time of its own, to the hundredth', () => {
  const schema = mkdtempSync(join(project, 'schema-'));
  for (const number of ['01', '59', '60', '99'])
    writeFileSync(join(schema, `${number}_one.sql`), 'select 1;\n');
  expect(writeSupabaseMigrations(schema, folder)).toEqual([
    '20260101000100_one.sql',
    '20260101005900_one.sql',
    '20260101010000_one.sql',
    '20260101013900_one.sql',
  ]);
});

test("a project's own migrations stay, and one whose schema file is gone goes", () => {
  const schema = mkdtempSync(join(project, 'schema-'));
  for (const name of ['01_one.sql', '02_two.sql']) writeFileSync(join(schema, name), 'select 1;\n');
  writeSupabaseMigrations(schema, folder);
  writeFileSync(join(folder, '20260301120000_own.sql'), 'select 2;\n');
  rmSync(join(schema, '02_two.sql'));
  writeSupabaseMigrations(schema, folder);
  expect(readdirSync(folder).sort()).toEqual(['20260101000100_one.sql', '20260301120000_own.sql']);
});

test('the migrations, each in a transaction of its own, make what our runner makes', async () => {
  const { pool } = await openNewProject();
  for (const name of writeSupabaseMigrations(schema_folder, folder)) {
    await pool.query(`begin; ${readFileSync(join(folder, name), 'utf8')}; commit`);
  }
  const objects = await describeObjects(pool);
  expect(objects.length).toBeGreaterThan(150);
  expect(objects).toEqual(await describeOwnRunner());
});

test.skipIf(!cli)(
  '"supabase db push" makes what our runner makes, and a server takes it over',
  async () => {
    const { url, pool } = await openNewProject();
    const names = writeSupabaseMigrations(schema_folder, folder);
    const pushed = push(url);
    expect(pushed.output).toContain(names.at(-1));
    expect(pushed.status).toBe(0);
    const objects = await describeObjects(pool);
    expect(objects).toEqual(await describeOwnRunner());

    expect(push(url)).toMatchObject({ status: 0, output: expect.stringContaining('up to date') });
    // The first start applies its files once more, which changes nothing.
    await migrate(pool, readSchemaFiles(schema_folder));
    expect(await describeObjects(pool)).toEqual(objects);
  },
  60_000,
);
