import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { StartError } from './config.ts';

type SchemaFile = {
  name: string;
  content: string;
  checksum: string;
  /** A tagged version carries it, so it never changes again. */
  released: boolean;
};

/** Beside the files: name → checksum of each that a tagged version carries. `npm run schema:release` writes it. */
export const released_list = 'released.json';

/** Any number no other program uses: the advisory lock that lets one server at a time apply the schema. */
const lock_id = 7_266_311_204;

/**
 * The schema's files in the order in which they are applied: `NN_name.sql`. Throws a `StartError` where one that was
 * released has changed or is gone.
 */
export function readSchemaFiles(folder: string): SchemaFile[] {
  const list = join(folder, released_list);
  const released = new Map<string, string>(
    existsSync(list) ? Object.entries(JSON.parse(readFileSync(list, 'utf8'))) : [],
  );
  const files = readdirSync(folder)
    .filter((name) => /^\d\d_[a-z0-9_]+\.sql$/.test(name))
    .sort()
    .map((name) => {
      // Git on Windows may have changed the ends of the lines: it is the same file.
      const content = readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n');
      const checksum = createHash('sha256').update(content).digest('hex');
      return { name, content, checksum, released: released.has(name) };
    });
  for (const [name, checksum] of released) {
    if (files.find((file) => file.name === name)?.checksum === checksum) continue;
    throw new StartError(
      `The schema file ${name} is not as it was released: put it back as the last tag has it, and write what should change into a new file.`,
    );
  }
  return files;
}

type AppliedFile = { name: string; checksum: string; released?: boolean };

/**
 * The files that the database does not have in their present form, in order. One statement. Throws a `StartError`
 * where the database has files that this version does not know, or has one as another version released it.
 */
export async function findPendingFiles(pool: pg.Pool, files: SchemaFile[]): Promise<SchemaFile[]> {
  // Every column, because a database from before there was `released` does not have it yet.
  const { rows } = await pool.query<AppliedFile>('select * from public.schema_files').catch((error) => {
    if (error.code === '42P01') return { rows: [] };
    throw error;
  });
  const applied = new Map(rows.map((row) => [row.name, row]));
  const known = new Map(files.map((file) => [file.name, file]));
  for (const { name, checksum, released } of [...rows].sort((one, other) =>
    one.name < other.name ? -1 : 1,
  )) {
    const file = known.get(name);
    if (!file) {
      throw new StartError(
        `The database belongs to a newer Touchline: it has the schema file ${name}, which this version does not know. Start the newer version, or restore the backup from before it.`,
      );
    }
    if (released && file.checksum !== checksum) {
      throw new StartError(
        `The database has the schema file ${name} as it was released, and this Touchline carries another form of it: start the released version, or put the file back as it was there.`,
      );
    }
  }
  return files.filter((file) => {
    const row = applied.get(file.name);
    // A file that has been released since runs once more, which changes nothing, and is noted as such.
    return row?.checksum !== file.checksum || (file.released && !row.released);
  });
}

/**
 * Applies what is pending, all or nothing, in one transaction under a lock, so that ten servers that start at once
 * apply each file once. Returns the names of the files that were applied. Throws a `StartError` that names the file
 * whose statement failed.
 */
export async function migrate(pool: pg.Pool, files: SchemaFile[]): Promise<string[]> {
  const client = await pool.connect();
  // A connection that is cut fails the statement; told as an event to nobody as well, it would end the process.
  client.on('error', ignore);
  try {
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [lock_id]);
    await client.query(`
      create table if not exists public.schema_files (
        name text constraint schema_files_pkey primary key,
        checksum text not null,
        applied_at timestamptz not null default now()
      );
      alter table public.schema_files add column if not exists released boolean not null default false;
      alter table public.schema_files enable row level security;
      do $$
      begin
        if exists (select from pg_catalog.pg_roles where rolname = 'anon') then
          revoke all on public.schema_files from anon, authenticated, service_role;
        end if;
      end
      $$;
    `);
    const pending = await findPendingFiles(client as unknown as pg.Pool, files);
    for (const file of pending) {
      await client.query(file.content).catch((cause) => {
        throw new StartError(`The schema file ${file.name} could not be applied: ${cause.message}.`, {
          cause,
        });
      });
      await client.query(
        `insert into public.schema_files (name, checksum, released) values ($1, $2, $3)
         on conflict (name) do update
         set checksum = excluded.checksum, released = excluded.released, applied_at = now()`,
        [file.name, file.checksum, file.released],
      );
    }
    await client.query('commit');
    return pending.map((file) => file.name);
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  } finally {
    client.off('error', ignore);
    client.release();
  }
}

function ignore() {}
