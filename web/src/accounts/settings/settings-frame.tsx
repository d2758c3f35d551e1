import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { type ReactNode, useEffect, useId, useRef } from 'react';
import { sentenceFor } from '../../platform/api-error.ts';
import { Button } from '../../platform/button.tsx';
import { ScrollRegion } from '../../platform/scroll-region.tsx';
import { Skeleton } from '../../platform/skeleton.tsx';
import { useFocusOnArrival } from '../../platform/use-focus-on-arrival.ts';
import { type Me, useMe } from '../me.ts';

const pages = [
  ['/settings/profile', 'Profile'],
  ['/settings/sign-in', 'Sign-in'],
  ['/settings/plan', 'Plan'],
  ['/settings/usage', 'Usage'],
  ['/settings/data', 'Your data'],
] as const;

const operator_pages = [['/settings/grants', 'Grants']] as const;

/** The frame around the pages on which a member arranges the own account. */
export function SettingsFrame() {
  const { data: me } = useMe();
  const nav = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  // Where not all of them have room side by side, the present one is in view.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page, or one more, means another place.
  useEffect(() => {
    nav.current?.querySelector('[aria-current=page]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [pathname, me?.role]);
  const shown = me?.role === 'operator' ? [...pages, ...operator_pages] : pages;
  return (
    <ScrollRegion name="Settings" className="min-h-0 flex-1 overflow-y-auto">
      <div className="mx-auto w-full max-w-[calc(var(--container-column)+2.5rem)] px-5 pt-6 pb-16 sm:pt-10">
        <nav
          ref={nav}
          aria-label="Settings"
          className="flex gap-1 overflow-x-auto shadow-[inset_0_-1px_0_var(--color-line)]"
        >
          {shown.map(([to, name]) => (
            <Link
              key={to}
              to={to}
              className="flex min-h-11 items-center rounded-t-md -outline-offset-2 border-b-2 border-transparent px-3 whitespace-nowrap text-muted hover:text-ink aria-[current=page]:border-link aria-[current=page]:font-medium aria-[current=page]:text-ink"
            >
              {name}
            </Link>
          ))}
        </nav>
        <Outlet />
      </div>
    </ScrollRegion>
  );
}

/** One page of the settings, with the member it is about. */
export function SettingsPage({
  title,
  lead,
  children,
}: {
  title: string;
  lead: string;
  children: (me: Me) => ReactNode;
}) {
  const heading = useFocusOnArrival<HTMLHeadingElement>(`settings-${title}`);
  const { data: me, error, refetch } = useMe();
  return (
    <>
      <title>{`${title} · Touchline`}</title>
      <h1 ref={heading} tabIndex={-1} className="mt-8 font-display text-display">
        {title}
      </h1>
      <p className="mt-1.5 mb-8 text-muted">{lead}</p>
      {me !== undefined && children(me)}
      {me === undefined && error === null && (
        <Skeleton name="Loading your account" widths={['w-1/3', 'w-full', 'w-1/4', 'w-full']} />
      )}
      {me === undefined && error !== null && (
        <div role="alert" className="flex flex-col items-start gap-3">
          <p>{sentenceFor(error)}</p>
          <Button onClick={() => refetch()}>Try again</Button>
        </div>
      )}
    </>
  );
}

/** A part of such a page, under its own heading. */
export function SettingsSection({ title, children }: { title: string; children: ReactNode }) {
  const id = useId();
  return (
    <section
      aria-labelledby={id}
      className="border-t border-line py-8 first-of-type:border-t-0 first-of-type:pt-0"
    >
      <h2 id={id} className="text-lead font-semibold">
        {title}
      </h2>
      {children}
    </section>
  );
}
