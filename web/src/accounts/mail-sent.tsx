import type { ReactNode } from 'react';
import { Button } from '../platform/button.tsx';
import { SignInFrame } from './sign-in-frame.tsx';

/** After a link was asked for. It does not tell whether the address has an account. */
export function MailSent({
  email,
  what,
  onBack,
  children,
}: {
  email: string;
  what: string;
  onBack: () => void;
  children?: ReactNode;
}) {
  return (
    <SignInFrame
      title="Look into your inbox"
      lead={
        <>
          If <span className="break-words text-ink">{email}</span> has an account here, a link to {what} is on
          its way.
        </>
      }
    >
      <p>The link works once, for an hour. It can take a minute to come; look into spam too.</p>
      <div className="mt-5 flex flex-wrap items-center gap-x-4 gap-y-3">
        <Button onClick={onBack}>Use another address, or send it again</Button>
      </div>
      {children && <p className="mt-5 text-muted">{children}</p>}
    </SignInFrame>
  );
}
