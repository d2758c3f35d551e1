import { useEffect, useRef, useState } from 'react';
import { Button } from '../../platform/button.tsx';
import { Done, Problem } from '../../platform/fields.tsx';
import { useAuth } from '../auth-context.ts';
import { useCaptcha } from '../captcha.tsx';
import { keepReturn } from '../kept-return.ts';
import type { Me } from '../me.ts';
import { OutboxLink } from '../send-again-button.tsx';

type MailPasswordLinkProps = {
  me: Me;
  action: string;
  /** It takes the focus when it appears, because what was pressed for it went away. */
  autoFocus?: boolean;
};

/** Mails the link with which a password is set without the one before. */
export function MailPasswordLink({ me, action, autoFocus = false }: MailPasswordLinkProps) {
  const { auth } = useAuth();
  const captcha = useCaptcha();
  const [state, setState] = useState<'idle' | 'sending' | 'sent'>('idle');
  const [problem, setProblem] = useState<string | null>(null);

  const send = async () => {
    if (state === 'sending') return;
    if (!captcha.isDone())
      return setProblem('Do the check that you are a person first. It is above the button.');
    setState('sending');
    setProblem(null);
    keepReturn('/settings/sign-in');
    const options = { ...captcha.take(), redirectTo: `${location.origin}/reset-password` };
    const { error } = await auth.client.resetPasswordForEmail(me.email, options);
    setState(error ? 'idle' : 'sent');
    if (error) setProblem(auth.sentenceFor(error));
  };

  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (autoFocus) button.current?.focus();
  }, [autoFocus]);

  return (
    <div className="flex flex-col items-start gap-3">
      {captcha.box}
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
