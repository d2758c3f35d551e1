import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { coachInstructions } from './coach-instructions.ts';
import { loadCoaches } from './load-coaches.ts';

const shipped = join(import.meta.dirname, '../../coaches');

describe('loading a folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coaches-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const coachFile = (slug: string) =>
    `---\nslug: ${slug}\nname: N\ntagline: T\ndescription: D\naccent: "#111111"\naccent_dark: "#eeeeee"\nmodel: m\nplans: [free]\nstarters: [a, b, c]\nplaybook:\n  - { slot: idea, title: T, question: Q, advice: A, example: E, easier: E, thin: T }\ndeliverable: { title: T, closing: C, template: "{{idea}}" }\n---\nBody`;

  test('a new coach needs only a new file; README.md and other files are left aside', async () => {
    await writeFile(join(folder, 'one.md'), coachFile('one'));
    await writeFile(join(folder, 'two.md'), coachFile('two'));
    await writeFile(join(folder, 'README.md'), '# Coaches');
    await writeFile(join(folder, 'notes.txt'), 'x');
    expect((await loadCoaches(folder)).map(({ slug }) => slug)).toEqual(['one', 'two']);
  });

  test('a slug that is not the file name is refused', async () => {
    await writeFile(join(folder, 'one.md'), coachFile('uno'));
    await expect(loadCoaches(folder)).rejects.toThrow(
      'one.md, line 2: the slug "uno" must be the name of the file.',
    );
  });

  test('a slug used twice is refused', async () => {
    await writeFile(join(folder, 'one.md'), coachFile('one'));
    await writeFile(join(folder, 'copy.md'), coachFile('one'));
    await expect(loadCoaches(folder)).rejects.toThrow(
      'copy.md, line 2: the slug "one" is already taken by one.md.',
    );
  });

  test('an unreadable folder is named with the reason', async () => {
    await expect(loadCoaches(join(folder, 'gone'))).rejects.toThrow(
      /^The coaches folder .*gone cannot be read: ENOENT/,
    );
  });

  test('a folder without coaches is refused', async () => {
    await expect(loadCoaches(folder)).rejects.toThrow(/holds no coach file \(\*\.md\)\.$/);
  });
});

describe('the coaches that are shipped', async () => {
  const coaches = await loadCoaches(shipped);

  test.each(coaches.map((coach) => [coach.slug, coach] as const))(
    '%s: text on its accents reads at WCAG AA (4.5:1)',
    (_, coach) => {
      expect(contrast(coach.accent, '#ffffff')).toBeGreaterThanOrEqual(4.5);
      expect(contrast(coach.accent_dark, '#1c1b19')).toBeGreaterThanOrEqual(4.5);
    },
  );

  test.each(coaches.map((coach) => [coach.slug, coach] as const))(
    '%s: the language model gets the body, every question and the template, and no placeholder of a nudge',
    (_, coach) => {
      const instructions = coachInstructions(coach);
      expect(instructions.startsWith(coach.instructions)).toBe(true);
      for (const step of coach.playbook) expect(instructions).toContain(step.question);
      expect(instructions).toContain(coach.deliverable.template.trim());
      expect(instructions).not.toMatch(/\{\{(said|count)\}\}/);
    },
  );

  test.each(coaches.map((coach) => [coach.slug, coach] as const))('%s: never exclaims', (_, coach) => {
    expect(JSON.stringify(coach)).not.toContain('!');
  });
});

function contrast(one: string, other: string) {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
