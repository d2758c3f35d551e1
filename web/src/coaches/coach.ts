import { queryOptions, useQuery } from '@tanstack/react-query';
import type { CSSProperties } from 'react';
import type { Api } from '../platform/api.ts';
import { usePlatform } from '../platform/platform-context.ts';

export type Coach = {
  slug: string;
  name: string;
  tagline: string;
  description: string;
  /** `#rrggbb` on light, and on dark paper. */
  accent: string;
  accent_dark: string;
  /** Whose members may work with it, and what these plans are called, the smallest first. */
  plans: string[];
  plan_titles: string[];
  /** First messages that a member may send as they are. */
  starters: string[];
  /** Titles of the steps, in order. */
  steps: string[];
  /** Title of the finished work. */
  deliverable: string;
};

const coachesQuery = (api: Api) =>
  queryOptions({
    queryKey: ['coaches'],
    queryFn: async ({ signal }) => (await api.get<{ coaches: Coach[] }>('/api/coaches', signal)).coaches,
    staleTime: 10 * 60_000,
  });

/** Every coach, in the order in which the server lists them. */
export function useCoaches() {
  return useQuery(coachesQuery(usePlatform().api));
}

/** One coach; undefined while loading and for a coach that is gone (its old chats remain). */
export function useCoach(slug: string | undefined) {
  return useCoaches().data?.find((coach) => coach.slug === slug);
}

/** Hands a coach's accents to the class `coach-accent`; without a coach the accent is the muted ink. */
export function accentStyle(coach: Coach | undefined): CSSProperties {
  return {
    '--accent-light': coach?.accent ?? 'var(--color-muted)',
    '--accent-dark': coach?.accent_dark ?? 'var(--color-muted)',
  } as CSSProperties;
}
