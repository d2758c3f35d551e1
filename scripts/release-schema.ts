/**
 * `npm run schema:release`, before a version is tagged: notes each schema file with its checksum in
 * `schema/released.json`. From then on a file that differs is refused.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../server/platform/config.ts';
import { readSchemaFiles, released_list } from '../server/platform/migrate.ts';

/** Notes what is new in `folder`; returns the names. Throws a `StartError` where a released file has changed. */
export function releaseSchema(folder: string): string[] {
  const files = readSchemaFiles(folder);
  const list = Object.fromEntries(files.map(({ name, checksum }) => [name, checksum]));
  writeFileSync(join(folder, released_list), `${JSON.stringify(list, null, 2)}\n`);
  return files.filter((file) => !file.released).map((file) => file.name);
}

if (import.meta.main) {
  try {
    const names = releaseSchema(join(import.meta.dirname, '..', 'schema'));
    for (const name of names) process.stdout.write(`released ${name}\n`);
    if (names.length === 0) process.stdout.write('nothing to do: every schema file is noted\n');
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
