import { type FormEvent, type ReactNode, useRef, useState } from 'react';
import { Button } from '../platform/button.tsx';
import { Problem, TextField } from '../platform/fields.tsx';
import { PasswordField } from '../platform/password-field.tsx';
import { captcha_wanted, useCaptcha } from './captcha.tsx';
import { checkEmail, checkNewPassword } from './check-entries.ts';
import { noteTypedEmail, typedEmail } from './typed-email.ts';

/** The answer to the test for machines, where one is asked for. */
type Captcha = { captchaToken?: string };
/** Answers with the sentence to show when it did not work, or null. */
type Submit = (email: string, captcha: Captcha, password: string) => Promise<ReactNode>;
type Action = { name: string; busy_name: string; onSubmit: Submit };

type SignInFormProps = {
  action: Action;
  /** What can be done with the address alone. */
  email_action?: Action;
  /** Tells a password manager whether to fill in or to make up a password; without it there is no password. */
  password?: 'current-password' | 'new-password';
  below_password?: ReactNode;
};

/** Email and password, with the reason when it did not work. What was typed stays. */
export function SignInForm({ action, email_action, password, below_password }: SignInFormProps) {
  const email_field = useRef<HTMLInputElement>(null);
  const password_field = useRef<HTMLInputElement>(null);
  const captcha = useCaptcha();
  const [busy, setBusy] = useState<Action['name'] | null>(null);
  const [wrong, setWrong] = useState<{ field: 'email' | 'password'; sentence: string } | null>(null);
  const [problem, setProblem] = useState<ReactNode>(null);

  const complain = (field: 'email' | 'password', sentence: string) => {
    setWrong({ field, sentence });
    (field === 'password' ? password_field : email_field).current?.focus();
  };

  const run = async (chosen: Action, needs_password: boolean) => {
    if (busy !== null) return;
    const email = email_field.current?.value.trim() ?? '';
    const typed = password_field.current?.value ?? '';
    setWrong(null);
    setProblem(null);
    const wrong_email = checkEmail(email);
    if (wrong_email !== null) return complain('email', wrong_email);
    if (needs_password && typed === '') return complain('password', 'Enter your password.');
    const wrong_password = password === 'new-password' ? checkNewPassword(typed) : null;
    if (wrong_password !== null) return complain('password', wrong_password);
    if (!captcha.isDone()) return setProblem(captcha_wanted);
    noteTypedEmail(email);
    setBusy(chosen.name);
    try {
      // The focus stays where it is: either field, or the connection, may be the reason.
      setProblem(await chosen.onSubmit(email, captcha.take(), typed));
    } finally {
      setBusy(null);
    }
  };

  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(action, password !== undefined);
  };

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-4">
      <Problem>{problem}</Problem>
      <TextField
        ref={email_field}
        label="Email"
        name="email"
        type="email"
        inputMode="email"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        defaultValue={typedEmail()}
        onChange={({ target }) => {
          noteTypedEmail(target.value.trim());
          if (wrong?.field === 'email') setWrong(null);
        }}
        problem={wrong?.field === 'email' ? wrong.sentence : null}
      />
      {password && (
        <div className="flex flex-col gap-1.5">
          <PasswordField
            ref={password_field}
            label="Password"
            name="password"
            autoComplete={password}
            required
            onChange={() => {
              if (wrong?.field === 'password') setWrong(null);
            }}
            hint={password === 'new-password' ? 'At least 8 characters.' : undefined}
            problem={wrong?.field === 'password' ? wrong.sentence : null}
          />
          {below_password}
        </div>
      )}
      {captcha.box}
      <div className="mt-1 flex flex-col gap-2.5">
        <Button type="submit" look="primary" aria-disabled={busy !== null} className="min-h-11">
          {busy === action.name ? action.busy_name : action.name}
        </Button>
        {email_action && (
          <Button
            aria-disabled={busy !== null}
            onClick={() => void run(email_action, false)}
            className="min-h-11"
          >
            {busy === email_action.name ? email_action.busy_name : email_action.name}
          </Button>
        )}
      </div>
    </form>
  );
}
