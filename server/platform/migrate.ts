import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { StartError } from './config.ts';

export type SchemaFile = { name: string; content: string; checksum: string };

/** Any number no other program uses: the advisory lock that lets one server at a time apply the schema. */
const lock_id = 7_266_311_204;

/** The schema's files in the order in which they are applied: `NN_name.sql`. */
export function readSchemaFiles(folder: string): SchemaFile[] {
  return readdirSync(folder)
    .filter((name) => /^\d\d_[a-z0-9_]+\.sql$/.test(name))
    .sort()
    .map((name) => {
      const content = readFileSync(join(folder, name), 'utf8');
      return { name, content, checksum: createHash('sha256').update(content).digest('hex') };
    });
}

/** The files that are not applied in their present form, in order. One statement. */
export async function findPendingFiles(pool: pg.Pool, files: SchemaFile[]): Promise<SchemaFile[]> {
  const { rows } = await pool
    .query<{ name: string; checksum: string }>(`select name, checksum from public.schema_files`)
    .catch((error) => {
      if (error.code === '42P01') return { rows: [] };
      throw error;
    });
  const applied = new Map(rows.map((row) => [row.name, row.checksum]));
  return files.filter((file) => applied.get(file.name) !== file.checksum);
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
      alter table public.schema_files enable row level security;
      do $$
      begin
        if exists (select from pg_catalog.pg_roles where rolname = 'anon') then
          revoke all on public.schema_files from anon, authenticated;
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
        `insert into public.schema_files (name, checksum) values ($1, $2)
         on conflict (name) do update set checksum = excluded.checksum, applied_at = now()`,
        [file.name, file.checksum],
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
