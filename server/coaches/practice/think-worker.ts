import { parentPort } from 'node:worker_threads';
import type { Passage } from '../../platform/models/model.ts';
import type { ReplyPiece } from './reply-with-files.ts';
import { type Thought, think } from './think.ts';

/** What the worker is asked: to think, to go on with what a search found (null: it failed), or to forget a thought. */
export type ThoughtMessage = { id: number } & (
  | { kind: 'think'; thought: Thought }
  | { kind: 'found'; passages: Passage[] | null }
  | { kind: 'forget' }
);

/** A stretch of thinking: what is to be said, and what has to be searched for before it can go on, if anything. */
export type Stretch =
  | { pieces: ReplyPiece[]; search: { query: string; limit: number } | undefined }
  /** A mistake of ours; without the error's message, which may quote a member. */
  | { failed: string };

const port = parentPort!;
const waiting = new Map<number, PromiseWithResolvers<Passage[]>>();

port.on('message', (message: ThoughtMessage) => {
  if (message.kind === 'think') void run(message.id, message.thought);
  const found = waiting.get(message.id);
  waiting.delete(message.id);
  if (message.kind === 'found' && message.passages) found?.resolve(message.passages);
  else if (message.kind === 'found') found?.reject(new Error('The search failed.'));
});
port.postMessage('ready');

async function run(id: number, thought: Thought) {
  let pieces: ReplyPiece[] = [];
  const tell = (search?: { query: string; limit: number }) => {
    port.postMessage({ pieces, search } satisfies Stretch);
    pieces = [];
  };
  try {
    const saying = think(thought, (query, limit) => {
      const found = Promise.withResolvers<Passage[]>();
      waiting.set(id, found);
      tell({ query, limit });
      return found.promise;
    });
    for await (const piece of saying) pieces.push(piece);
    tell();
  } catch (error) {
    const { name, stack = '' } = error as Error;
    const places = stack.split('\n').filter((line) => /^\s+at /.test(line));
    port.postMessage({ failed: [name, ...places].join('\n') } satisfies Stretch);
  }
}
