import { useMemo } from 'react';
import { useMe } from './me.ts';

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
    number: (value: number) => new Intl.NumberFormat(locale).format(value),
    /** `48 kB`, `3.2 MB` */
    size(size_bytes: number) {
      const [unit, divisor] =
        size_bytes < 999_500 ? (['kilobyte', 1e3] as const) : (['megabyte', 1e6] as const);
      const value = size_bytes / divisor;
      const maximumFractionDigits = unit === 'megabyte' && value < 10 ? 1 : 0;
      const style = { style: 'unit', unit, maximumFractionDigits } as const;
      return new Intl.NumberFormat(locale, style).format(unit === 'kilobyte' ? Math.max(1, value) : value);
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
