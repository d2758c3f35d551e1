import type { ModelTurn } from '../../platform/models/model.ts';
import type { Coach, PlaybookStep } from '../coach-file.ts';
import type { Move, PracticeState } from './apply-message.ts';
import { mentionsFiles } from './commands.ts';
import { bare, countWords } from './edit-words.ts';
import { fillDeliverable, partName } from './fill-deliverable.ts';
import { reflect } from './reflect.ts';
import { type ReplyPiece, showQuotes, showWork } from './reply-with-files.ts';
import { escapeMarkdown } from './safe-markdown.ts';
import { looksEnglish } from './signs.ts';
import { firstWords, numberInWords } from './weakness.ts';

const notice =
  'I am the practice coach, not a language model: I ask by a fixed plan, and your own words become the work.\n\n';

/** What the reply is made from. `before` is the state that the message found, `text` the message as plain text. */
export type ReplyContext = {
  coach: Coach;
  /** `picture_names`: the pictures that came with the message, which are not among its `file_names`. */
  turn: Pick<ModelTurn, 'history' | 'message' | 'has_files'> & { picture_names: string[] };
  before: PracticeState;
  state: PracticeState;
  move: Move;
  text: string;
  /** Sentences from files that earlier replies showed. */
  shown: ReadonlySet<string>;
};

/** The reply to one message, piece by piece; the first text comes before anything is waited for. */
export async function* composeReply(
  context: ReplyContext,
  search: ModelTurn['searchFiles'],
): AsyncGenerator<ReplyPiece> {
  const { coach, turn, before, state, move, text } = context;
  const isFirst = !turn.history.some(({ sender }) => sender === 'assistant');
  if (isFirst) yield notice;
  if (turn.picture_names.length > 0) yield cannotSee(turn.picture_names);
  const next = coach.playbook[state.asked];
  const brought = turn.message.file_names.length > 0;

  const lead = leadOf(context, isFirst);
  if (lead !== '') yield `${lead}\n\n`;
  if (isFirst && !looksEnglish(text)) {
    yield 'I ask in English; your words stay in your language.\n\n';
  }

  const asksWhy = move.kind === 'asked_question' && isWhyQuestion(text);
  const wantsFiles = (move.kind === 'asked_question' && !asksWhy) || move.kind === 'named_files' || brought;
  const answersStep = ['answered', 'pushed_back', 'collected', 'spread', 'stuck'].includes(move.kind);
  if (wantsFiles && !turn.has_files && !brought) {
    yield noFilesSentence(move);
  } else if ((wantsFiles || answersStep) && (turn.has_files || brought) && (next || wantsFiles)) {
    yield* showQuotes(context, search, { step: next, direct: wantsFiles });
  }

  const finished = !next && before.asked < coach.playbook.length;
  const isNews = move.kind === 'changed' && !before.answers.has(move.target.step.slot);
  const wantsWork = !isNews && ['changed', 'removed', 'shortened', 'wanted_draft'].includes(move.kind);
  const hasWork = state.answers.size > 0;
  if (hasWork && (finished || (wantsWork && (!next || move.kind !== 'shortened')))) {
    yield* showWork(context, search);
    if (!next) yield afterWork(coach, state);
  }
  if (next) yield question(coach, state, move, brought);
  else if (['greeted', 'spoke_after_end', 'refused_offer'].includes(move.kind)) yield whatToSay(coach, state);
}

function cannotSee(picture_names: string[]): string {
  const them = picture_names.length === 1 ? 'it' : 'them';
  return `I cannot see pictures, so I leave ${fileNames(picture_names)} aside. Tell me in words what matters in ${them}; a coach with a language model would look at ${them}.\n\n`;
}

/** The first sentences of a reply: what the coach makes of the message. */
function leadOf({ coach, turn, before, state, move, text }: ReplyContext, isFirst: boolean): string {
  const next = coach.playbook[state.asked];
  const title = coach.deliverable.title.toLowerCase();
  const here = next ? '' : `\n\nThat is everything I need. Here is your ${title}.`;
  switch (move.kind) {
    case 'greeted':
      return isFirst || before.answers.size === 0
        ? `${sentenceCase(numberInWords(coach.playbook.length))} short questions, one at a time, and you leave with ${withArticle(title)}. Say **skip**, **back** or **draft** whenever you like.`
        : 'Whenever you are ready.';
    case 'started_over':
      return 'A clean page, then. Nothing of the last round is used.';
    case 'wanted_help':
      return `You answer, I lead. Say **skip**, **back**, **example**, **draft**, **shorter** or **start over**; change a part with its name, such as **${exampleChange(coach, state)}**.`;
    case 'wanted_example':
      return '';
    case 'refused_offer':
      return 'Then it stays out.';
    case 'thanked':
      return `You did the work. ${oneLine(coach.deliverable.closing)}`;
    case 'spoke_after_end':
      return `Your ${title} is finished, so I leave it as it is until you name a part.`;
    case 'left_all_open':
      return 'With every step skipped there is nothing to build from. One answer is enough to begin; a rough one will do.';
    case 'answered':
      return reflect(move.step, coach.playbook.indexOf(move.step), move.answer, move.again) + here;
    case 'collected':
      return `It goes in word for word. That makes ${numberInWords(move.answer.items.length)}; give me at least ${numberInWords(move.step.min_items - move.answer.items.length)} more.`;
    case 'pushed_back':
      return isFirst
        ? `${move.reason}\n\nThis is step 1 of ${coach.playbook.length}; at the end you leave with ${withArticle(title)}.`
        : move.reason;
    case 'stuck':
      return `That happens, and it is why we take it one step at a time.\n\n**${oneLine(move.step.easier)}**`;
    case 'skipped':
      return move.kept
        ? `It stays as it is.${here}`
        : `We leave “${move.step.title}” open; you can add it any time.${state.answers.size > 0 ? here : ''}`;
    case 'went_back': {
      const answer = next && state.answers.get(next.slot);
      return answer
        ? `You had: “${escapeMarkdown(bare(firstWords(answer.items.join(' · '), 30)))}”. Say it anew, or **keep** to leave it.`
        : 'Back we go.';
    }
    case 'spread':
      return `${takenFrom(state, move.steps)}${here}`;
    case 'changed': {
      const name = escapeMarkdown(move.target.name);
      if (before.answers.has(move.target.step.slot)) return `${name} is changed.`;
      return `I have what you gave me for “${name}”.${here}`;
    }
    case 'removed':
      return state.answers.has(move.target.step.slot)
        ? `${escapeMarkdown(move.target.name)} is out, and the rest has moved up.`
        : `${escapeMarkdown(move.target.name)} is out. Its place stays marked, should you want to fill it.`;
    case 'wanted_rewrite':
      return rewriteAdvice(state, move.target);
    case 'no_such_part':
      return `There is no ${escapeMarkdown(move.name.toLowerCase())} yet. ${partsSentence(coach, state)}`;
    case 'shortened':
      return shortened(coach, before, state);
    case 'wanted_draft':
      if (state.answers.size === 0) return 'Nothing of yours is in it yet. Your first answer changes that.';
      return next ? 'This is what we have so far.' : `Here is your ${title} once more.`;
    case 'asked_question':
      return turn.has_files && !isWhyQuestion(text)
        ? 'Let me look in your files.'
        : questionAnswer(next, text);
    case 'named_files':
      if (!turn.has_files && turn.message.file_names.length === 0) return '';
      return `Let me look in ${fileNames(turn.message.file_names)}.`;
  }
}

function question(coach: Coach, state: PracticeState, move: Move, brought: boolean): string {
  const step = coach.playbook[state.asked]!;
  const ask = `**${oneLine(step.question)}**`;
  if (move.kind === 'pushed_back' || move.kind === 'collected') return '';
  if (move.kind === 'stuck') return `Rough is fine. ${exampleOf(step)}`;
  if (move.kind === 'wanted_example')
    return `${oneLine(step.advice)}\n\n${exampleOf(step)}\n\nNow yours. ${ask}`;
  const brief = [
    'asked_question',
    'refused_offer',
    'went_back',
    'wanted_rewrite',
    'wanted_help',
    'no_such_part',
  ];
  if (brief.includes(move.kind) && !brought) return `Back to “${step.title}”: ${ask}`;
  const where = `Step ${state.asked + 1} of ${coach.playbook.length}: ${step.title}`;
  return `### ${where}\n\n${oneLine(step.advice)}\n\n${exampleOf(step)}\n\n${ask}`;
}

function exampleOf(step: PlaybookStep): string {
  const lines = step.example.trim().split('\n');
  if (lines.length === 1) return `*For example:* ${escapeMarkdown(lines[0]!)}`;
  return `*For example:*\n\n${lines.map((line) => `- ${escapeMarkdown(line)}`).join('\n')}`;
}

function takenFrom(state: PracticeState, steps: PlaybookStep[]): string {
  const lines = steps.map((step) => {
    const items = state.answers.get(step.slot)?.items ?? [];
    const said =
      step.form === 'list'
        ? `${items.length} of them`
        : `“${escapeMarkdown(firstWords(items[0] ?? '', 16))}”`;
    return `- **${step.title}:** ${said}`;
  });
  return `You have done part of the work already. From what you wrote I take:\n\n${lines.join('\n')}\n\nIf one is wrong, send it again with its name, such as **${labelOf(steps[0]!)}: …**`;
}

function rewriteAdvice(
  state: PracticeState,
  { name, step, item }: { name: string; step: PlaybookStep; item: number | undefined },
): string {
  const answer = state.answers.get(step.slot);
  const now = item === undefined ? answer?.items.join(' · ') : answer?.items[item];
  const said = now === undefined ? '' : ` It reads now: “${escapeMarkdown(bare(firstWords(now, 40)))}”.`;
  return `The new words have to be yours, since I do not write any.${said} ${oneLine(step.advice)} Send it as **${escapeMarkdown(name.toLowerCase())}: …** with at most ${step.max_words} words.`;
}

function shortened(coach: Coach, before: PracticeState, state: PracticeState): string {
  if (state.answers.size === 0) return 'I keep that in mind for the work: short.';
  const old = countWords(fillDeliverable(coach, before.answers, before.tightness).markdown);
  const now = countWords(fillDeliverable(coach, state.answers, state.tightness).markdown);
  if (coach.playbook[state.asked]) return 'I keep the work tighter from here on.';
  return now < old
    ? `Tighter: ${old - now} words fewer. What could go without harm went; the rest waits for your own cut.`
    : `I find no more to cut without touching your meaning. Pick one part and send it shorter: **${exampleChange(coach, state)}**`;
}

function afterWork(coach: Coach, state: PracticeState): string {
  const { too_long, open_steps } = fillDeliverable(coach, state.answers, state.tightness);
  const lines = [
    ...too_long.map(
      ({ name, words, max_words }) =>
        `- ${escapeMarkdown(name)} has ${words} words; ${max_words} are the limit. I found no place to cut, you will.`,
    ),
    ...open_steps.map((step) => `- ${step.title} is still open. Send it as **${labelOf(step)}: …**`),
  ];
  const notes = lines.length > 0 ? `Before it goes out:\n\n${lines.join('\n')}\n\n` : '';
  return `---\n\n${notes}${whatToSay(coach, state)}`;
}

function whatToSay(coach: Coach, state: PracticeState): string {
  return `Which part would you change? Send it as **${exampleChange(coach, state)}**, say **shorter**, or **start over** for a new one.`;
}

/** A change that would work now: "slide 3: …". */
function exampleChange(coach: Coach, state: PracticeState): string {
  const { parts } = fillDeliverable(coach, state.answers, state.tightness);
  const part = parts.filter(({ slot, heading }) => slot !== undefined && /\p{L} \d/u.test(heading))[2];
  return `${(part ? partName(part) : (coach.playbook[0]?.title ?? '')).toLowerCase()}: …`;
}

function partsSentence(coach: Coach, state: PracticeState): string {
  const { parts } = fillDeliverable(coach, state.answers, state.tightness);
  const names = parts.map((part) => partName(part).toLowerCase()).filter((name) => /\p{L} \d/u.test(name));
  return names.length > 0 ? `Your work runs from ${names[0]} to ${names.at(-1)}.` : '';
}

function questionAnswer(next: PlaybookStep | undefined, text: string): string {
  if (isWhyQuestion(text) && next) return oneLine(next.advice);
  return 'That I cannot answer: I know this craft’s questions and your files, and nothing else.';
}

/** "Why do you ask?" is a question about the step. */
function isWhyQuestion(text: string) {
  return /^(?:but |and |so )?why\b/i.test(text) && !mentionsFiles(text);
}

function noFilesSentence(move: Move): string {
  return move.kind === 'named_files'
    ? 'I see no file of yours yet. Attach a PDF, a Word document, Markdown or text, and I quote from it.\n\n'
    : '';
}

function fileNames(names: string[]): string {
  if (names.length === 0) return 'your files';
  return names.length > 2 ? `your ${names.length} files` : names.map(escapeMarkdown).join(' and ');
}

/** What a member writes before a colon to change a step's answer. */
function labelOf({ title }: PlaybookStep) {
  return title.toLowerCase().replace(/^the /, '');
}

function withArticle(noun: string) {
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
}

function sentenceCase(text: string) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function oneLine(text: string) {
  return text.replace(/\s+/g, ' ').trim();
}
