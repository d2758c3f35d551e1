import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useAuth } from './auth-context.ts';
import { LinkClick } from './link-click.tsx';
import { button_link_look, LinkProblem } from './link-problem.tsx';
import { SignInFrame } from './sign-in-frame.tsx';
import { useLink } from './use-link.ts';
import { useProfileNews } from './use-profile-news.ts';

/** Confirms a change of address from one of the two mailboxes, once it is clicked. */
export function ConfirmEmailPage() {
  const { auth } = useAuth();
  const tellOfProfile = useProfileNews();
  const link = useLink('/confirm-email', 'email_change');
  // By the mails of Supabase's own the link has done its work before it leads here.
  const [state, setState] = useState<'idle' | 'busy' | 'half' | 'done'>(
    link.arrived?.token_hash ? 'idle' : link.arrived?.message ? 'half' : link.arrived?.code ? 'done' : 'idle',
  );
  const [new_email, setNewEmail] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);

  const confirm = async () => {
    if (state === 'busy') return;
    setState('busy');
    setProblem(null);
    const { user, problem } = await link.open();
    setProblem(problem);
    if (problem !== null) return setState('idle');
    // Only when both have confirmed does the answer say whose address it is.
    setNewEmail(user?.email ?? null);
    setState(user?.id ? 'done' : 'half');
    if (!user?.id) return;
    // The token still says the address of before.
    if ((await auth.currentSession()) !== null) await auth.tokens.refresh();
    tellOfProfile();
  };

  if (state === 'half') {
    return (
      <SignInFrame
        title="One of two is confirmed"
        lead="Now open the link in the other mailbox. Your address changes when both have said yes; until then you sign in as before."
      >
        <ToTheApp />
      </SignInFrame>
    );
  }
  if (state === 'done') {
    return (
      <SignInFrame
        title="Your new address holds"
        lead={
          new_email === null ? (
            'From now on you sign in with your new address. Your password stays as it is.'
          ) : (
            <>
              From now on you sign in with <span className="break-words text-ink">{new_email}</span>. Your
              password stays as it is.
            </>
          )
        }
        mails={false}
      >
        <ToTheApp />
      </SignInFrame>
    );
  }
  if (link.state !== 'ready') {
    return (
      <LinkProblem state={link.state} reason={link.reason}>
        <p className="mb-5">If your address should still change, ask for it once more in your settings.</p>
        <p>
          <Link to="/settings/sign-in" className={button_link_look}>
            Open your settings
          </Link>
        </p>
      </LinkProblem>
    );
  }
  return (
    <LinkClick
      title="Confirm the change of address"
      lead="Your account gets a new email address when both mailboxes, the old one and the new one, have confirmed it."
      label="Confirm the change"
      busy_label="Confirming"
      busy={state === 'busy'}
      problem={problem}
      onClick={confirm}
    >
      <p className="text-muted">You did not ask for it? Close this page, and everything stays as it is.</p>
    </LinkClick>
  );
}

function ToTheApp() {
  return (
    <p>
      <a href="/" className={button_link_look}>
        Go to your coaches
      </a>
    </p>
  );
}
