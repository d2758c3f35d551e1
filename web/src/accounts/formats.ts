import { useMemo } from 'react';
import { useMe } from './me.ts';

/** How many digits Stripe has after the point; two, where nothing is said (https://docs.stripe.com/currencies). */
const currency_digits: Record<string, number> = Object.fromEntries([
  ...'bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' ').map((code) => [code, 0]),
  ...'bhd jod kwd omr tnd'.split(' ').map((code) => [code, 3]),
]);

export type Formats = ReturnType<typeof createFormats>;

/**
 * How dates, times and numbers are written. Null: as the browser does. What this browser does not know (a language or
 * a time zone chosen in another one) is written as the browser does too.
 */
export function createFormats(language: string | null, time_zone: string | null) {
  const locale = known(() => new Intl.DateTimeFormat(language ?? undefined).resolvedOptions().locale);
  const timeZone = known(
    () => new Intl.DateTimeFormat('en', { timeZone: time_zone ?? undefined }).resolvedOptions().timeZone,
  );
  // As `timeStyle` does it, which cannot stand beside a day without its year: 09:12, or 9:12 AM.
  const { hour12 } = new Intl.DateTimeFormat(locale, { hour: 'numeric' }).resolvedOptions();
  const hour = hour12 ? 'numeric' : '2-digit';
  const write = (at: string | Date, options: Intl.DateTimeFormatOptions) => {
    // A date without a time is the same everywhere.
    const is_day = typeof at === 'string' && /^\d{4}-\d\d-\d\d$/.test(at);
    const zone = is_day ? 'UTC' : timeZone;
    return new Intl.DateTimeFormat(locale, { ...options, timeZone: zone }).format(new Date(at));
  };
  return {
    /** `22 November 2026` */
    date: (at: string | Date) => write(at, { dateStyle: 'long' }),
    /** `22 November 2026 at 23:40` */
    moment: (at: string | Date) => write(at, { dateStyle: 'long', timeStyle: 'short' }),
    /** `23:40` */
    time: (at: string | Date) => write(at, { timeStyle: 'short' }),
    /** `3 December at 09:12`: for what comes within the year. */
    dayAndTime: (at: string | Date) => write(at, { day: 'numeric', month: 'long', hour, minute: '2-digit' }),
    /** `3 Dec` */
    shortDay: (at: string | Date) => write(at, { day: 'numeric', month: 'short' }),
    /** `Thursday 3 December` */
    weekday: (at: string | Date) => write(at, { weekday: 'long', day: 'numeric', month: 'long' }),
    number: (value: number) => new Intl.NumberFormat(locale).format(value),
    /** `$19`, `$12.50`. `amount_minor`: in the smallest unit of the currency, as Stripe counts it. */
    money(amount_minor: number, currency: string) {
      const digits = currency_digits[currency.toLowerCase()] ?? 2;
      const value = amount_minor / 10 ** digits;
      return new Intl.NumberFormat(locale, {
        style: 'currency',
        currency,
        minimumFractionDigits: Number.isInteger(value) ? 0 : digits,
        maximumFractionDigits: digits,
      }).format(value);
    },
    /** `5K`, `1.2M`: where room is short. */
    shortNumber: (value: number) =>
      new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 }).format(value),
    /** `7%` */
    percent: (share: number) =>
      new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 }).format(share),
    /** `48 kB`, `3.2 MB` */
    size(size_bytes: number) {
      const [unit, divisor] =
        size_bytes < 999_500 ? (['kilobyte', 1e3] as const) : (['megabyte', 1e6] as const);
      const value = size_bytes / divisor;
      const maximumFractionDigits = unit === 'megabyte' && value < 10 ? 1 : 0;
      const style = { style: 'unit', unit, maximumFractionDigits } as const;
      return new Intl.NumberFormat(locale, style).format(
        unit === 'kilobyte' ? Math.max(size_bytes > 0 ? 1 : 0, value) : value,
      );
    },
  };
}

/** How this member wants dates, times and numbers written. */
export function useFormats() {
  const { data: me } = useMe();
  const { language = null, time_zone = null } = me ?? {};
  return useMemo(() => createFormats(language, time_zone), [language, time_zone]);
}

function known<Value>(find: () => Value) {
  try {
    return find();
  } catch {
    return undefined;
  }
}
