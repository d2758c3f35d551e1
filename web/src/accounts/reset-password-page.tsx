import { Link } from '@tanstack/react-router';
import { type FormEvent, useRef, useState } from 'react';
import { Button } from '../platform/button.tsx';
import { Problem } from '../platform/fields.tsx';
import { PasswordField } from '../platform/password-field.tsx';
import { useAuth } from './auth-context.ts';
import { checkNewPassword } from './check-entries.ts';
import { takeReturn } from './kept-return.ts';
import { button_link_look, LinkProblem } from './link-problem.tsx';
import { SignInFrame } from './sign-in-frame.tsx';
import { useLink } from './use-link.ts';

/** A new password, by a link from a mail. The link is used with the password, so that neither is half done. */
export function ResetPasswordPage() {
  const { auth } = useAuth();
  const link = useLink('/reset-password', 'recovery');
  const field = useRef<HTMLInputElement>(null);
  const [state, setState] = useState<'idle' | 'saving' | 'saved'>('idle');
  const opened = useRef<string | null>(null);
  const [email, setEmail] = useState('');
  const [wrong, setWrong] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);

  if (state === 'saved') return <Saved />;
  if (link.state !== 'ready') {
    return (
      <LinkProblem state={link.state} reason={link.reason}>
        <p>
          <Link to="/forgot-password" className={button_link_look}>
            Ask for a new link
          </Link>
        </p>
      </LinkProblem>
    );
  }

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (state !== 'idle' || field.current === null) return;
    const password = field.current.value;
    const refused = checkNewPassword(password);
    setWrong(refused);
    setProblem(null);
    if (refused !== null) return field.current.focus();
    setState('saving');
    const sentence = await save(password);
    setState(sentence === null ? 'saved' : 'idle');
    setProblem(sentence);
  };

  async function save(password: string) {
    if (opened.current === null) {
      const { user, problem } = await link.open();
      if (problem !== null) return problem;
      opened.current = user?.id ?? '';
      setEmail(user?.email ?? '');
    }
    const { error } = await auth.client.updateUser({ password });
    if (!error) return null;
    // The link let in once, to set one password: an answer that was lost may have been a yes.
    if (error.code?.startsWith('current_password_') || error.code === 'reauthentication_needed') {
      return 'This link has been used. If your new password does not work, ask for another link on the sign-in page.';
    }
    if (!error.status) {
      return 'No answer came, so it is not certain whether the new password holds. Check your connection and try again.';
    }
    return `Your password is as it was. ${auth.sentenceFor(error)}`;
  }

  return (
    <SignInFrame
      title="Set a new password"
      lead="It holds at once. You are signed in here then, and every other device is signed out."
      mails={false}
    >
      <form onSubmit={submit} noValidate className="flex flex-col gap-4">
        <Problem>{problem}</Problem>
        <input type="email" name="username" autoComplete="username" value={email} readOnly hidden />
        <PasswordField
          ref={field}
          label="New password"
          name="password"
          autoComplete="new-password"
          required
          onChange={() => setWrong(null)}
          problem={wrong}
          hint="At least 8 characters."
        />
        <Button type="submit" look="primary" aria-disabled={state === 'saving'} className="mt-1 min-h-11">
          {state === 'saving' ? 'Setting it' : 'Set password'}
        </Button>
      </form>
    </SignInFrame>
  );
}

function Saved() {
  return (
    <SignInFrame
      title="Your new password holds"
      lead="You are signed in on this device. Every other device was signed out and needs the new password."
      mails={false}
    >
      <Button
        look="primary"
        className="min-h-11"
        // Anew: who was signed in here before may have been somebody else.
        onClick={() => location.replace(takeReturn())}
      >
        Go on
      </Button>
    </SignInFrame>
  );
}
