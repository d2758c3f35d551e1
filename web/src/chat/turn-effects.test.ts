import { QueryClient } from '@tanstack/react-query';
import { expect, test, vi } from 'vitest';
import { createDrafts } from './drafts.ts';
import { newLiveTurn, type TurnRequest } from './live-turn.ts';
import { turnEffects } from './turn-effects.ts';

const storage = { getItem: () => null, setItem: () => {}, removeItem: () => {} };
const request: TurnRequest = { assistant_slug: 'storyteller', content: 'Hi', files: [], draft_key: 's' };

test('other tabs hear of what is written here, never of what was only joined: that would echo for ever', () => {
  const tellOtherTabs = vi.fn();
  const effects = turnEffects({
    queryClient: new QueryClient(),
    drafts: createDrafts(storage, () => 'm'),
    openNewChat: () => {},
    tellOtherTabs,
  });
  const joined = newLiveTurn('t', 's', null);
  effects.onAccepted(joined);
  effects.onEnded(joined, 4);
  expect(tellOtherTabs).not.toHaveBeenCalled();
  const written = newLiveTurn('t', 's', request);
  effects.onAccepted(written);
  effects.onEnded(written, 4);
  expect(tellOtherTabs.mock.calls).toEqual([['s'], ['s']]);
});
