import type { ReactNode } from 'react';
import { expired_link_sentence } from './auth-errors.ts';
import { SignInFrame } from './sign-in-frame.tsx';

/** A link that does not work, and the way to one that does (`children`). */
export function LinkProblem({
  state,
  reason = null,
  children,
}: {
  state: 'spent' | 'missing';
  reason?: string | null;
  children: ReactNode;
}) {
  return state === 'spent' ? (
    <SignInFrame
      title="This link does not work any more"
      lead={reason ?? expired_link_sentence}
      mails={false}
    >
      {children}
    </SignInFrame>
  ) : (
    <SignInFrame
      title="The link is missing"
      lead="This page works with a link from a mail. Open it in the mail again, or copy all of it. If you have loaded this page anew, the link itself is still good."
      mails={false}
    >
      {children}
    </SignInFrame>
  );
}

/** A link that looks like the main button of a page. */
export const button_link_look =
  'inline-flex min-h-11 items-center justify-center rounded-md bg-pitch px-4 font-medium text-chalk transition-colors hover:bg-pitch-strong';
