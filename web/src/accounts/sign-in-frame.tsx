import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Mark } from '../platform/mark.tsx';
import { OfflineNotice } from '../platform/offline-notice.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { PracticeLine } from '../platform/practice-line.tsx';
import { useFocusOnArrival } from '../platform/use-focus-on-arrival.ts';

type SignInFrameProps = {
  title: string;
  lead: ReactNode;
  children: ReactNode;
  /** Whether a mail is waited for here, so that where it lands is said. */
  mails?: boolean;
};

/** The page around everything that is done before one is signed in, or by a link from a mail. */
export function SignInFrame({ title, lead, children, mails = true }: SignInFrameProps) {
  const { config } = usePlatform();
  const heading = useFocusOnArrival<HTMLHeadingElement>(title);
  return (
    <div className="flex min-h-full flex-col">
      <title>{`${title} · Touchline`}</title>
      <OfflineNotice>Signing in works again when you are back.</OfflineNotice>
      {/* From a fixed height on: what comes in below, such as a provider's button, moves nothing that is there. */}
      <main
        id="content"
        className="mx-auto flex w-full max-w-form flex-1 flex-col px-5 pt-10 pb-10 sm:pt-[max(2.5rem,14vh)]"
      >
        <p className="mb-10 flex items-center gap-2.5 font-display text-lead">
          <Mark className="size-9" />
          Touchline
        </p>
        <h1 ref={heading} tabIndex={-1} className="font-display text-title">
          {title}
        </h1>
        <p className="mt-1.5 mb-5 text-muted">{lead}</p>
        {children}
        {config.outbox && mails && (
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
