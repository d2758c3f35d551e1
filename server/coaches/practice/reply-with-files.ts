import type { CitationSource, ModelTurn, Passage } from '../../platform/models/model.ts';
import type { PlaybookStep } from '../coach-file.ts';
import type { ReplyContext } from './compose-reply.ts';
import { fillDeliverable } from './fill-deliverable.ts';
import { contentWords, findPassageOf, findQuotes } from './find-quotes.ts';
import { escapeMarkdown, plainText, unescapeMarkdown } from './safe-markdown.ts';

/** A piece of a reply: text, the mark of a source behind the text so far, or the news that files are being searched. */
export type ReplyPiece = string | { cite: CitationSource } | { tool: 'file_search' };

const searchFailed = 'I could not look into your files just now, so we go on without them.\n\n';

/**
 * Quotes what the member's files say to the message and the step, and offers to use it. `direct`: the member asked or
 * brought a file, so a looser match is quoted too and an empty search is owned up to; else only a clear match is shown.
 */
export async function* showQuotes(
  { coach, turn, text, shown }: ReplyContext,
  search: ModelTurn['searchFiles'],
  { step, direct }: { step: PlaybookStep | undefined; direct: boolean },
): AsyncGenerator<ReplyPiece> {
  const isStarter = coach.starters.some((starter) => starter.toLowerCase() === text.toLowerCase());
  const message = isStarter ? [] : contentWords(text).slice(0, 10);
  const stepWords = contentWords(step?.search ?? '').slice(0, 5);
  // A file that comes without a word is worth a look for whatever the playbook may need.
  const brought = direct && (message.length === 0 || turn.message.file_names.length > 0);
  const everyStep = contentWords(coach.playbook.map(({ search }) => search).join(' ')).slice(0, 24);
  const words = [...new Set([...message, ...stepWords])];
  yield { tool: 'file_search' };
  let passages: Passage[];
  try {
    passages = words.length > 0 ? await search(words.join(' '), 6) : [];
    if (passages.length === 0 && brought) passages = await search(everyStep.join(' '), 6);
  } catch {
    yield searchFailed;
    return;
  }

  const wantsNumber =
    step?.listen_for.some(({ sign, nudge }) => sign === 'number' && nudge !== undefined) ?? false;
  const quotes = findQuotes(
    passages,
    {
      message,
      step: brought ? everyStep : direct ? [] : stepWords,
      number: wantsNumber,
    },
    {
      limit: direct ? 2 : 1,
      least: brought ? 0 : direct ? 2 : 5,
      mustFitStep: !direct,
      exclude: direct ? new Set() : shown,
    },
  );
  if (quotes.length === 0) {
    if (direct) yield 'I found no passage in them that fits, so I leave them aside here.\n\n';
    return;
  }
  for (const [index, { text: sentence, passage }] of quotes.entries()) {
    const where = passage.page === null ? '' : `, page ${passage.page}`;
    const name = escapeMarkdown(plainText(passage.file_name));
    const opening = direct
      ? index === 0
        ? `${name}${where} says:`
        : `And ${name}${where}:`
      : `Your file ${name}${where} has something for this:`;
    yield `${opening}\n\n> ${escapeMarkdown(sentence)}`;
    yield { cite: { kind: 'passage', passage } };
    yield '\n\n';
  }
  if (step) yield offerOf(step, quotes.length);
}

function offerOf(step: PlaybookStep, count: number): string {
  const how = count > 1 ? 'Say **use the first**, **use the second** or **use both**' : 'Say **use it**';
  return `${how} to put it under “${step.title}”, or answer in your own words.\n\n`;
}

/** The sentences from files that a reply of the practice coach showed, and whether it offered them. */
export function readQuotes(reply: string): { quotes: string[]; offered: boolean } {
  const quotes = [...reply.matchAll(/^> (.+)$/gm)].map((match) => unescapeMarkdown(match[1]!).trim());
  return { quotes, offered: /^Say \*\*use (?:it|the first)\*\*/m.test(reply) };
}

/** The work as it stands, with a citation behind each sentence that came from a file and still stands in one. */
export async function* showWork(
  { coach, state }: ReplyContext,
  search: ModelTurn['searchFiles'],
): AsyncGenerator<ReplyPiece> {
  const { markdown } = fillDeliverable(coach, state.answers, state.tightness);
  const quoted = new Set(
    [...state.answers.values()].flatMap((answer) =>
      answer.quoted.filter((text) => answer.items.includes(text)),
    ),
  );
  const marks: { end: number; passage: Passage }[] = [];
  if (quoted.size > 0) yield { tool: 'file_search' };
  for (const sentence of quoted) {
    const written = escapeMarkdown(sentence).replace(/[.]$/, '');
    const at = markdown.indexOf(written);
    const passages = at < 0 ? [] : await searchQuietly(search, sentence);
    const passage = findPassageOf(sentence, passages);
    const end = at + written.length + (markdown[at + written.length] === '.' ? 1 : 0);
    if (passage) marks.push({ end, passage });
  }
  let from = 0;
  for (const { end, passage } of marks.toSorted((a, b) => a.end - b.end)) {
    yield markdown.slice(from, end);
    yield { cite: { kind: 'passage', passage } };
    from = end;
  }
  yield `${markdown.slice(from)}\n\n`;
}

/** Without its source the work is still the member's; so a search that fails here costs only the mark. */
async function searchQuietly(search: ModelTurn['searchFiles'], sentence: string): Promise<Passage[]> {
  try {
    return await search(contentWords(sentence).slice(0, 12).join(' '), 6);
  } catch {
    return [];
  }
}
