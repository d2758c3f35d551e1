import { describe, expect, test } from 'vitest';
import { createFormats } from '../accounts/formats.ts';
import type { Plan } from './billing.ts';
import {
  allowanceLine,
  choiceOf,
  coachesWords,
  includedLines,
  planTitle,
  topUpWords,
  yearlySaving,
  yearlySavingWords,
} from './plan-words.ts';

const formats = createFormats('en-US', 'UTC');
const plan = (slug: string, month?: number, year?: number): Plan => ({
  ...{ slug, title: slug, summary: '', includes: { messages: 1, files: 1, tokens: 1 } },
  price: month === undefined ? null : { month, year: year! },
});
const plans = [plan('free'), plan('starter', 1900, 19_000), plan('pro', 4900, 49_000)];

test('what a plan includes is said in words that members use', () => {
  expect(includedLines({ messages: 300, files: 50, tokens: 2_000_000, storage_mb: 1_000 }, formats)).toEqual([
    '300 messages a month',
    'About 1,300,000 words read and written a month',
    '50 new files a month',
    '1 GB of room for files',
  ]);
  expect(includedLines({ messages: 1, files: 1, tokens: 150, storage_mb: 100 }, formats)).toEqual([
    '1 message a month',
    'About 100 words read and written a month',
    '1 new file a month',
    '100 MB of room for files',
  ]);
  const unlimited = { messages: null, files: null, tokens: null, storage_mb: null };
  expect(includedLines(unlimited, formats).every((line) => line.includes('without a limit'))).toBe(true);
  expect(includedLines({ messages: 1, files: 1, tokens: 1, storage_mb: 1_500 }, formats).at(-1)).toContain(
    '1.5 GB',
  );
  expect(includedLines({ messages: 1, files: 1, tokens: 1 }, formats)).toHaveLength(3);
});

describe('paying by the year', () => {
  test('saves what twelve months cost more', () => {
    expect(yearlySaving(plans[1]!)).toBe(3800);
    expect(yearlySaving(plans[0]!)).toBe(0);
    expect(yearlySaving(plan('dear', 100, 1300))).toBe(0);
  });

  test('is told in months where that is exact, else never as more than it is', () => {
    expect(yearlySavingWords(plans, formats)).toBe('2 months free');
    expect(yearlySavingWords([plan('a', 1000, 10_010)], formats)).toBe('saves 16%');
    expect(yearlySavingWords([...plans, plan('a', 1000, 11_000)], formats)).toBe('saves up to 16%');
    expect(yearlySavingWords([plan('a', 1000, 12_000)], formats)).toBe(null);
    expect(yearlySavingWords([plan('free')], formats)).toBe(null);
  });
});

test.each([
  [null, 'free', 'month', 'none'],
  [null, 'pro', 'year', 'buy'],
  [{ plan: 'starter', interval: 'month' }, 'starter', 'month', 'present'],
  [{ plan: 'starter', interval: 'month' }, 'pro', 'month', 'upgrade'],
  [{ plan: 'starter', interval: 'year' }, 'pro', 'month', 'upgrade'],
  [{ plan: 'pro', interval: 'month' }, 'starter', 'year', 'downgrade'],
  [{ plan: 'pro', interval: 'month' }, 'pro', 'year', 'yearly'],
  [{ plan: 'pro', interval: 'year' }, 'pro', 'month', 'monthly'],
  [{ plan: 'pro', interval: 'year' }, 'free', 'month', 'cancel'],
] as const)('with %o a choice of %s by the %s means: %s', (present, slug, interval, choice) => {
  expect(choiceOf(plans, present, { plan: slug, interval })).toBe(choice);
});

test('the coaches that a plan opens are named, unless it opens all', () => {
  const coaches = ['Ann', 'Ben', 'Cid'].map((name, index) => ({
    name,
    plans: ['pro', 'starter', 'free'].slice(0, 3 - index),
  }));
  expect(coachesWords(coaches, 'pro')).toBe('Every coach');
  expect(coachesWords(coaches, 'starter')).toBe('The coaches Ann and Ben');
  expect(coachesWords(coaches, 'free')).toBe('The coach Ann');
  expect(coachesWords(coaches, 'gone')).toBe(null);
});

test('a plan that is gone from the list still has a name', () => {
  expect(planTitle({ plans: [] }, 'early_bird')).toBe('Early bird');
});

test('a top-up says what it would do', () => {
  expect(topUpWords({ messages: 50 }, formats)).toBe(
    '50 messages, used after those of your plan. They never expire.',
  );
});

test('what is left is what can be sent: nothing where there is nothing to read and write with, but what was bought', () => {
  const quota = { messages: 50, files: 5, tokens: 1_000 };
  const state = {
    quota,
    usage: { messages: 10, files: 0, tokens: 999 },
    credits: 0,
    renews_at: '2026-12-01T00:00:00Z',
  };
  expect(allowanceLine(state, formats)).toContain('40 of 50 messages left.');
  expect(allowanceLine({ ...state, credits: 7 }, formats)).toContain(
    '40 of 50 messages left, and 7 that you bought.',
  );
  const used = { ...state, usage: { ...state.usage, tokens: 1_000 } };
  expect(allowanceLine(used, formats)).toMatch(/used up\. No message is left\. The month begins anew/);
  expect(allowanceLine({ ...used, credits: 7 }, formats)).toContain('7 messages that you bought are left.');
  const unlimited = { ...used, quota: { ...quota, messages: null } };
  expect(allowanceLine(unlimited, formats)).toContain('No message is left.');
  expect(allowanceLine({ ...unlimited, usage: state.usage }, formats)).toBe('Messages without a limit.');
});
