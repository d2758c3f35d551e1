import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Coach, CoachFileError, parseCoachFile } from './coach-file.ts';

/**
 * Every coach of a folder, ordered by file name: each `*.md` but `README.md` is one coach.
 * Throws an error whose message is one sentence for the first file, in that order, that cannot be used. `plans`: those that there
 * are; undefined: any will do.
 */
export async function loadCoaches(folder: string, plans?: string[]): Promise<Coach[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new Error(`The coaches folder ${folder} cannot be read: ${reasonOf(cause)}.`, { cause });
  });
  const coachFiles = names.filter((name) => /\.md$/i.test(name) && name !== 'README.md').sort();
  if (coachFiles.length === 0) throw new Error(`The coaches folder ${folder} holds no coach file (*.md).`);

  const coaches: Coach[] = [];
  const fileOfSlug = new Map<string, string>();
  for (const name of coachFiles) {
    const source = await readFile(join(folder, name), 'utf8').catch((cause: unknown) => {
      throw new Error(`The coach file ${name} cannot be read: ${reasonOf(cause)}.`, { cause });
    });
    const coach = parseCoachFile(name, source, plans);
    const line = source.split(/\r?\n/).findIndex((text) => /^slug\s*:/.test(text)) + 1;
    const taken = fileOfSlug.get(coach.slug) ?? coachFiles.find((other) => other === `${coach.slug}.md`);
    if (taken !== undefined && taken !== name) {
      throw new CoachFileError(name, line, `the slug "${coach.slug}" is already taken by ${taken}`);
    }
    if (coach.slug !== basename(name).replace(/\.md$/i, '')) {
      throw new CoachFileError(name, line, `the slug "${coach.slug}" must be the name of the file`);
    }
    fileOfSlug.set(coach.slug, name);
    coaches.push(coach);
  }
  return coaches;
}

function reasonOf(cause: unknown) {
  return cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause);
}
