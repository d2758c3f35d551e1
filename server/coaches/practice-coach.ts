import { setTimeout as wait } from 'node:timers/promises';
import { AppError } from '../platform/errors.ts';
import type { Model, ModelEvent, ModelTurn } from '../platform/models/model.ts';
import type { Coach } from './coach-file.ts';
import type { ReplyPiece } from './practice/reply-with-files.ts';
import { cutMessages } from './practice/think.ts';
import { thinkInWorker } from './practice/think-in-worker.ts';

/**
 * A model without a language model: it leads through a coach's playbook question by question, quotes the member's files
 * and fills the coach's template from the member's words. The same history and message give the same reply.
 * `word_delay_ms` passes between words, not before the first. It costs nothing: usage is 0. It thinks in a worker
 * thread that all share, for `thinking_limit_ms` at most; then, or when the worker dies, the turn fails with `model_failed`.
 */
export function createPracticeCoach(
  coaches: Coach[],
  { word_delay_ms = 18, thinking_limit_ms = 2000 } = {},
): Model {
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
    const picture_names = turn.images.filter(({ is_new }) => is_new).map(({ file_name }) => file_name);
    const pieces = thinkInWorker(
      {
        coach,
        has_files: turn.has_files,
        picture_names,
        ...cutMessages(withoutPictures(turn, picture_names)),
      },
      { searchFiles: turn.searchFiles, signal, limit_ms: thinking_limit_ms },
    );
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

/** A picture is no file to be searched. */
function withoutPictures({ history, message }: ModelTurn, picture_names: string[]) {
  const file_names = message.file_names.filter((name) => !picture_names.includes(name));
  return { history, message: { ...message, file_names } };
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
