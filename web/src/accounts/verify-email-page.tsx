import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiError, sentenceFor } from '../platform/api-error.ts';
import { Done, Problem } from '../platform/fields.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { useAuth } from './auth-context.ts';
import { LinkClick } from './link-click.tsx';
import { button_link_look, LinkProblem } from './link-problem.tsx';
import { SendAgainButton } from './send-again-button.tsx';
import { SignInFrame } from './sign-in-frame.tsx';
import { useEmailVerification } from './use-email-verification.ts';
import { useProfileNews } from './use-profile-news.ts';

type State = 'ready' | 'busy' | 'confirmed' | 'already_confirmed' | 'spent' | 'missing';

/** Confirms an address by a link from a mail, signed in or not, once it is clicked. */
export function VerifyEmailPage() {
  const { api } = usePlatform();
  const { auth } = useAuth();
  const tellOfProfile = useProfileNews();
  const token = auth.arrived?.path === '/verify-email' ? auth.arrived.token : null;
  const [state, setState] = useState<State>(token === null ? 'missing' : 'ready');
  const [problem, setProblem] = useState<string | null>(null);
  const { data: signed_in } = useQuery({
    queryKey: ['signed-in'],
    queryFn: async () => (await auth.currentSession()) !== null,
    staleTime: 0,
  });

  const confirm = async () => {
    if (state === 'busy') return;
    setState('busy');
    setProblem(null);
    try {
      const { status } = await api.post<{ status: 'confirmed' | 'already_confirmed' }>(
        '/api/email-verification',
        { token },
      );
      setState(status);
      tellOfProfile();
    } catch (error) {
      const spent = error instanceof ApiError && error.code === 'link_expired';
      setState(spent ? 'spent' : 'ready');
      setProblem(spent ? null : sentenceFor(error));
    }
  };

  if (state === 'spent' || state === 'missing') {
    return <LinkProblem state={state}>{signed_in ? <AskAgain /> : <SignInFirst />}</LinkProblem>;
  }
  if (state === 'confirmed' || state === 'already_confirmed') {
    return (
      <SignInFrame
        title={state === 'confirmed' ? 'Your email is confirmed' : 'Your email was confirmed before'}
        lead={
          state === 'confirmed'
            ? 'Thank you. You can write to your coaches as much as your plan allows.'
            : 'There is nothing left to do with this link.'
        }
        mails={false}
      >
        <p>
          <Link to={signed_in ? '/' : '/sign-in'} className={button_link_look}>
            {signed_in ? 'Go to your coaches' : 'Sign in'}
          </Link>
        </p>
      </SignInFrame>
    );
  }
  return (
    <LinkClick
      title="Confirm your email"
      lead="One click shows us that this address is yours."
      label="Confirm my email"
      busy_label="Confirming"
      busy={state === 'busy'}
      problem={problem}
      onClick={confirm}
    />
  );
}

function SignInFirst() {
  return (
    <>
      <p className="mb-5">Sign in; above every page there is a button that sends you a new link.</p>
      <p>
        <Link to="/sign-in" className={button_link_look}>
          Sign in
        </Link>
      </p>
    </>
  );
}

/** For who is signed in and not confirmed: a new link, here and now. */
function AskAgain() {
  const verification = useEmailVerification();
  const { me, sent, problem } = verification;
  if (me === undefined) return null;
  if (me.email_confirmed) {
    return (
      <>
        <p className="mb-5">{me.email} is confirmed, so you need no link.</p>
        <p>
          <Link to="/" className={button_link_look}>
            Go to your coaches
          </Link>
        </p>
      </>
    );
  }
  return (
    <div className="flex flex-col items-start gap-4">
      <p>Have a new one mailed to {me.email}:</p>
      <SendAgainButton verification={verification} />
      <Done>{sent && 'A new link is on its way. Only the newest one works.'}</Done>
      <Problem>{problem}</Problem>
    </div>
  );
}
