import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { Coach } from '../coaches/coach.ts';
import type { Api } from '../platform/api.ts';
import { words_a_token } from './plan-words.ts';

/** What was used on one day with one coach. Days without anything are not there. */
export type UsageDay = {
  /** A date of the member's calendar, `2026-11-22`. */
  day: string;
  /** Null: what has no coach, as files. */
  assistant_slug: string | null;
  messages: number;
  /** Of those messages, bought ones. */
  credits: number;
  files: number;
  tokens: number;
};

export type Measure = 'messages' | 'tokens' | 'files';

/**
 * Who used something: a coach, one that is no longer here, or nobody (files). `total`: of the chosen measure. `spare`:
 * which of the spare colours it has where there is no coach, from 0.
 */
export type Series = { key: string; name: string; coach: Coach | undefined; spare: number; total: number };

/** One day of the chart; `parts` stand in the order of the series, without empty ones. */
export type ChartDay = {
  day: string;
  total: number;
  credits: number;
  parts: { series: Series; amount: number }[];
};

export type UsageChart = {
  days: ChartDay[];
  series: Series[];
  total: number;
  /** Where the scale ends: at or above the highest day, and even. */
  top: number;
};

/** The last `days` days, by day and coach, as they are counted in a time zone. */
export const usageQuery = (api: Api, days: number, time_zone: string) =>
  queryOptions({
    queryKey: ['usage', days, time_zone],
    queryFn: async ({ signal }) => {
      const query = new URLSearchParams({ days: String(days), time_zone });
      return (await api.get<{ days: UsageDay[] }>(`/api/billing/usage?${query}`, signal)).days;
    },
    placeholderData: keepPreviousData,
  });

/** Arranges what the server answered for the last `count` days up to `today`, all of them, the latest last. */
export function arrangeUsage(
  rows: UsageDay[],
  { measure, count, today, coaches }: { measure: Measure; count: number; today: string; coaches: Coach[] },
): UsageChart {
  // The server's clock may have passed midnight a moment before this machine's.
  const last = rows.reduce((latest, { day }) => (day > latest ? day : latest), today);
  const days = lastDays(last, count);
  const shown = rows.filter((row) => row.day >= days[0]! && row[measure] > 0);
  const series = seriesOf(shown, measure, coaches);
  const chart_days = days.map((day) => {
    const of_day = shown.filter((row) => row.day === day);
    const parts = series.flatMap((one) => {
      const amount = sum(of_day.filter((row) => keyOf(row) === one.key).map((row) => row[measure]));
      return amount > 0 ? [{ series: one, amount }] : [];
    });
    const credits = measure === 'messages' ? sum(of_day.map((row) => row.credits)) : 0;
    return { day, total: sum(parts.map(({ amount }) => amount)), credits, parts };
  });
  const highest = Math.max(0, ...chart_days.map(({ total }) => total));
  // Tokens are shown as words, so it is these that are to be round.
  const top = measure === 'tokens' ? evenTop(highest * words_a_token) / words_a_token : evenTop(highest);
  return { days: chart_days, series, total: sum(series.map(({ total }) => total)), top };
}

/** Coaches in their own order, then those that are no longer here by name, then what has no coach. */
function seriesOf(rows: UsageDay[], measure: Measure, coaches: Coach[]): Series[] {
  const totals = new Map<string, number>();
  for (const row of rows) totals.set(keyOf(row), (totals.get(keyOf(row)) ?? 0) + row[measure]);
  const place = (key: string) => {
    const position = coaches.findIndex(({ slug }) => slug === key);
    return key === no_coach ? coaches.length + 1 : position === -1 ? coaches.length : position;
  };
  let spare = 0;
  return [...totals]
    .sort(([a], [b]) => place(a) - place(b) || a.localeCompare(b))
    .map(([key, total]) => {
      const coach = coaches.find(({ slug }) => slug === key);
      return { key, name: coach?.name ?? nameOfGone(key), coach, spare: coach ? 0 : spare++, total };
    });
}

const no_coach = '';
const keyOf = ({ assistant_slug }: UsageDay) => assistant_slug ?? no_coach;

/** What a row is called whose coach is not listed any more: `Video scripts (no longer here)`. */
export function nameOfGone(slug: string) {
  if (slug === no_coach) return 'Files';
  const words = slug.replaceAll(/[_-]+/g, ' ').trim();
  return `${words.charAt(0).toUpperCase()}${words.slice(1)} (no longer here)`;
}

/** `count` dates of the calendar, the last one `last`. */
function lastDays(last: string, count: number) {
  const end = Date.parse(`${last}T00:00:00Z`);
  return Array.from({ length: count }, (_, position) => {
    const day = new Date(end - (count - 1 - position) * 86_400_000);
    return day.toISOString().slice(0, 10);
  });
}

const steps = [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8];

/** Where a scale ends that reaches `highest`: a round number whose half is whole too. */
export function evenTop(highest: number) {
  for (let unit = 1; ; unit *= 10) {
    const top = steps.map((step) => step * unit).find((value) => value >= highest && value % 2 === 0);
    if (top !== undefined) return top;
  }
}

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);

/** Which date of the calendar it is somewhere, `2026-11-22`. */
export function dateIn(time_zone: string, at: Date) {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone: time_zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(at);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? '';
  return `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`;
}

/** The zone that the member's dates are written in, by a name that the server knows too. */
export function knownTimeZone(chosen: string | null) {
  for (const zone of [chosen, new Intl.DateTimeFormat().resolvedOptions().timeZone]) {
    if (zone && zone !== 'Etc/Unknown' && isKnown(zone)) return zone;
  }
  return 'UTC';
}

function isKnown(time_zone: string) {
  try {
    new Intl.DateTimeFormat('en', { timeZone: time_zone });
    return true;
  } catch {
    return false;
  }
}
