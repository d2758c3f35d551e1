import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Mark } from '../platform/mark.tsx';
import { OfflineNotice } from '../platform/offline-notice.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { PracticeLine } from '../platform/practice-line.tsx';
import { useFocusOnArrival } from '../platform/use-focus-on-arrival.ts';

/** The page around signing in and signing up. */
export function SignInFrame({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  const { config } = usePlatform();
  const heading = useFocusOnArrival<HTMLHeadingElement>(title);
  return (
    <div className="flex min-h-full flex-col">
      <title>{`${title} · Touchline`}</title>
      <OfflineNotice>Signing in works again when you are back.</OfflineNotice>
      <main id="content" className="mx-auto flex w-full max-w-form flex-1 flex-col justify-center px-5 py-10">
        <p className="mb-10 flex items-center gap-2.5 font-display text-lead">
          <Mark className="size-9" />
          Touchline
        </p>
        <h1 ref={heading} tabIndex={-1} className="font-display text-title">
          {title}
        </h1>
        <p className="mt-1.5 mb-4 text-muted">{lead}</p>
        {children}
        {config.outbox && (
          <p className="mt-6 text-small text-muted">
            No mail is sent from here: it lands in the{' '}
            <Link to="/outbox" className="text-link underline">
              outbox
            </Link>
            .
          </p>
        )}
      </main>
      <PracticeLine />
    </div>
  );
}
