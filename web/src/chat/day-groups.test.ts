import { expect, test } from 'vitest';
import { groupByDay } from './day-groups.ts';

const now = new Date(2026, 10, 22, 0, 30);
const at = (year: number, month: number, day: number, hour = 0, minute = 0) => ({
  updated_at: new Date(year, month, day, hour, minute).toISOString(),
});

test('a day begins at midnight where the reader is, not 24 hours ago', () => {
  const groups = groupByDay(
    [at(2026, 10, 22, 0, 1), at(2026, 10, 21, 23, 59), at(2026, 10, 21), at(2026, 10, 20)],
    now,
  );
  expect(groups.map(({ heading, items }) => [heading, items.length])).toEqual([
    ['Today', 1],
    ['Yesterday', 2],
    ['The last 7 days', 1],
  ]);
});

test('older chats stand under their month, with the year when it is another one', () => {
  const groups = groupByDay([at(2026, 10, 1), at(2026, 8, 3), at(2025, 11, 31)], now);
  expect(groups.map(({ heading }) => heading)).toEqual(['November', 'September', 'December 2025']);
});

test('a clock that runs ahead of ours still means today', () => {
  expect(groupByDay([at(2026, 10, 22, 1)], now)[0]?.heading).toBe('Today');
});

test('a member who has chosen a time zone has its midnight, whatever the browser says', () => {
  const noon = new Date('2026-11-22T12:00:00Z');
  const chats = [{ updated_at: '2026-11-21T16:00:00Z' }, { updated_at: '2025-12-31T16:00:00Z' }];
  const headings = (zone: string) => groupByDay(chats, noon, zone).map(({ heading }) => heading);
  expect(headings('Asia/Tokyo')).toEqual(['Today', 'January']);
  expect(headings('America/New_York')).toEqual(['Yesterday', 'December 2025']);
  expect(groupByDay(chats, noon, 'Mars/Olympus')).toHaveLength(2);
});
