import { describe, expect, test } from 'vitest';
import { createFormats } from '../accounts/formats.ts';
import type { Me } from '../accounts/me.ts';
import { lowAllowanceLine, quotaWords, usedUpWords } from './allowance-words.ts';

const in_london = createFormats('en-GB', 'Europe/London');

type Left = { messages: number; tokens: number; credits?: number };

function member({ messages, tokens, credits = 0 }: Left, quota: Partial<Me['subscription_quota']> = {}) {
  const subscription_quota = { messages: 300, files: 10, tokens: 10_000, ...quota };
  const me: Partial<Me> = {
    subscription_quota,
    subscription_usage: {
      messages: (subscription_quota.messages ?? 0) - messages,
      files: 0,
      tokens: (subscription_quota.tokens ?? 0) - tokens,
    },
    credits,
    renews_at: '2026-12-03T09:12:00Z',
  };
  return me as Me;
}

const line = (left: Left, quota?: Partial<Me['subscription_quota']>) =>
  lowAllowanceLine(member(left, quota), in_london);
const plenty = 9_000;

describe('one line says what is left', () => {
  test('when ten messages are left, or a tenth of a small plan', () => {
    expect(line({ messages: 11, tokens: plenty })).toBe(null);
    expect(line({ messages: 10, tokens: plenty })).toBe(
      '10 messages left this month. They renew on 3 December at 09:12.',
    );
    expect(line({ messages: 6, tokens: plenty }, { messages: 50 })).toBe(null);
    expect(line({ messages: 5, tokens: plenty }, { messages: 50 })).toContain('5 messages left');
    expect(line({ messages: 1, tokens: plenty }, { messages: 3 })).toBe(
      '1 message left this month. They renew on 3 December at 09:12.',
    );
  });

  test('and tells what was bought apart from what renews', () => {
    expect(line({ messages: 4, tokens: plenty, credits: 20 })).toBe(null);
    expect(line({ messages: 4, tokens: plenty, credits: 3 })).toBe(
      '4 messages left this month, and 3 that you bought. Your plan renews on 3 December at 09:12.',
    );
    expect(line({ messages: 0, tokens: plenty, credits: 1 })).toBe(
      '1 bought message left. Your plan renews on 3 December at 09:12.',
    );
    expect(line({ messages: 80, tokens: 0, credits: 9 })).toContain('9 bought messages left.');
  });

  test('when a tenth of the reading and writing is left, however many messages are', () => {
    expect(line({ messages: 200, tokens: 1_001 })).toBe(null);
    expect(line({ messages: 200, tokens: 1_000 })).toBe(
      '10% of this month’s reading and writing is left. It renews on 3 December at 09:12.',
    );
    expect(line({ messages: 0, tokens: 3 }, { messages: null })).toContain('1% of this month’s');
    // Bought messages go on without.
    expect(line({ messages: 200, tokens: 1_000, credits: 50 })).toBe(null);
  });

  test('never without a limit, nor when nothing is left, which is told otherwise', () => {
    expect(line({ messages: 0, tokens: 0 }, { messages: null, tokens: null })).toBe(null);
    expect(line({ messages: 0, tokens: plenty })).toBe(null);
    expect(line({ messages: 90, tokens: 0 })).toBe(null);
  });
});

test('what is used up is named, with when it renews', () => {
  expect(usedUpWords(member({ messages: 0, tokens: plenty }), in_london)).toEqual({
    title: 'You have used all the messages of your plan for this month.',
    when: 'They renew on 3 December at 09:12.',
  });
  expect(usedUpWords(member({ messages: 90, tokens: 0 }), in_london)?.title).toContain('reading and writing');
  expect(usedUpWords(member({ messages: 0, tokens: plenty, credits: 1 }), in_london)).toBe(null);
});

describe('the renewal is one instant, told in the day and the hour of whoever reads it', () => {
  const when = (renews_at: string, time_zone: string, language = 'en-GB') =>
    quotaWords('messages', renews_at, createFormats(language, time_zone)).when;

  test.each([
    // The same instant around the world: another day, half hours, quarter hours.
    ['2026-12-03T09:12:00Z', 'UTC', '3 December at 09:12'],
    ['2026-12-03T09:12:00Z', 'Asia/Kathmandu', '3 December at 14:57'],
    ['2026-12-03T09:12:00Z', 'Pacific/Kiritimati', '3 December at 23:12'],
    ['2026-12-03T10:12:00Z', 'Pacific/Kiritimati', '4 December at 00:12'],
    ['2026-12-03T09:12:00Z', 'Pacific/Pago_Pago', '2 December at 22:12'],
    // A month that began in winter renews at another hour once the clocks went forward, and back again.
    ['2026-03-15T23:30:00Z', 'Europe/Berlin', '16 March at 00:30'],
    ['2026-04-15T23:30:00Z', 'Europe/Berlin', '16 April at 01:30'],
    ['2026-11-15T23:30:00Z', 'Europe/Berlin', '16 November at 00:30'],
    ['2026-03-29T00:59:00Z', 'Europe/Berlin', '29 March at 01:59'],
    ['2026-03-29T01:00:00Z', 'Europe/Berlin', '29 March at 03:00'],
    ['2026-11-01T05:59:00Z', 'America/New_York', '1 November at 01:59'],
    ['2026-11-01T07:00:00Z', 'America/New_York', '1 November at 02:00'],
    ['2026-04-04T15:00:00Z', 'Australia/Lord_Howe', '5 April at 01:30'],
    // 29 February: there, and on the other side of the date line.
    ['2028-02-29T00:00:00Z', 'UTC', '29 February at 00:00'],
    ['2028-02-29T00:00:00Z', 'America/Los_Angeles', '28 February at 16:00'],
    ['2028-02-29T23:00:00Z', 'Asia/Tokyo', '1 March at 08:00'],
    ['2027-02-28T23:00:00Z', 'Asia/Tokyo', '1 March at 08:00'],
    ['2026-12-31T23:59:00Z', 'Asia/Tokyo', '1 January at 08:59'],
  ])('%s in %s is %s', (renews_at, time_zone, shown) => {
    expect(when(renews_at, time_zone)).toBe(`They renew on ${shown}.`);
  });

  test('in the member’s own language', () => {
    expect(when('2026-12-03T09:12:00Z', 'Europe/Vienna', 'de-AT')).toMatch(/3\. Dezember .*10:12/);
    expect(when('2026-12-03T21:12:00Z', 'America/New_York', 'en-US')).toMatch(/December 3 at 4:12\sPM/);
  });
});

test('room for files does not renew, so no day is promised', () => {
  expect(quotaWords('storage', '2026-12-03T09:12:00Z', in_london).when).not.toContain('December');
});
