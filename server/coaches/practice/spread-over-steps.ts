import type { Coach, PlaybookStep } from '../coach-file.ts';
import { countWords, listItems, sentencesOf } from './edit-words.ts';
import { findStep } from './find-part.ts';
import { weaknessOf } from './weakness.ts';

/**
 * The steps that a longer text answers clearly: lines with a step's label ("Hook: …"), and where `untouched`, so at a chat's
 * start, also sentences with a step's cue and a list of points. Empty when the text is an ordinary answer.
 */
export function spreadOverSteps(coach: Coach, text: string, untouched: boolean): Map<PlaybookStep, string[]> {
  const labelled = spreadLabelledLines(coach, text);
  if (labelled.size > 0) return labelled;
  if (!untouched) return new Map();

  const lines = text.split('\n');
  const isBullet = (line: string) => /^\s*(?:[-*+•]|\(?\d{1,2}[.)])\s+\S/u.test(line);
  const bullets = lines.filter(isBullet);
  const prose = lines.filter((line) => !isBullet(line)).join('\n');
  const sentences = sentencesOf(prose);
  if (sentences.length < 3 && bullets.length < 3) return new Map();

  const found = new Map<PlaybookStep, string[]>();
  const listStep = coach.playbook.find(({ form }) => form === 'list');
  if (listStep && bullets.length >= Math.max(3, listStep.min_items)) {
    found.set(listStep, listItems(bullets.join('\n')).slice(0, listStep.max_items));
  }
  const bySlot = new Map<PlaybookStep, string[]>();
  for (const sentence of sentences) {
    const step = bestCue(coach, sentence);
    const taken = step && (bySlot.get(step) ?? []);
    if (step && taken && taken.length < 2) bySlot.set(step, [...taken, sentence]);
  }
  for (const [step, parts] of bySlot) {
    const answer = [withoutLeadIn(step, parts.join(' '))];
    if (weaknessOf(step, answer) === undefined) found.set(step, answer);
  }
  return new Map(coach.playbook.flatMap((step) => (found.has(step) ? [[step, found.get(step)!]] : [])));
}

function spreadLabelledLines(coach: Coach, text: string): Map<PlaybookStep, string[]> {
  const listStep = coach.playbook.find(({ form }) => form === 'list');
  const found = new Map<PlaybookStep, string[]>();
  let current: PlaybookStep | undefined;
  let labels = 0;
  const add = (step: PlaybookStep, words: string) => {
    const parts = found.get(step);
    if (parts) parts.push(words);
    else found.set(step, [words]);
  };
  for (const line of text.split('\n')) {
    const match = /^\s*(?:[-*+•]\s+)?(\p{L}[\p{L} ]{1,30}?(?: \d{1,2})?)\s*:\s*(.*)$/u.exec(line);
    const numbered = match && /\p{L} \d{1,2}$/u.test(match[1]!) ? listStep : undefined;
    const step = match ? (findStep(coach, match[1]!) ?? numbered) : undefined;
    if (step && match) {
      labels += 1;
      current = step;
      if (match[2] !== '') add(step, match[2]!);
    } else if (current && line.trim() !== '') add(current, line.trim());
  }
  if (labels < 2) return new Map();
  return new Map(
    [...found].map(([step, parts]) => [
      step,
      step.form === 'list'
        ? listItems(parts.join('\n')).slice(0, step.max_items)
        : [withoutLeadIn(step, parts.join(' '))],
    ]),
  );
}

/** The step whose cue a sentence carries: the one it begins with, else the longest. */
function bestCue(coach: Coach, sentence: string): PlaybookStep | undefined {
  const text = ` ${sentence.toLowerCase().replace(/[’]/g, "'")} `;
  let best: { step: PlaybookStep; weight: number } | undefined;
  for (const step of coach.playbook) {
    if (step.form === 'list') continue;
    for (const cue of step.cues) {
      const at = text.indexOf(cue.toLowerCase());
      const before = text[at - 1] ?? ' ';
      const after = text[at + cue.length] ?? ' ';
      if (at < 0 || /[\p{L}\p{N}]/u.test(after) || (/\p{L}/u.test(cue[0]!) && /[\p{L}\p{N}]/u.test(before)))
        continue;
      const weight = cue.length + (at <= 1 ? 100 : 0);
      if (!best || weight > best.weight) best = { step, weight };
    }
  }
  return best?.step;
}

/** An answer without the words that only lead into it ("my reader is …"), unless nothing much would be left. */
export function withoutLeadIn(step: PlaybookStep, text: string): string {
  const straight = text.trim().replace(/^(?:well|so|ok|okay|hm+|yes|sure),?\s+(?=\S+\s+\S+)/i, '');
  const leadIns = step.lead_ins.toSorted((a, b) => b.length - a.length);
  for (const leadIn of leadIns) {
    const head = straight.slice(0, leadIn.length).toLowerCase().replace(/’/g, "'");
    const rest = straight.slice(leadIn.length);
    if (head !== leadIn.toLowerCase() || !/^[\s:,]+\S/.test(rest)) continue;
    if (countWords(rest) < 2) continue;
    return `${step.lead_in_becomes} ${rest.replace(/^[\s:,]+/, '')}`.trim();
  }
  return straight;
}
