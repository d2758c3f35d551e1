import type { Coach, PlaybookStep } from '../coach-file.ts';
import {
  type Part,
  parseTemplate,
  renderTemplate,
  type SlotValue,
  type Template,
} from '../deliverable-template.ts';
import { bare, countWords, dropFillers, fitWords, inline, leadAndRest, tidySentence } from './edit-words.ts';
import { escapeMarkdown } from './safe-markdown.ts';

/** A member's answer, plain text: one item for a text, one or more for a list. `quoted` are sentences taken from files. */
export type Answer = { items: string[]; quoted: string[] };

/** A coach's work as far as the answers go. */
type Deliverable = {
  markdown: string;
  parts: Part[];
  /** Parts over their word limit that offered no place to cut. */
  too_long: { name: string; words: number; max_words: number }[];
  /** Steps without an answer. */
  open_steps: PlaybookStep[];
};

/** Replaying a chat asks for the same work over and over; these live no longer than the coach that is asked. */
const templates = new WeakMap<Coach, Template>();
const deliverables = new WeakMap<Coach, WeakMap<ReadonlyMap<string, Answer>, Map<number, Deliverable>>>();
const fittedItems = new WeakMap<PlaybookStep, Map<string, FittedItem>>();

/**
 * The coach's template filled with the member's words, lightly edited: tidied, and cut at sentences or clauses to each
 * step's limit. Each level of `tightness` takes up to a quarter off each answer. Sentences from files are never altered.
 */
export function fillDeliverable(
  coach: Coach,
  answers: ReadonlyMap<string, Answer>,
  tightness: number,
): Deliverable {
  const byAnswers = getOrMake(deliverables, coach, () => new WeakMap());
  const byTightness = getOrMake(byAnswers, answers, () => new Map<number, Deliverable>());
  return getOrMake(byTightness, tightness, () => fill(coach, answers, tightness));
}

function fill(coach: Coach, answers: ReadonlyMap<string, Answer>, tightness: number): Deliverable {
  const values = new Map<string, SlotValue>();
  const cut: string[] = [];
  const over: { step: PlaybookStep; item: number; words: number; max_words: number }[] = [];

  for (const step of coach.playbook) {
    const answer = answers.get(step.slot);
    if (!answer) continue;
    const items = answer.items.map((item, index) => {
      if (answer.quoted.includes(item)) return item;
      const { text, left_over, words } = fitItem(step, item, tightness);
      // Who asks for less does not want it back in another place.
      if (left_over !== '' && tightness === 0) cut.push(left_over);
      if (words > step.max_words) over.push({ step, item: index, words, max_words: step.max_words });
      return text;
    });
    values.set(step.slot, step.form === 'list' ? items.map(escapeMarkdown) : escapeMarkdown(items.join(' ')));
  }
  if (cut.length > 0) values.set('left_over', escapeMarkdown(cut.join(' ')));

  const titleOf = new Map(coach.playbook.map(({ slot, title }) => [slot, title]));
  const { markdown, parts } = renderTemplate(
    getOrMake(templates, coach, () => parseTemplate(coach.deliverable.template, coach.playbook)),
    values,
    writeForm,
    (slot) => `_Still open: ${titleOf.get(slot)?.toLowerCase() ?? slot}_`,
  );
  return {
    markdown,
    parts,
    too_long: over.map(({ step, item, words, max_words }) => {
      const part = parts.find(({ slot, item: at }) => slot === step.slot && (at ?? 0) === item);
      return { name: part ? partName(part) : step.title, words, max_words };
    }),
    open_steps: coach.playbook.filter(({ slot }) => !answers.has(slot)),
  };
}

/** One item, cut and tidied; `words` counts it before the tidying. */
type FittedItem = { text: string; left_over: string; words: number };

function fitItem(step: PlaybookStep, item: string, tightness: number): FittedItem {
  const byItem = getOrMake(fittedItems, step, () => new Map<string, FittedItem>());
  return getOrMake(byItem, `${tightness} ${item}`, () => {
    const full = tightness > 0 ? dropFillers(item) : item;
    const limit = Math.min(step.max_words, countWords(full));
    const tight = Math.max(Math.min(limit, 6), Math.round(limit * 0.75 ** tightness));
    const { text, left_over } = step.may_be_cut ? fitWords(full, tight) : { text: full, left_over: '' };
    return { text: tidySentence(text), left_over, words: countWords(text) };
  });
}

function getOrMake<Key, Value>(
  made: { get: (key: Key) => Value | undefined; set: (key: Key, value: Value) => unknown },
  key: Key,
  make: () => Value,
): Value {
  const present = made.get(key);
  if (present !== undefined) return present;
  const value = make();
  made.set(key, value);
  return value;
}

/** What a member calls a part: its heading up to the colon, "Slide 3". */
export function partName(part: Part): string {
  return part.heading.split(':')[0]!.trim();
}

function writeForm(markdown: string, form: 'bare' | 'inline' | 'lead' | 'rest'): string {
  if (form === 'bare') return bare(markdown);
  if (form === 'inline') return inline(markdown);
  return leadAndRest(markdown)[form];
}
