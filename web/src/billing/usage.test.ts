import { describe, expect, test } from 'vitest';
import type { Coach } from '../coaches/coach.ts';
import { arrangeUsage, dateIn, evenTop, type UsageDay } from './usage.ts';

const coach = (slug: string, name: string) => ({ slug, name }) as Coach;
const coaches = [coach('carousel', 'Carousel coach'), coach('storyteller', 'Storyteller')];
const row = (day: string, assistant_slug: string | null, used: Partial<UsageDay> = {}): UsageDay => ({
  ...{ day, assistant_slug, messages: 0, credits: 0, files: 0, tokens: 0 },
  ...used,
});
const arrange = (rows: UsageDay[], change: Partial<Parameters<typeof arrangeUsage>[1]> = {}) =>
  arrangeUsage(rows, { measure: 'messages', count: 30, today: '2026-03-30', coaches, ...change });

test('every day stands in the chart, also over a change of clocks and 29 February', () => {
  const { days } = arrange([], { count: 3 });
  expect(days.map(({ day }) => day)).toEqual(['2026-03-28', '2026-03-29', '2026-03-30']);
  const leap = arrange([], { count: 3, today: '2028-03-01' });
  expect(leap.days.map(({ day }) => day)).toEqual(['2028-02-28', '2028-02-29', '2028-03-01']);
  expect(arrange([], { count: 90 }).days).toHaveLength(90);
});

test('bars are stacked in the coaches’ own order; what is gone comes after them, by a name', () => {
  const rows = [
    row('2026-03-30', 'video_scripts', { messages: 4 }),
    row('2026-03-30', 'storyteller', { messages: 2, credits: 1 }),
    row('2026-03-30', 'carousel', { messages: 1, credits: 1 }),
    row('2026-03-29', 'carousel', { messages: 5 }),
    row('2026-03-30', 'a-former-one', { messages: 3 }),
  ];
  const { series, total, days } = arrange(rows);
  expect(series.map(({ name, total }) => [name, total])).toEqual([
    ['Carousel coach', 6],
    ['Storyteller', 2],
    ['A former one (no longer here)', 3],
    ['Video scripts (no longer here)', 4],
  ]);
  expect(series.map(({ spare }) => spare)).toEqual([0, 0, 0, 1]);
  expect(total).toBe(15);
  expect(days.at(-1)).toMatchObject({ total: 10, credits: 2 });
  expect(days.at(-1)?.parts.map(({ amount }) => amount)).toEqual([1, 2, 3, 4]);
});

test('each measure has its own coaches; files have none', () => {
  const rows = [
    row('2026-03-30', 'carousel', { messages: 1, tokens: 900 }),
    row('2026-03-30', null, { files: 2 }),
  ];
  expect(arrange(rows, { measure: 'files' }).series.map(({ name, total }) => [name, total])).toEqual([
    ['Files', 2],
  ]);
  const words = arrange(rows, { measure: 'tokens' });
  expect(words.series.map(({ name }) => name)).toEqual(['Carousel coach']);
  // 600 words, which is where their scale ends.
  expect(words.top).toBe(900);
});

test('nothing used is nothing drawn', () => {
  expect(arrange([])).toMatchObject({ series: [], total: 0, top: 2 });
  // What an earlier range brought is not shown while the shorter one is on its way.
  expect(arrange([row('2026-01-02', 'carousel', { messages: 9 })]).total).toBe(0);
});

test('a day that has just begun at the server is the last one', () => {
  const { days } = arrange([row('2026-03-31', 'carousel', { messages: 1 })], { count: 2 });
  expect(days.map(({ day, total }) => [day, total])).toEqual([
    ['2026-03-30', 0],
    ['2026-03-31', 1],
  ]);
});

test.each([
  [0, 2],
  [1, 2],
  [2, 2],
  [3, 4],
  [7, 8],
  [9, 10],
  [12, 12],
  [13, 16],
  [81, 100],
  [5_000, 5_000],
  [5_001, 6_000],
])('a scale for %i ends at %i', (highest, top) => {
  expect(evenTop(highest)).toBe(top);
});

describe('which day it is', () => {
  test.each([
    ['2026-03-29T00:30:00Z', 'Europe/Berlin', '2026-03-29'],
    ['2026-03-28T23:30:00Z', 'Europe/Berlin', '2026-03-29'],
    ['2026-11-01T03:59:00Z', 'America/New_York', '2026-10-31'],
    ['2028-02-28T15:00:00Z', 'Asia/Tokyo', '2028-02-29'],
    ['2026-12-31T10:00:00Z', 'Pacific/Kiritimati', '2027-01-01'],
  ])('at %s in %s it is %s', (at, time_zone, date) => {
    expect(dateIn(time_zone, new Date(at))).toBe(date);
  });
});
