import { expect, test } from 'vitest';
import { applyTurnEvent, isRunning, isUnsent, newLiveTurn } from './live-turn.ts';
import type { TurnEvent } from './turn-stream.ts';

const begun = newLiveTurn('t', 's', null);
const text = (words: string, sequence: number): TurnEvent => ({ type: 'text', text: words, sequence });
const after = (...events: TurnEvent[]) => events.reduce(applyTurnEvent, begun);

test('what a re-joined stream repeats is not written twice', () => {
  expect(after(text('Hello ', 6), text('world', 11), text('Hello ', 6), text('world', 11)).text).toBe(
    'Hello world',
  );
});

test('a repeated beginning takes no words away', () => {
  expect(after(text('Hello world', 11), text('Hello ', 6)).text).toBe('Hello world');
});

test('an event that overlaps what is there adds only the rest', () => {
  expect(after(text('Hello ', 6), text('Hello world', 11)).text).toBe('Hello world');
});

test('a gap in the text is never papered over', () => {
  expect(() => after(text('Hello ', 6), text('again', 16))).toThrow();
});

test('a repeated citation replaces the one of the same number', () => {
  const citation = (number: number, index: number): TurnEvent => ({
    type: 'citation',
    citation: { number, index, file_id: 'f', file_name: 'a.pdf', page: 1, passage_id: null, quote: null },
  });
  const turn = after(citation(2, 9), citation(1, 4), citation(2, 10));
  expect(turn.citations.map(({ number, index }) => [number, index])).toEqual([
    [1, 4],
    [2, 10],
  ]);
});

test('a failed turn keeps the text so far and may be begun anew', () => {
  const turn = after(text('Half', 4), { type: 'error', code: 'model_failed', detail: 'D', counted: false });
  expect(turn.text).toBe('Half');
  expect(turn.outcome).toMatchObject({ status: 'failed', detail: 'D', retry: 'anew' });
  expect(isRunning(turn)).toBe(false);
  expect(isUnsent(turn)).toBe(false);
});
