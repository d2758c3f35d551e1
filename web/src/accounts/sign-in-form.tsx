import Eye from 'lucide-react/icons/eye';
import EyeOff from 'lucide-react/icons/eye-off';
import { type FormEvent, type ReactNode, useId, useRef, useState } from 'react';
import { Button } from '../platform/button.tsx';

type SignInFormProps = {
  action: string;
  busy_action: string;
  /** Tells a password manager whether to fill in or to make up a password. */
  password_autocomplete: 'current-password' | 'new-password';
  password_hint?: string;
  /** Answers with the sentence to show when it did not work, or null. */
  onSubmit: (email: string, password: string) => Promise<string | null>;
  below: ReactNode;
};

const field_look =
  'w-full min-h-11 rounded-md border border-line-strong bg-surface px-3 text-[1rem] outline-offset-0 aria-invalid:border-danger';

/** Email and password, with the reason when it did not work. What was typed stays. */
export function SignInForm(props: SignInFormProps) {
  const id = useId();
  const email = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  const [visible, setVisible] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<{ field: 'email' | 'password' | null; sentence: string } | null>(
    null,
  );

  const complain = (field: 'email' | 'password', sentence: string) => {
    setProblem({ field, sentence });
    (field === 'password' ? password : email).current?.focus();
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || email.current === null || password.current === null) return;
    const given = { email: email.current.value.trim(), password: password.current.value };
    if (!/^\S+@\S+$/.test(given.email)) return complain('email', 'Enter your email address.');
    if (given.password === '') return complain('password', 'Enter your password.');
    if (props.password_autocomplete === 'new-password' && given.password.length < 8) {
      return complain('password', 'Choose a password of at least 8 characters.');
    }
    setProblem(null);
    setBusy(true);
    try {
      const sentence = await props.onSubmit(given.email, given.password);
      // The focus stays where it is: either field, or the connection, may be the reason.
      if (sentence !== null) setProblem({ field: null, sentence });
    } finally {
      setBusy(false);
    }
  };

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-4">
      <div role="alert">
        {problem && (
          <p id={`${id}-problem`} className="rounded-md bg-danger-tint px-3 py-2.5 text-danger">
            {problem.sentence}
          </p>
        )}
      </div>
      <div className="flex flex-col gap-1.5">
        <label htmlFor={`${id}-email`} className="font-medium">
          Email
        </label>
        <input
          ref={email}
          id={`${id}-email`}
          name="email"
          type="email"
          inputMode="email"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          aria-invalid={problem?.field === 'email' || undefined}
          aria-describedby={problem?.field === 'email' ? `${id}-problem` : undefined}
          className={field_look}
        />
      </div>
      <div className="flex flex-col gap-1.5">
        <label htmlFor={`${id}-password`} className="font-medium">
          Password
        </label>
        <div className="relative">
          <input
            ref={password}
            id={`${id}-password`}
            name="password"
            type={visible ? 'text' : 'password'}
            autoComplete={props.password_autocomplete}
            autoCapitalize="none"
            spellCheck={false}
            required
            aria-invalid={problem?.field === 'password' || undefined}
            aria-describedby={
              problem?.field === 'password' ? `${id}-problem` : props.password_hint ? `${id}-hint` : undefined
            }
            className={`${field_look} pr-12`}
          />
          <button
            type="button"
            aria-label={visible ? 'Hide what you typed' : 'Show what you typed'}
            title={visible ? 'Hide what you typed' : 'Show what you typed'}
            onClick={() => setVisible(!visible)}
            className="absolute inset-y-0 right-0 flex w-11 items-center justify-center rounded-md text-muted hover:text-ink"
          >
            {visible ? <EyeOff size={18} /> : <Eye size={18} />}
          </button>
        </div>
        {props.password_hint && (
          <p id={`${id}-hint`} className="text-small text-muted">
            {props.password_hint}
          </p>
        )}
      </div>
      <Button type="submit" look="primary" aria-disabled={busy} className="mt-1 min-h-11">
        {busy ? props.busy_action : props.action}
      </Button>
      <p className="text-muted">{props.below}</p>
    </form>
  );
}
