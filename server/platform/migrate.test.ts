import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { releaseSchema } from '../../scripts/release-schema.ts';
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

test('a released file that was changed, or is gone, is refused before anything is applied', async () => {
  await applyAll();
  expect(releaseSchema(folder)).toEqual(['01_first.sql', '02_second.sql']);
  write('03_third.sql');
  expect(readSchemaFiles(folder).map((file) => file.released)).toEqual([true, true, false]);

  write('02_second.sql', '-- changed');
  const sentence = /^The schema file 02_second\.sql is not as it was released: put it back .* new file\.$/;
  expect(applyAll).toThrow(sentence);
  expect(applyAll).toThrow(StartError);
  // Nor can the change be released.
  expect(() => releaseSchema(folder)).toThrow(sentence);
  rmSync(join(folder, '02_second.sql'));
  expect(applyAll).toThrow(sentence);
  expect(await listRuns()).toEqual(['01_first.sql', '02_second.sql']);

  // Other ends of lines, as git makes them on Windows, are no change.
  write('02_second.sql');
  const path = join(folder, '02_second.sql');
  writeFileSync(path, readFileSync(path, 'utf8').replaceAll('\n', '\r\n'));
  expect(await applyAll()).toContain('03_third.sql');
});

test('a database that has a file in a form that another version released is refused, and stays as it is', async () => {
  releaseSchema(folder);
  await applyAll();
  // A Touchline from before the release, or one whose list was edited along with the file.
  rmSync(join(folder, 'released.json'));
  write('01_first.sql', '-- another form');
  await expect(applyAll()).rejects.toThrow(
    /^The database has the schema file 01_first\.sql as it was released, and this Touchline carries another form of it: /,
  );
  releaseSchema(folder);
  await expect(applyAll()).rejects.toBeInstanceOf(StartError);
  expect(await listRuns()).toEqual(['01_first.sql', '02_second.sql']);
});

test('a database from before the release takes the released form, once', async () => {
  await applyAll();
  write('01_first.sql', '-- as released');
  releaseSchema(folder);
  expect(await applyAll()).toEqual(['01_first.sql', '02_second.sql']);
  expect(await applyAll()).toEqual([]);
  const { rows } = await pool.query('select distinct released from schema_files');
  expect(rows).toEqual([{ released: true }]);
});

test('a list of applied files from before there were releases is taken over', async () => {
  await applyAll();
  await pool.query('alter table schema_files drop column released');
  write('03_third.sql');
  expect(await applyAll()).toEqual(['03_third.sql']);
});

test('a database of a newer Touchline is refused, and nothing is applied to it', async () => {
  write('03_third.sql');
  write('04_fourth.sql');
  await applyAll();
  for (const name of ['03_third.sql', '04_fourth.sql']) rmSync(join(folder, name));
  write('02_second.sql', '-- changed');
  const refused = expect(applyAll()).rejects;
  await refused.toBeInstanceOf(StartError);
  await refused.toThrow(
    'The database belongs to a newer Touchline: it has the schema file 03_third.sql, which this version does not know. Start the newer version, or restore the backup from before it.',
  );
  await expect(findPendingFiles(pool, readSchemaFiles(folder))).rejects.toThrow('newer Touchline');
  expect(await listRuns()).toHaveLength(4);
});

test("the list of applied files is out of the Data API's reach, also where new tables are everybody's", async () => {
  const everybodys = 'alter default privileges in schema public grant all on tables to';
  await pool.query(`${everybodys} anon, authenticated, service_role`);
  await applyAll();
  const { rows } = await pool.query(`
    select relrowsecurity as guarded, (select count(*)::int from pg_policies where tablename = 'schema_files') as policies,
      (select count(*)::int from aclexplode(relacl) where grantee <> relowner) as grants
    from pg_class where oid = 'public.schema_files'::regclass
  `);
  expect(rows).toEqual([{ guarded: true, policies: 0, grants: 0 }]);
});
