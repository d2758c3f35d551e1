import { type Document, isScalar } from 'yaml';
import { z } from 'zod';
import { readYaml, YamlError } from '../platform/yaml-document.ts';
import { parseTemplate, TemplateError } from './deliverable-template.ts';
import { signNames } from './practice/signs.ts';

const words = z.string().trim().min(1, 'must not be empty');
const slugWords = z
  .string()
  .regex(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/, 'must be snake_case: small letters, digits and single underscores');
const colour = z.string().regex(/^#[0-9a-f]{6}$/i, 'must be a colour such as "#1f6f54"');
const count = z.int().min(1).max(400);

const sign = z.strictObject({
  sign: z.enum(signNames),
  praise: words.optional(),
  nudge: words.optional(),
});

const step = z
  .strictObject({
    slot: slugWords,
    title: words,
    form: z.enum(['text', 'list']).default('text'),
    question: words,
    advice: words,
    example: words,
    easier: words,
    thin: words,
    too_long: words.optional(),
    min_words: count.default(3),
    max_words: count.default(40),
    min_items: count.default(1),
    max_items: count.default(10),
    may_be_cut: z.boolean().default(true),
    may_be_question: z.boolean().default(false),
    listen_for: z.array(sign).default([]),
    cues: z.array(words).default([]),
    lead_ins: z.array(words).default([]),
    lead_in_becomes: z.string().default(''),
    labels: z.array(words).default([]),
    search: z.string().default(''),
  })
  .refine((value) => value.min_words <= value.max_words, {
    path: ['min_words'],
    message: 'must not exceed max_words',
  })
  .refine((value) => value.min_items <= value.max_items, {
    path: ['min_items'],
    message: 'must not exceed max_items',
  });

const frontMatter = z.strictObject({
  slug: slugWords,
  name: words,
  tagline: words,
  description: words,
  accent: colour,
  accent_dark: colour,
  model: words,
  plans: z.array(slugWords).min(1, 'must list at least one'),
  /** Whether the coach sees the files of the member's library, too, and not only the chat's. */
  library: z.boolean().default(true),
  starters: z.array(words).min(3, 'must list three to five').max(5, 'must list three to five'),
  playbook: z.array(step).min(1, 'must have at least one step'),
  deliverable: z.strictObject({ title: words, template: words, closing: words }),
});

/**
 * One question of a coach's playbook. `slot` names its answer in the template. `thin`, `too_long` and `nudge`
 * are what the coach says to a weak answer; `{{said}}` in them is the member's weak phrase, `{{count}}` the
 * number of words or items. `max_words` bounds the answer, for lists each item; where `may_be_cut` is false a longer
 * answer stays whole in the work. `cues` show that a sentence of a longer text answers this
 * step, `labels` that a line does ("Hook: …"); `lead_ins` are cut from an answer's start and replaced by `lead_in_becomes`.
 */
export type PlaybookStep = z.infer<typeof step>;

/** A coach as its file describes it. `instructions` is the file's body, Markdown for the language model. */
export type Coach = z.infer<typeof frontMatter> & { instructions: string };

/** A coach file that cannot be used. The message is one sentence that names the file, the line and the reason. */
export class CoachFileError extends Error {
  constructor(file: string, line: number, reason: string) {
    super(`${file}, line ${line}: ${reason}.`);
    this.name = 'CoachFileError';
  }
}

/**
 * Reads one coach file: YAML front matter between two `---` lines, then the instructions.
 * Throws a `CoachFileError` for the first thing that is wrong. `plans`: those that there are; undefined: any will do.
 */
export function parseCoachFile(file: string, source: string, plans?: string[]): Coach {
  const lines = source.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines[0]?.trimEnd() !== '---')
    throw new CoachFileError(file, 1, 'a coach file begins with a line "---"');
  const end = lines.findIndex((line, index) => index > 0 && line.trimEnd() === '---');
  if (end < 0) throw new CoachFileError(file, 1, 'the front matter has no closing line "---"');

  // A blank line stands for the opening "---", so that line numbers are those of the file.
  const front = readFrontMatter(file, `\n${lines.slice(1, end).join('\n')}\n`);
  const { value, document, lineOf } = front;
  const unknown = plans ? value.plans.findIndex((plan) => !plans.includes(plan)) : -1;
  if (unknown >= 0) {
    const known = plans!.join(', ');
    const reason = `there is no plan "${value.plans[unknown]}" in plans.yaml, which has ${known}`;
    throw new CoachFileError(file, lineOf(['plans', unknown]), reason);
  }
  checkPlaybook(file, value.playbook, lineOf);
  checkTemplate(file, value, document, lineOf);
  const instructions = lines
    .slice(end + 1)
    .join('\n')
    .trim();
  if (instructions === '') {
    throw new CoachFileError(file, end + 1, 'there are no instructions below the front matter');
  }
  return { ...value, instructions };
}

function readFrontMatter(file: string, source: string) {
  try {
    return readYaml(source, frontMatter, 'the front matter');
  } catch (error) {
    throw error instanceof YamlError ? new CoachFileError(file, error.line, error.reason) : error;
  }
}

function checkPlaybook(file: string, playbook: PlaybookStep[], lineOf: (path: PropertyKey[]) => number) {
  const seen = new Set<string>();
  for (const [index, { slot }] of playbook.entries()) {
    const line = lineOf(['playbook', index, 'slot']);
    if (seen.has(slot)) throw new CoachFileError(file, line, `the slot "${slot}" has two steps`);
    seen.add(slot);
  }
}

function checkTemplate(
  file: string,
  coach: z.infer<typeof frontMatter>,
  document: Document,
  lineOf: (path: PropertyKey[]) => number,
) {
  const path = ['deliverable', 'template'];
  try {
    parseTemplate(coach.deliverable.template, coach.playbook);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const node = document.getIn(path, true);
    const literal = isScalar(node) && node.type === 'BLOCK_LITERAL';
    // A literal block's text starts on the line below its `|`.
    const line = lineOf(path) + (literal ? error.line : 0);
    throw new CoachFileError(file, line, `in the template, ${error.message}`);
  }
}
