import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { createEmptyDatabase } from '../testing/test-postgres.ts';
import { StartError } from './config.ts';
import { findPendingFiles, migrate, readSchemaFiles } from './migrate.ts';

let folder: string;
let url: string;
let pool: pg.Pool;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'touchline-schema-'));
  url = await createEmptyDatabase(inject('admin_url'));
  pool = new pg.Pool({ connectionString: url });
  await pool.query('create table runs (number int generated always as identity, name text)');
  write('01_first.sql');
  write('02_second.sql');
});
afterEach(async () => {
  await pool.end();
  rmSync(folder, { recursive: true, force: true });
});

/** A schema file that writes down that it ran. */
function write(name: string, content = '') {
  writeFileSync(join(folder, name), `insert into public.runs (name) values ('${name}');\n${content}`);
}

async function listRuns() {
  const { rows } = await pool.query('select name from runs order by number');
  return rows.map((row) => row.name);
}

const applyAll = () => migrate(pool, readSchemaFiles(folder));

test('files are applied in the order of their numbers, whatever else lies in the folder', async () => {
  write('10_tenth.sql');
  write('09_ninth.sql');
  for (const other of ['README.md', 'notes.sql', '03_backup.sql.bak', '4_four.sql', '05-five.sql'])
    write(other);
  mkdirSync(join(folder, 'old'));
  const names = ['01_first.sql', '02_second.sql', '09_ninth.sql', '10_tenth.sql'];
  expect(await applyAll()).toEqual(names);
  expect(await listRuns()).toEqual(names);
});

test('what is applied is not applied again, and one statement tells that nothing is pending', async () => {
  const files = readSchemaFiles(folder);
  expect(await findPendingFiles(pool, files)).toEqual(files);
  await applyAll();
  expect(await findPendingFiles(pool, files)).toEqual([]);
  expect(await applyAll()).toEqual([]);
  expect(await listRuns()).toEqual(['01_first.sql', '02_second.sql']);
});

test('ten servers that start at once apply each file once, and each finds the schema in place', async () => {
  write('03_slow.sql', 'select pg_sleep(0.2); create table public.made (id int);');
  const pools = Array.from({ length: 10 }, () => new pg.Pool({ connectionString: url, max: 2 }));
  try {
    const files = readSchemaFiles(folder);
    const applied = await Promise.all(
      pools.map(async (one) => {
        const names = await migrate(one, files);
        await one.query('select from made');
        return names;
      }),
    );
    expect(applied.filter((names) => names.length > 0)).toEqual([files.map((file) => file.name)]);
    expect(await listRuns()).toEqual(['01_first.sql', '02_second.sql', '03_slow.sql']);
  } finally {
    await Promise.all(pools.map((one) => one.end()));
  }
});

test('a file that was changed is applied again, alone; so is one that was added', async () => {
  await applyAll();
  write('01_first.sql', '-- changed');
  write('03_third.sql');
  expect(await applyAll()).toEqual(['01_first.sql', '03_third.sql']);
  expect(await applyAll()).toEqual([]);
});

test('a broken file is named in a sentence, and nothing of the run is kept', async () => {
  write('02_second.sql', 'create table public.half (id int);\nselect no_such_column;');
  write('03_third.sql');
  const refused = expect(applyAll()).rejects;
  await refused.toBeInstanceOf(StartError);
  await refused.toThrow(
    'The schema file 02_second.sql could not be applied: column "no_such_column" does not exist.',
  );
  expect(await listRuns()).toEqual([]);
  const { rows } = await pool.query(
    `select to_regclass('half') as half, to_regclass('schema_files') as files`,
  );
  expect(rows).toEqual([{ half: null, files: null }]);

  // Mended, all of it comes.
  write('02_second.sql');
  expect(await applyAll()).toEqual(['01_first.sql', '02_second.sql', '03_third.sql']);
});

test('a run that failed leaves no lock and no connection behind', async () => {
  write('02_second.sql', 'select no_such_column;');
  const single = new pg.Pool({ connectionString: url, max: 1, connectionTimeoutMillis: 2_000 });
  try {
    await expect(migrate(single, readSchemaFiles(folder))).rejects.toThrow('02_second.sql');
    write('02_second.sql');
    expect(await migrate(single, readSchemaFiles(folder))).toHaveLength(2);
  } finally {
    await single.end();
  }
});

test('a connection that is cut in the middle of a run is told, and the next run does it all', async () => {
  write('02_second.sql', 'select pg_terminate_backend(pg_backend_pid());');
  pool.on('error', () => {});
  await expect(applyAll()).rejects.toThrow('02_second.sql');
  write('02_second.sql');
  expect(await applyAll()).toEqual(['01_first.sql', '02_second.sql']);
  expect(await listRuns()).toEqual(['01_first.sql', '02_second.sql']);
});

test("the list of applied files is out of the Data API's reach", async () => {
  await applyAll();
  const { rows } = await pool.query(`
    select relrowsecurity as guarded, (select count(*)::int from pg_policies where tablename = 'schema_files') as policies
    from pg_class where oid = 'public.schema_files'::regclass
  `);
  expect(rows).toEqual([{ guarded: true, policies: 0 }]);
});
