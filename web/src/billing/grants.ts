import { queryOptions } from '@tanstack/react-query';
import type { Api } from '../platform/api.ts';

/** A plan that an operator gave a member until a moment. */
export type Grant = {
  id: string;
  email: string | null;
  plan: string;
  until: string;
  /** For operators. */
  note: string;
  revoked_at: string | null;
  created_at: string;
};

/** As many as the server lists. */
export const listed_grants = 200;

/** Only operators may ask. */
export const grantsQuery = (api: Api) =>
  queryOptions({
    queryKey: ['grants'],
    queryFn: async ({ signal }) => (await api.get<{ grants: Grant[] }>('/api/admin/grants', signal)).grants,
    refetchInterval: 60_000,
  });

/** Whether a grant goes on, has run out, or was ended by an operator. */
export function stateOfGrant({ until, revoked_at }: Pick<Grant, 'until' | 'revoked_at'>, now_ms: number) {
  if (revoked_at !== null) return 'taken_back' as const;
  return Date.parse(until) <= now_ms ? ('ended' as const) : ('running' as const);
}

/**
 * The moment at which a date of the calendar, `2026-12-07`, is over in a time zone. Null: it is no date. Where the clocks
 * skip midnight, the hour that comes in its place.
 */
export function endOfDay(date: string, time_zone: string): Date | null {
  const begins_ms = /^\d{4}-\d\d-\d\d$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(begins_ms)) return null;
  const wall_ms = begins_ms + 86_400_000;
  // What the clocks are ahead by is known of a moment only, so the second look is at the right one.
  const near_ms = wall_ms - aheadBy(time_zone, wall_ms);
  const found_ms = wall_ms - aheadBy(time_zone, near_ms);
  const is_there = found_ms + aheadBy(time_zone, found_ms) === wall_ms;
  return new Date(is_there ? found_ms : Math.max(near_ms, found_ms));
}

/** By how many milliseconds the clocks of a zone are ahead of UTC at a moment. */
function aheadBy(time_zone: string, at_ms: number) {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone: time_zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at_ms);
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value);
  const shown_ms = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  );
  return shown_ms - Math.floor(at_ms / 1000) * 1000;
}
