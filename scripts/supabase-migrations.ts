/**
 * `npm run schema:supabase`: writes the schema as migrations of the Supabase CLI, `supabase/migrations/`, for
 * `npx supabase db push`. The same bytes every time; nothing but what it wrote itself is replaced or removed.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSchemaFiles } from '../server/platform/migrate.ts';

const mark = '-- Written by "npm run schema:supabase". Not to be edited: the source is schema/';

/** Writes a migration for each file of `schema_folder` into `folder`; returns their names, in order. */
export function writeSupabaseMigrations(schema_folder: string, folder: string): string[] {
  const migrations = readSchemaFiles(schema_folder).map(({ name, content }) => ({
    name: migrationName(name),
    content: `${mark}${name}\n\n${content}`,
  }));
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.sql'))) {
    if (readFileSync(join(folder, name), 'utf8').startsWith(mark)) rmSync(join(folder, name));
  }
  for (const { name, content } of migrations) writeFileSync(join(folder, name), content);
  return migrations.map((migration) => migration.name);
}

/** `08_usage.sql` → `20260101000800_usage.sql`: a made-up time, which the number alone decides. */
function migrationName(name: string) {
  const number = Number(name.slice(0, 2));
  const hours = String(Math.floor(number / 60)).padStart(2, '0');
  const minutes = String(number % 60).padStart(2, '0');
  return `20260101${hours}${minutes}00_${name.slice(3)}`;
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  const folder = join('supabase', 'migrations');
  const names = writeSupabaseMigrations(join(root, 'schema'), join(root, folder));
  for (const name of names) process.stdout.write(`wrote ${join(folder, name)}\n`);
}
