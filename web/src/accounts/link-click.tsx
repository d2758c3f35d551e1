import type { ReactNode } from 'react';
import { Button } from '../platform/button.tsx';
import { Problem } from '../platform/fields.tsx';
import { SignInFrame } from './sign-in-frame.tsx';

/** What a link from a mail does once its one button is clicked: programs that look into mails open links, too. */
export function LinkClick({
  title,
  lead,
  label,
  busy_label,
  busy,
  problem,
  onClick,
  children,
}: {
  title: string;
  lead: string;
  label: string;
  busy_label: string;
  busy: boolean;
  problem: string | null;
  onClick: () => Promise<void>;
  /** What stands below the button. */
  children?: ReactNode;
}) {
  return (
    <SignInFrame title={title} lead={lead} mails={false}>
      <div className="flex flex-col gap-4">
        <Problem>{problem}</Problem>
        <Button
          look="primary"
          autoFocus
          aria-disabled={busy}
          onClick={() => void onClick()}
          className="min-h-11"
        >
          {busy ? busy_label : label}
        </Button>
        {children}
      </div>
    </SignInFrame>
  );
}
