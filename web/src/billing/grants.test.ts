import { expect, test } from 'vitest';
import { endOfDay, stateOfGrant } from './grants.ts';

test.each([
  ['2026-12-07', 'UTC', '2026-12-08T00:00:00.000Z'],
  ['2026-12-07', 'Europe/Berlin', '2026-12-07T23:00:00.000Z'],
  ['2026-12-07', 'America/Los_Angeles', '2026-12-08T08:00:00.000Z'],
  ['2026-12-07', 'Asia/Kathmandu', '2026-12-07T18:15:00.000Z'],
  ['2026-12-31', 'Pacific/Kiritimati', '2026-12-31T10:00:00.000Z'],
  // The days on which clocks change have 23 and 25 hours.
  ['2026-03-28', 'Europe/Berlin', '2026-03-28T23:00:00.000Z'],
  ['2026-03-29', 'Europe/Berlin', '2026-03-29T22:00:00.000Z'],
  ['2026-10-25', 'Europe/Berlin', '2026-10-25T23:00:00.000Z'],
  ['2026-11-01', 'America/New_York', '2026-11-02T05:00:00.000Z'],
  ['2028-02-28', 'UTC', '2028-02-29T00:00:00.000Z'],
  ['2028-02-29', 'Asia/Tokyo', '2028-02-29T15:00:00.000Z'],
  // Here the day before begins at one o'clock: midnight is skipped.
  ['2026-09-05', 'America/Santiago', '2026-09-06T04:00:00.000Z'],
])('%s is over in %s at %s', (date, time_zone, at) => {
  expect(endOfDay(date, time_zone)?.toISOString()).toBe(at);
});

test.each(['', '2026-13-01', 'tomorrow', '12026-01-01'])('%j is no day', (date) => {
  expect(endOfDay(date, 'UTC')).toBe(null);
});

test('a grant goes on until its time comes, or it is taken back', () => {
  const now_ms = Date.parse('2026-11-23T09:00:00Z');
  const until = '2026-11-23T09:00:01Z';
  expect(stateOfGrant({ until, revoked_at: null }, now_ms)).toBe('running');
  expect(stateOfGrant({ until, revoked_at: null }, now_ms + 1_000)).toBe('ended');
  expect(stateOfGrant({ until, revoked_at: '2026-11-20T09:00:00Z' }, now_ms)).toBe('taken_back');
});
