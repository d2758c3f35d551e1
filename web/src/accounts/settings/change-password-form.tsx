import { type FormEvent, useRef, useState } from 'react';
import { Button } from '../../platform/button.tsx';
import { Done, Problem } from '../../platform/fields.tsx';
import { PasswordField } from '../../platform/password-field.tsx';
import { useAuth } from '../auth-context.ts';
import type { Me } from '../me.ts';
import { changeErrorSentence, isWrongPassword } from './change-error-sentence.ts';
import { MailPasswordLink } from './mail-password-link.tsx';

const error_words = {
  unchanged: 'Your password is as it was.',
  uncertain:
    'No answer came, so it is not certain which password holds now. Check your connection and try again; if your current one is refused then, the new one holds.',
};

type Wrong = { field: 'current' | 'next'; sentence: string };

/** A new password, for whoever knows the old one; else a link by mail. */
export function ChangePasswordForm({ me }: { me: Me }) {
  const { auth } = useAuth();
  const current_field = useRef<HTMLInputElement>(null);
  const next_field = useRef<HTMLInputElement>(null);
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [state, setState] = useState<'idle' | 'saving' | 'saved'>('idle');
  const [wrong, setWrong] = useState<Wrong | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [forgotten, setForgotten] = useState(false);

  const complain = (field: Wrong['field'], sentence: string) => {
    setWrong({ field, sentence });
    (field === 'current' ? current_field : next_field).current?.focus();
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (state === 'saving') return;
    setWrong(null);
    setProblem(null);
    if (current === '') return complain('current', 'Enter the password you have now.');
    if (next.length < 8) return complain('next', 'Choose a password of at least 8 characters.');
    if (next === current) return complain('next', 'This is the password you have now. Choose another one.');
    setState('saving');
    const { error } = await auth.client.updateUser({ password: next, current_password: current });
    setState(error ? 'idle' : 'saved');
    if (!error) {
      setCurrent('');
      setNext('');
    } else if (isWrongPassword(error)) {
      complain('current', 'This is not the password you have now. Check it and try again.');
    } else if (error.code === 'weak_password' || error.code === 'same_password') {
      complain('next', changeErrorSentence(error, error_words));
    } else {
      setProblem(changeErrorSentence(error, error_words));
    }
  };

  const type = (write: (value: string) => void) => (event: { target: { value: string } }) => {
    write(event.target.value);
    setWrong(null);
    if (state === 'saved') setState('idle');
  };

  return (
    <>
      <p className="mt-1.5 text-muted">With a new password, every other device has to sign in again.</p>
      <form onSubmit={submit} noValidate className="mt-5 flex flex-col gap-5">
        <input type="email" name="username" autoComplete="username" value={me.email} readOnly hidden />
        <PasswordField
          ref={current_field}
          label="Current password"
          name="current_password"
          autoComplete="current-password"
          value={current}
          onChange={type(setCurrent)}
          problem={wrong?.field === 'current' ? wrong.sentence : null}
        />
        <PasswordField
          ref={next_field}
          label="New password"
          name="password"
          autoComplete="new-password"
          value={next}
          onChange={type(setNext)}
          problem={wrong?.field === 'next' ? wrong.sentence : null}
          hint="At least 8 characters."
        />
        <Problem>{problem}</Problem>
        <div className="flex flex-wrap items-center gap-x-4 gap-y-3">
          <Button type="submit" aria-disabled={state === 'saving'} className="min-h-11">
            {state === 'saving' ? 'Changing it' : 'Change password'}
          </Button>
          {!forgotten && (
            <button
              type="button"
              onClick={() => setForgotten(true)}
              className="rounded-sm text-link underline"
            >
              I do not know the current one
            </button>
          )}
          <Done>{state === 'saved' && 'Your new password holds. Other devices have to sign in again.'}</Done>
        </div>
      </form>
      {forgotten && (
        <div className="mt-5 rounded-md border border-line bg-surface px-4 py-3">
          <p className="mb-3 text-muted">
            Then set a new one by a link that we mail to <span className="text-ink">{me.email}</span>.
          </p>
          <MailPasswordLink me={me} action="Mail me the link" autoFocus />
        </div>
      )}
    </>
  );
}
