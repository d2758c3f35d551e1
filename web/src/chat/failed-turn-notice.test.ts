import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';
import type { TurnFailure } from './conversation.ts';
import { FailedTurnNotice } from './failed-turn-notice.tsx';
import { type LiveTurn, newLiveTurn, type TurnRequest } from './live-turn.ts';

const failure: TurnFailure = {
  code: 'model_failed',
  detail: 'D',
  retry: 'anew',
  user_message_id: 'm',
  had_reply: false,
};
const request: TurnRequest = {
  assistant_slug: 'a',
  content: 'Hi',
  files: [],
  edits_message_id: null,
  repeats_message_id: null,
  draft_key: 's',
};
const unsent = (change: Partial<TurnRequest>): LiveTurn => ({
  ...newLiveTurn('t', 's', { ...request, ...change }),
  outcome: { status: 'failed', code: 'unreachable', detail: 'D', retry: 'resend' },
});

/** The names of the buttons. */
function waysOn(change: Partial<TurnFailure>, live?: LiveTurn) {
  const html = renderToStaticMarkup(
    createElement(FailedTurnNotice, {
      failure: { ...failure, ...change },
      live,
      onRetry: () => {},
      onTakeBack: () => {},
      onEdit: () => {},
    }),
  );
  return [...html.matchAll(/<button[^>]*>([^<]*)</g)].map(([, name]) => name);
}

test('a failed turn can be tried again', () => {
  expect(waysOn({})).toEqual(['Try again']);
});

test('a message that is too long is changed, never tried again as it is', () => {
  expect(waysOn({ code: 'message_too_long' })).toEqual(['Change the message']);
});

test('a message that the coach refused is tried again or put another way', () => {
  expect(waysOn({ code: 'model_refused' })).toEqual(['Try again', 'Change the message']);
});

test('what has not gone out is sent again or given up', () => {
  expect(waysOn({ retry: 'resend' }, unsent({}))).toEqual(['Try again', 'Change the message']);
  expect(waysOn({ retry: 'resend' }, unsent({ repeats_message_id: 'm' }))).toEqual([
    'Try again',
    'Leave it as it was',
  ]);
});
