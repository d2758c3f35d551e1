import type { Coach, PlaybookStep } from '../coach-file.ts';
import type { PracticeState } from './apply-message.ts';
import { fillDeliverable, partName } from './fill-deliverable.ts';

/** A part of the work that a member named: the step that fills it and, for a list, the item counted from 0. */
export type Target = { name: string; step: PlaybookStep; item: number | undefined };

/** The part that words such as "slide 3", "3" or "the hook" name, or undefined. */
export function findPart(coach: Coach, state: PracticeState, words: string): Target | undefined {
  const named = simplify(words);
  const numbered = /^(?:(\p{L}+) )?(\d{1,2})$/u.exec(named);
  if (!numbered) {
    const step = findStep(coach, named);
    return step && { name: step.title, step, item: undefined };
  }
  const [, word, number] = numbered;
  const { parts } = fillDeliverable(coach, state.answers, state.tightness);
  for (const part of parts) {
    const heading = /^(\p{L}+) (\d+)\b/u.exec(part.heading);
    const step = coach.playbook.find(({ slot }) => slot === part.slot);
    if (!heading || !step || heading[2] !== number) continue;
    if (word !== undefined && word !== heading[1]!.toLowerCase()) continue;
    return { name: partName(part), step, item: part.item };
  }
  return undefined;
}

/** Whether words name a part, or would if there were that many: "slide 12". */
export function isPartLike(coach: Coach, state: PracticeState, words: string): boolean {
  if (findPart(coach, state, words)) return true;
  const word = /^(\p{L}+) \d{1,2}$/u.exec(simplify(words))?.[1];
  if (word === undefined) return false;
  const { parts } = fillDeliverable(coach, state.answers, state.tightness);
  const numbered = new RegExp(`^${word} \\d`, 'iu');
  return parts.some(({ heading }) => numbered.test(heading));
}

/** The step that a label names: its slot, its title or one of its labels. */
export function findStep(coach: Coach, label: string): PlaybookStep | undefined {
  let steps = stepsByName.get(coach);
  if (!steps) {
    steps = new Map();
    for (const step of coach.playbook.toReversed()) {
      for (const name of [step.slot.replaceAll('_', ' '), step.title, ...step.labels]) {
        steps.set(simplify(name), step);
      }
    }
    stepsByName.set(coach, steps);
  }
  return steps.get(simplify(label));
}

const stepsByName = new WeakMap<Coach, Map<string, PlaybookStep>>();

function simplify(words: string) {
  return words
    .toLowerCase()
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/^(?:the|my) /, '');
}
