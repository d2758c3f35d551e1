import { expect, test } from 'vitest';
import { applyTurnEvent, newLiveTurn } from './live-turn.ts';
import { turnStatusSentence } from './turn-status.ts';

test('how many of the files are ready is told, and one file is not counted', () => {
  const turn = newLiveTurn('t', 's', null);
  const after = (progress: { ready?: number; total?: number }) =>
    turnStatusSentence(applyTurnEvent(turn, { type: 'status', status: 'preparing_files', ...progress }));
  expect(after({ ready: 3, total: 8 })).toBe('Getting your files ready: 3 of 8');
  expect(after({ ready: 0, total: 1 })).toBe('Getting your files ready');
  expect(after({})).toBe('Getting your files ready');
});
