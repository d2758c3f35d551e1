import { QueryClient } from '@tanstack/react-query';
import { expect, test, vi } from 'vitest';
import { type Me, messagesLeft } from '../accounts/me.ts';
import { ApiError } from '../platform/api-error.ts';
import { createDrafts } from './drafts.ts';
import { newLiveTurn, type TurnRequest } from './live-turn.ts';
import { turnEffects } from './turn-effects.ts';

const storage = { getItem: () => null, setItem: () => {}, removeItem: () => {} };
const request: TurnRequest = {
  assistant_slug: 'storyteller',
  content: 'Hi',
  files: [],
  edits_message_id: null,
  repeats_message_id: null,
  draft_key: 's',
};
const refusal = new ApiError('turn_in_progress', 409, 'The coach is still answering.');

const left = { messages: 4, files: 1, tokens: 900, credits: 0 };

function effectsOnPage() {
  const queryClient = new QueryClient();
  const drafts = createDrafts(storage, () => 'm');
  const openNewChat = vi.fn();
  const tellOtherTabs = vi.fn();
  const effects = turnEffects({ queryClient, drafts, openNewChat, tellOtherTabs });
  return { queryClient, drafts, openNewChat, tellOtherTabs, effects };
}

test('other tabs hear of what is written here, never of what was only joined: that would echo for ever', () => {
  const { effects, tellOtherTabs } = effectsOnPage();
  const joined = newLiveTurn('t', 's', null);
  effects.onAccepted(joined);
  effects.onEnded(joined, left);
  expect(tellOtherTabs).not.toHaveBeenCalled();
  const written = newLiveTurn('t', 's', request);
  effects.onAccepted(written);
  effects.onEnded(written, left);
  const news = { chat_session_id: 's', gone: false };
  expect(tellOtherTabs.mock.calls).toEqual([[news], [news]]);
});

test('a refused message goes back to where it was written, with the reason', () => {
  const { effects, drafts, openNewChat } = effectsOnPage();
  drafts.write('s', 'Written since');
  effects.onRefused(newLiveTurn('t', 's', request), request, refusal);
  expect(drafts.get('s')).toMatchObject({ content: 'Hi\n\nWritten since', notice: refusal.message });

  const edit = { ...request, content: 'Better', edits_message_id: 'm1', draft_key: 'edit-s' };
  effects.onRefused(newLiveTurn('t', 's', edit), edit, refusal);
  expect(drafts.get('edit-s')).toMatchObject({
    content: 'Better',
    edits_message_id: 'm1',
    notice: refusal.message,
  });
  expect(openNewChat).not.toHaveBeenCalled();
});

test('a refused repetition puts no words anywhere: what is being written stays, and the reason stands there', () => {
  const { effects, drafts, openNewChat } = effectsOnPage();
  drafts.write('s', 'Half a thought');
  const repeats = { ...request, repeats_message_id: 'm1', draft_key: null };
  effects.onRefused(newLiveTurn('t', 's', repeats), repeats, refusal);
  expect(drafts.get('s')).toMatchObject({ content: 'Half a thought', notice: refusal.message });
  expect(openNewChat).not.toHaveBeenCalled();
});

test('a message that waits for the address to be confirmed keeps its words and says which refusal it was', () => {
  const { effects, drafts, queryClient } = effectsOnPage();
  queryClient.setQueryData(['me'], { email_confirmed: true });
  const unconfirmed = new ApiError('email_unconfirmed', 403, 'Confirm your email address first.');
  effects.onRefused(newLiveTurn('t', 's', request), request, unconfirmed);
  expect(drafts.get('s')).toMatchObject({ content: 'Hi', notice_code: 'email_unconfirmed' });
  // What the page believed of the address was wrong, or it is confirmed by now.
  expect(queryClient.getQueryState(['me'])?.isInvalidated).toBe(true);
  drafts.notice('s', null);
  expect(drafts.get('s').notice_code).toBe(null);
});

test('a message that the plan has nothing left for keeps its words, and the whole page knows at once', () => {
  const { effects, drafts, queryClient } = effectsOnPage();
  queryClient.setQueryData(['me'], {
    subscription_quota: { messages: 50, files: 10, tokens: 1000 },
    subscription_usage: { messages: 49, files: 0, tokens: 0 },
    credits: 0,
    renews_at: '2099-01-01T00:00:00Z',
  });
  const details = { allowances: { messages: 0, files: 10, tokens: 1000, credits: 0 } };
  const used_up = new ApiError('quota_exhausted', 429, 'All of it is used.', { details });
  effects.onRefused(newLiveTurn('t', 's', request), request, used_up);
  expect(drafts.get('s')).toMatchObject({ content: 'Hi', notice_code: 'quota_exhausted' });
  expect(messagesLeft(queryClient.getQueryData<Me>(['me'])!)).toBe(0);
  expect(queryClient.getQueryState(['me'])?.isInvalidated).toBe(true);
});

test('a first message that is refused leads back to its coach', () => {
  const { effects, drafts, openNewChat } = effectsOnPage();
  const first = { ...request, draft_key: 'new-storyteller' };
  effects.onRefused(newLiveTurn('t', 's', first), first, refusal);
  expect(openNewChat).toHaveBeenCalledWith('storyteller');
  expect(drafts.get('new-storyteller').content).toBe('Hi');
});
