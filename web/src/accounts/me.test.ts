import { QueryClient } from '@tanstack/react-query';
import { expect, test } from 'vitest';
import { allowanceOf, type Me, messagesLeft, noteAllowance, untilNextLook, usedUp } from './me.ts';

const now_ms = Date.parse('2026-11-23T09:00:00Z');

/** A member who has so much left, of a plan with 50 messages, 10 files and 1,000 tokens. */
function member(
  left: { messages?: number; tokens?: number; credits?: number } = {},
  change: Partial<Me> = {},
) {
  const { messages = 50, tokens = 1000, credits = 0 } = left;
  const me: Partial<Me> = {
    subscription_quota: { messages: 50, files: 10, tokens: 1000 },
    subscription_usage: { messages: 50 - messages, files: 0, tokens: 1000 - tokens },
    credits,
    renews_at: '2026-12-03T09:12:00Z',
    email_confirmed: true,
    email_verification: { sent_at: null },
    ...change,
  };
  return me as Me;
}
const unlimited = { subscription_quota: { messages: null, files: null, tokens: 1000 } };

test.each([
  ['the plan’s messages', member({ messages: 4 }), 4, null],
  ['bought ones on top', member({ messages: 4, credits: 20 }), 24, null],
  ['only bought ones', member({ messages: 0, credits: 20 }), 20, null],
  ['none', member({ messages: 0 }), 0, 'messages'],
  ['the plan’s messages without a token to use them with', member({ tokens: 0 }), 0, 'tokens'],
  ['more tokens used than there were', member({ tokens: -80 }), 0, 'tokens'],
  ['bought ones, which ask for no token', member({ tokens: 0, credits: 3 }), 3, null],
  ['messages without a limit', member({}, unlimited), null, null],
  ['messages without a limit, and no token', member({ tokens: 0 }, unlimited), 0, 'tokens'],
  ['neither', member({ messages: 0, tokens: 0 }), 0, 'messages'],
])('can be sent: %s', (_, me, left, counter) => {
  expect(messagesLeft(me)).toBe(left);
  expect(usedUp(me)).toBe(counter);
});

test('what a turn’s end says is left stands on the page at once', () => {
  const queryClient = new QueryClient();
  queryClient.setQueryData(
    ['me'],
    member({ messages: 5, credits: 2 }, { renews_at: '2099-01-01T00:00:00Z' }),
  );
  noteAllowance(queryClient, { messages: 4, files: 10, tokens: 640, credits: 2 });
  const me = queryClient.getQueryData<Me>(['me'])!;
  expect(allowanceOf(me)).toEqual({ messages: 4, files: 10, tokens: 640, credits: 2 });
  expect(queryClient.getQueryState(['me'])?.isInvalidated).toBe(false);
});

test.each([
  ['more is left than the plan had', { messages: 990, files: 10, tokens: 640, credits: 0 }],
  ['there is no limit any more', { messages: null, files: null, tokens: 640, credits: 0 }],
])('the profile is asked for again where %s', (_, left) => {
  const queryClient = new QueryClient();
  const before = member({ messages: 5 }, { renews_at: '2099-01-01T00:00:00Z' });
  queryClient.setQueryData(['me'], before);
  noteAllowance(queryClient, left);
  expect(queryClient.getQueryData(['me'])).toBe(before);
  expect(queryClient.getQueryState(['me'])?.isInvalidated).toBe(true);
});

test('the profile is asked for again when a month has ended meanwhile', () => {
  const queryClient = new QueryClient();
  queryClient.setQueryData(['me'], member({ messages: 5 }, { renews_at: '2020-01-01T00:00:00Z' }));
  noteAllowance(queryClient, { messages: 49, files: 10, tokens: 900, credits: 0 });
  expect(queryClient.getQueryState(['me'])?.isInvalidated).toBe(true);
});

const ending = (left: Parameters<typeof member>[0]) => member(left, { renews_at: '2026-11-23T09:00:03Z' });

test.each([
  ['a moment after the month ends', member({}, { renews_at: '2026-11-23T09:00:30Z' }), 31_000],
  ['once a day when it ends much later', member(), 86_400_000],
  ['often while nothing can be sent', member({ messages: 0 }), 15_000],
  ['at the end of the month, where nothing can be sent until then', ending({ messages: 0 }), 4_000],
  ['often where this machine’s clock is ahead', member({}, { renews_at: '2026-11-23T08:00:00Z' }), 15_000],
  ['often until the address is confirmed', member({}, { email_confirmed: false }), 4_000],
])('the profile is looked at %s', (_, me, wait_ms) => {
  expect(untilNextLook(me, now_ms)).toBe(wait_ms);
});
