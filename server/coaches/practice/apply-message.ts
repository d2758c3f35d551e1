import type { Coach, PlaybookStep } from '../coach-file.ts';
import { type Command, isFileRequest, isQuestion, mentionsFiles, parseCommand } from './commands.ts';
import { listItems } from './edit-words.ts';
import type { Answer } from './fill-deliverable.ts';
import { findPart, isPartLike, type Target } from './find-part.ts';
import { spreadOverSteps, withoutLeadIn } from './spread-over-steps.ts';
import { weaknessOf } from './weakness.ts';

/** Where a chat stands: everything that the practice coach knows of it. `asked` is past the last step when all is answered. */
export type PracticeState = {
  answers: ReadonlyMap<string, Answer>;
  /** Slots left open on purpose. */
  skipped: ReadonlySet<string>;
  /** Slots whose answer was pushed back once, or made easier once. */
  pushed: ReadonlySet<string>;
  /** Items given for a list that is not long enough yet. */
  started: ReadonlyMap<string, Answer>;
  asked: number;
  tightness: number;
};

/** What a message did to the chat; the reply follows from it. */
export type Move =
  | {
      kind: 'greeted' | 'asked_question' | 'named_files' | 'wanted_help' | 'wanted_example' | 'refused_offer';
    }
  | { kind: 'started_over' | 'wanted_draft' | 'shortened' | 'thanked' | 'spoke_after_end' | 'left_all_open' }
  | { kind: 'went_back' }
  | { kind: 'answered'; step: PlaybookStep; answer: Answer; again: boolean }
  | { kind: 'collected'; step: PlaybookStep; answer: Answer }
  | { kind: 'spread'; steps: PlaybookStep[] }
  | { kind: 'pushed_back'; step: PlaybookStep; reason: string }
  | { kind: 'stuck'; step: PlaybookStep }
  | { kind: 'skipped'; step: PlaybookStep; kept: boolean }
  | { kind: 'changed' | 'removed' | 'wanted_rewrite'; target: Target }
  | { kind: 'no_such_part'; name: string };

export const emptyState: PracticeState = {
  answers: new Map(),
  skipped: new Set(),
  pushed: new Set(),
  started: new Map(),
  asked: 0,
  tightness: 0,
};

/**
 * The state after a member's message, and what the message did. `text` is plain; `offered` are the sentences from files
 * that the reply before it offered to use.
 */
export function applyMessage(
  coach: Coach,
  state: PracticeState,
  text: string,
  offered: string[],
): { state: PracticeState; move: Move } {
  const stay = (move: Move) => ({ state, move });
  const step = coach.playbook[state.asked];
  if (text === '') return stay({ kind: 'named_files' });
  const small = text.toLowerCase();
  if (coach.starters.some((starter) => starter.toLowerCase() === small)) {
    return stay({ kind: mentionsFiles(text) ? 'named_files' : 'greeted' });
  }

  const untouched = state.answers.size === 0 && state.pushed.size === 0 && state.skipped.size === 0;
  const spread = spreadOverSteps(coach, text, untouched);
  if (spread.size > 0) return fillSteps(coach, state, spread);

  const command = parseCommand(text, (name) => isPartLike(coach, state, name));
  if (command) return applyCommand(coach, state, command, offered);
  if (isFileRequest(text)) return stay({ kind: 'named_files' });
  const isAsked = isQuestion(text);
  const topic = untouched && step && isAsked && !mentionsFiles(text) ? textAfterCue(step, text) : undefined;
  if (topic === undefined && isAsked && (!step?.may_be_question || mentionsFiles(text))) {
    return stay({ kind: 'asked_question' });
  }
  if (!step) return stay({ kind: 'spoke_after_end' });
  return applyAnswer(coach, state, step, topic ?? text);
}

/** A request such as "Can you make a carousel about pricing?" names a topic: the words behind the step's cue. */
function textAfterCue(step: PlaybookStep, text: string): string | undefined {
  for (const cue of step.cues) {
    const at = text.toLowerCase().indexOf(cue.toLowerCase());
    const rest =
      at < 0
        ? ''
        : text
            .slice(at + cue.length)
            .replace(/(?<![?\s])[?\s]+$/, '')
            .trim();
    if (rest !== '') return rest;
  }
  return undefined;
}

function applyAnswer(coach: Coach, state: PracticeState, step: PlaybookStep, text: string) {
  const given =
    step.form === 'list' ? listItems(text) : [withoutLeadIn(step, text.replace(/\s*\n\s*/g, ' '))];
  const before = state.started.get(step.slot);
  const items = [...new Set([...(before?.items ?? []), ...given])].slice(0, step.max_items);
  const answer: Answer = { items, quoted: before?.quoted ?? [] };
  const reason = state.pushed.has(step.slot) ? undefined : weaknessOf(step, answer.items);
  if (reason !== undefined) {
    const started = step.form === 'list' ? new Map(state.started).set(step.slot, answer) : state.started;
    const pushed = new Set(state.pushed).add(step.slot);
    return { state: { ...state, pushed, started }, move: { kind: 'pushed_back' as const, step, reason } };
  }
  const again = state.pushed.has(step.slot) && !state.answers.has(step.slot);
  return {
    state: withAnswer(coach, state, step, answer),
    move: { kind: 'answered' as const, step, answer, again },
  };
}

function applyCommand(
  coach: Coach,
  state: PracticeState,
  command: Command,
  offered: string[],
): { state: PracticeState; move: Move } {
  const step = coach.playbook[state.asked];
  const stay = (move: Move) => ({ state, move });
  switch (command.kind) {
    case 'start_over':
      return { state: emptyState, move: { kind: 'started_over' } };
    case 'back':
      return { state: { ...state, asked: Math.max(0, state.asked - 1) }, move: { kind: 'went_back' } };
    case 'shorter':
      return {
        state: { ...state, tightness: Math.min(3, state.tightness + 1) },
        move: { kind: 'shortened' },
      };
    case 'draft':
      return stay({ kind: 'wanted_draft' });
    case 'help':
      return stay({ kind: 'wanted_help' });
    case 'example':
      return stay({ kind: step ? 'wanted_example' : 'wanted_help' });
    case 'file_remark':
      return stay({ kind: 'named_files' });
    case 'small_talk':
      return stay({ kind: command.thanks && !step ? 'thanked' : 'greeted' });
    case 'refuse_offer':
      return stay({ kind: step ? 'refused_offer' : 'spoke_after_end' });
    case 'skip':
      return step ? skip(coach, state, step) : stay({ kind: 'wanted_draft' });
    case 'unsure': {
      if (!step) return stay({ kind: 'wanted_help' });
      if (state.pushed.has(step.slot)) return skip(coach, state, step);
      return {
        state: { ...state, pushed: new Set(state.pushed).add(step.slot) },
        move: { kind: 'stuck', step },
      };
    }
    case 'use_offer':
      return step && offered.length > 0
        ? takeOffer(coach, state, step, command.which, offered)
        : stay({ kind: step ? 'greeted' : 'thanked' });
    case 'change':
    case 'remove':
    case 'rewrite_wish':
      return applyToPart(coach, state, command);
  }
}

function takeOffer(
  coach: Coach,
  state: PracticeState,
  step: PlaybookStep,
  which: 'first' | 'second' | 'both',
  offered: string[],
): { state: PracticeState; move: Move } {
  const quotes = which === 'both' ? offered : [offered[which === 'second' ? 1 : 0] ?? offered[0]!];
  const before =
    step.form === 'list' ? (state.started.get(step.slot) ?? state.answers.get(step.slot)) : undefined;
  const answer: Answer = {
    items: [...new Set([...(before?.items ?? []), ...quotes])].slice(0, step.max_items),
    quoted: [...(before?.quoted ?? []), ...quotes],
  };
  if (step.form === 'list' && answer.items.length < step.min_items) {
    const started = new Map(state.started).set(step.slot, answer);
    return { state: { ...state, started }, move: { kind: 'collected', step, answer } };
  }
  return {
    state: withAnswer(coach, state, step, answer),
    move: { kind: 'answered', step, answer, again: false },
  };
}

function applyToPart(
  coach: Coach,
  state: PracticeState,
  command: Extract<Command, { target: string }>,
): { state: PracticeState; move: Move } {
  const target = findPart(coach, state, command.target);
  if (!target) return { state, move: { kind: 'no_such_part', name: command.target } };
  const { step, item } = target;
  if (command.kind === 'rewrite_wish') return { state, move: { kind: 'wanted_rewrite', target } };

  const before = state.answers.get(step.slot);
  if (command.kind === 'change') {
    // The answer to the question that is open may come with its label: "Hook: …".
    if (!before && coach.playbook[state.asked] === step) return applyAnswer(coach, state, step, command.text);
    const items =
      item !== undefined && before
        ? before.items.with(item, command.text.replace(/\s+/g, ' '))
        : step.form === 'list'
          ? listItems(command.text).slice(0, step.max_items)
          : [withoutLeadIn(step, command.text.replace(/\s+/g, ' '))];
    const changed = withAnswer(coach, state, step, { items, quoted: before?.quoted ?? [] });
    return { state: changed, move: { kind: 'changed', target } };
  }
  const left = item === undefined ? [] : (before?.items.filter((_, index) => index !== item) ?? []);
  const answers = new Map(state.answers);
  if (left.length > 0) answers.set(step.slot, { items: left, quoted: before?.quoted ?? [] });
  else answers.delete(step.slot);
  const skipped = left.length > 0 ? state.skipped : new Set(state.skipped).add(step.slot);
  return { state: { ...state, answers, skipped }, move: { kind: 'removed', target } };
}

function skip(coach: Coach, state: PracticeState, step: PlaybookStep): { state: PracticeState; move: Move } {
  const started = state.started.get(step.slot);
  if (started && !state.answers.has(step.slot)) {
    // What was said so far stays: half a list is better than none.
    return { state: withAnswer(coach, state, step, started), move: { kind: 'skipped', step, kept: true } };
  }
  const kept = state.answers.has(step.slot);
  const skipped = kept ? state.skipped : new Set(state.skipped).add(step.slot);
  const asked = nextOpen(coach, { ...state, skipped }, state.asked);
  if (asked === coach.playbook.length && state.answers.size === 0) {
    return { state: { ...emptyState, pushed: state.pushed }, move: { kind: 'left_all_open' } };
  }
  return { state: { ...state, skipped, asked }, move: { kind: 'skipped', step, kept } };
}

function fillSteps(coach: Coach, state: PracticeState, spread: ReadonlyMap<PlaybookStep, string[]>) {
  let next = state;
  for (const [step, items] of spread) next = withAnswer(coach, next, step, { items, quoted: [] });
  const asked = nextOpen(coach, next, -1);
  return { state: { ...next, asked }, move: { kind: 'spread' as const, steps: [...spread.keys()] } };
}

function withAnswer(coach: Coach, state: PracticeState, step: PlaybookStep, answer: Answer): PracticeState {
  const answers = new Map(state.answers).set(step.slot, answer);
  const skipped = new Set(state.skipped);
  skipped.delete(step.slot);
  const started = new Map(state.started);
  started.delete(step.slot);
  const next = { ...state, answers, skipped, started };
  const wasAsked = coach.playbook[state.asked] === step;
  return wasAsked ? { ...next, asked: nextOpen(coach, next, state.asked) } : next;
}

/** The next step without an answer, first after `from`, then from the start; the playbook's length when none is left. */
function nextOpen(coach: Coach, state: PracticeState, from: number): number {
  const isOpen = ({ slot }: PlaybookStep) => !state.answers.has(slot) && !state.skipped.has(slot);
  const after = coach.playbook.findIndex((step, index) => index > from && isOpen(step));
  if (after >= 0) return after;
  const before = coach.playbook.findIndex(isOpen);
  return before >= 0 ? before : coach.playbook.length;
}
