import { expect, test } from 'vitest';
import { createFormats } from './formats.ts';

const at = '2026-11-22T23:40:00Z';

test('dates and times are written in the language and the time zone that were chosen', () => {
  const german = createFormats('de-DE', 'Asia/Tokyo');
  expect(german.date(at)).toBe('23. November 2026');
  expect(german.moment(at)).toContain('08:40');
  expect(german.time(at)).toBe('08:40');
  expect(german.number(12_345.5)).toBe('12.345,5');
  expect(createFormats('en-GB', 'America/New_York').moment(at)).toBe('22 November 2026 at 18:40');
});

test('what comes within the year is written without it', () => {
  expect(createFormats('en-GB', 'UTC').dayAndTime('2026-12-03T09:12:00Z')).toBe('3 December at 09:12');
  expect(createFormats('en-US', 'UTC').dayAndTime('2026-12-03T09:12:00Z')).toMatch(
    /^December 3 at 9:12\sAM$/,
  );
  expect(createFormats('en-GB', 'Asia/Tokyo').weekday('2026-12-03')).toBe('Thursday 3 December');
});

test('a day without a time is the same day everywhere', () => {
  for (const zone of ['Pacific/Pago_Pago', 'Pacific/Kiritimati']) {
    expect(createFormats('en-GB', zone).date('2026-12-22')).toBe('22 December 2026');
  }
});

test('a language or a time zone that this browser does not know is no error', () => {
  expect(createFormats('xx-not_a_tag', 'Mars/Olympus').date(at)).toMatch(/2026/);
});

test('sizes are short', () => {
  const { size } = createFormats('en', null);
  expect([1, 48_400, 999_600, 3_240_000, 52_000_000].map(size)).toEqual([
    '1 kB',
    '48 kB',
    '1 MB',
    '3.2 MB',
    '52 MB',
  ]);
});

test('money is written in the smallest unit that Stripe counts each currency in', () => {
  const { money } = createFormats('en-US', null);
  expect(money(1900, 'usd')).toBe('$19');
  expect(money(1250, 'usd')).toBe('$12.50');
  expect(money(1250, 'jpy')).toBe('¥1,250');
  // Two digits at Stripe, none in daily life.
  expect(money(120_000, 'isk')).toContain('1,200');
  expect(money(12_345, 'kwd')).toContain('12.345');
  expect(createFormats('de-DE', null).money(1250, 'eur')).toBe('12,50\u00a0€');
});
