import { useEffect, useRef, useState } from 'react';
import { Button } from '../../platform/button.tsx';
import { useAuth } from '../auth-context.ts';
import { authErrorSentence } from '../auth-errors.ts';
import type { Me } from '../me.ts';
import { OutboxLink } from '../send-again-button.tsx';
import { Done, Problem } from './fields.tsx';

type MailPasswordLinkProps = {
  me: Me;
  action: string;
  /** It takes the focus when it appears, because what was pressed for it went away. */
  autoFocus?: boolean;
};

/** Mails the link with which a password is set without the one before. */
export function MailPasswordLink({ me, action, autoFocus = false }: MailPasswordLinkProps) {
  const { auth } = useAuth();
  const [state, setState] = useState<'idle' | 'sending' | 'sent'>('idle');
  const [problem, setProblem] = useState<string | null>(null);

  const send = async () => {
    if (state === 'sending') return;
    setState('sending');
    setProblem(null);
    const redirectTo = `${location.origin}/reset-password`;
    const { error } = await auth.client.resetPasswordForEmail(me.email, { redirectTo });
    setState(error ? 'idle' : 'sent');
    if (error) setProblem(authErrorSentence(error));
  };

  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (autoFocus) button.current?.focus();
  }, [autoFocus]);

  return (
    <div className="flex flex-col items-start gap-3">
      <Button ref={button} aria-disabled={state === 'sending'} onClick={() => void send()}>
        {state === 'sending' ? 'Sending' : action}
      </Button>
      <Done>
        {state === 'sent' && (
          <>
            A link is on its way to {me.email}. Open it to set your password. <OutboxLink />
          </>
        )}
      </Done>
      <Problem>{problem}</Problem>
    </div>
  );
}
