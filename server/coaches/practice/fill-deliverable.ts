import type { Coach, PlaybookStep } from '../coach-file.ts';
import { type Part, parseTemplate, renderTemplate, type SlotValue } from '../deliverable-template.ts';
import { bare, countWords, dropFillers, fitWords, inline, leadAndRest, tidySentence } from './edit-words.ts';
import { escapeMarkdown } from './safe-markdown.ts';

/** A member's answer, plain text: one item for a text, one or more for a list. `quoted` are sentences taken from files. */
export type Answer = { items: string[]; quoted: string[] };

/** A coach's work as far as the answers go. */
export type Deliverable = {
  markdown: string;
  parts: Part[];
  /** Parts over their word limit that offered no place to cut. */
  too_long: { name: string; words: number; max_words: number }[];
  /** Steps without an answer. */
  open_steps: PlaybookStep[];
};

/**
 * The coach's template filled with the member's words, lightly edited: tidied, and cut at sentences or clauses to each
 * step's limit. Each level of `tightness` takes up to a quarter off each answer. Sentences from files are never altered.
 */
export function fillDeliverable(
  coach: Coach,
  answers: ReadonlyMap<string, Answer>,
  tightness: number,
): Deliverable {
  const values = new Map<string, SlotValue>();
  const cut: string[] = [];
  const over: { step: PlaybookStep; item: number; words: number; max_words: number }[] = [];

  for (const step of coach.playbook) {
    const answer = answers.get(step.slot);
    if (!answer) continue;
    const items = answer.items.map((item, index) => {
      if (answer.quoted.includes(item)) return item;
      const full = tightness > 0 ? dropFillers(item) : item;
      const limit = Math.min(step.max_words, countWords(full));
      const tight = Math.max(Math.min(limit, 6), Math.round(limit * 0.75 ** tightness));
      const fitted = step.may_be_cut ? fitWords(full, tight) : { text: full, left_over: '' };
      // Who asks for less does not want it back in another place.
      if (fitted.left_over !== '' && tightness === 0) cut.push(fitted.left_over);
      const words = countWords(fitted.text);
      if (words > step.max_words) over.push({ step, item: index, words, max_words: step.max_words });
      return tidySentence(fitted.text);
    });
    values.set(step.slot, step.form === 'list' ? items.map(escapeMarkdown) : escapeMarkdown(items.join(' ')));
  }
  if (cut.length > 0) values.set('left_over', escapeMarkdown(cut.join(' ')));

  const titleOf = new Map(coach.playbook.map(({ slot, title }) => [slot, title]));
  const { markdown, parts } = renderTemplate(
    parseTemplate(coach.deliverable.template, coach.playbook),
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

/** What a member calls a part: its heading up to the colon, "Slide 3". */
export function partName(part: Part): string {
  return part.heading.split(':')[0]!.trim();
}

function writeForm(markdown: string, form: 'bare' | 'inline' | 'lead' | 'rest'): string {
  if (form === 'bare') return bare(markdown);
  if (form === 'inline') return inline(markdown);
  return leadAndRest(markdown)[form];
}
