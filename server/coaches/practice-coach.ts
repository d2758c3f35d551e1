import { setTimeout as wait } from 'node:timers/promises';
import { AppError } from '../platform/errors.ts';
import type { Model, ModelEvent, ModelTurn } from '../platform/models/model.ts';
import type { Coach } from './coach-file.ts';
import { applyMessage, emptyState } from './practice/apply-message.ts';
import { composeReply, type ReplyContext } from './practice/compose-reply.ts';
import { type ReplyPiece, readQuotes, SearchAborted } from './practice/reply-with-files.ts';
import { plainText } from './practice/safe-markdown.ts';

/** More of a message than this is not read: far beyond any answer or draft. */
const max_message_characters = 8000;

/**
 * A model without a language model: it leads through a coach's playbook question by question, quotes the member's files
 * and fills the coach's template from the member's words. The same history and message give the same reply.
 * `word_delay_ms` passes between words, not before the first. It costs nothing: usage is 0.
 */
export function createPracticeCoach(coaches: Coach[], { word_delay_ms = 18 } = {}): Model {
  const bySlug = new Map(coaches.map((coach) => [coach.slug, coach]));

  return async function* practiceCoach(turn, signal) {
    signal.throwIfAborted();
    const coach = bySlug.get(turn.coach_slug);
    if (!coach) {
      throw new AppError(
        'model_misconfigured',
        'This coach is not set up here any more. Nothing was counted; choose another coach.',
      );
    }
    const search: ModelTurn['searchFiles'] = (query, limit) =>
      untilAborted(() => turn.searchFiles(query, limit), signal);
    const pieces = composeReply(readChat(coach, turn), search);
    try {
      yield* stream(pieces, word_delay_ms, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
    yield {
      type: 'end',
      outcome: 'completed',
      usage: { input_tokens: 0, cached_tokens: 0, output_tokens: 0 },
      response_id: null,
    };
  };
}

/** Plays the chat from its first message, so that nothing but its messages has to be kept. */
function readChat(coach: Coach, turn: ModelTurn): ReplyContext {
  let state = emptyState;
  let offered: string[] = [];
  const shown = new Set<string>();
  for (const { sender, content } of turn.history) {
    if (sender === 'user') {
      state = applyMessage(coach, state, readMessage(content), offered).state;
      offered = [];
    } else {
      const reply = readQuotes(content);
      for (const quote of reply.quotes) shown.add(quote);
      offered = reply.offered ? reply.quotes : [];
    }
  }
  const text = readMessage(turn.message.content);
  const applied = applyMessage(coach, state, text, offered);
  return { coach, turn, before: state, state: applied.state, move: applied.move, text, shown };
}

function readMessage(content: string) {
  return plainText(content.slice(0, max_message_characters));
}

async function* stream(
  pieces: AsyncGenerator<ReplyPiece>,
  word_delay_ms: number,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent, void, void> {
  let index = 0;
  let space = '';
  for await (const piece of pieces) {
    signal.throwIfAborted();
    if (typeof piece !== 'string') {
      yield 'cite' in piece
        ? { type: 'citation', index, source: piece.cite }
        : { type: 'tool_call', tool: piece.tool };
      continue;
    }
    // Space at a piece's end waits for what follows, so that no reply ends in blank lines.
    const written = space + piece.trimEnd();
    space = piece.slice(piece.trimEnd().length);
    if (written.trim() === '') {
      space = written + space;
      continue;
    }
    // A script without spaces is dealt out in short stretches instead of words.
    for (const text of written.match(/\s*\S{1,24}\s*|\s+/gu) ?? []) {
      if (index > 0 && word_delay_ms > 0) await wait(word_delay_ms, undefined, { signal });
      signal.throwIfAborted();
      yield { type: 'text', text };
      index += text.length;
    }
  }
}

async function untilAborted<Result>(run: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(new SearchAborted());
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([run(), aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
