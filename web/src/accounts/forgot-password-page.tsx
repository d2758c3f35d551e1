import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useAuth } from './auth-context.ts';
import { keepReturn } from './kept-return.ts';
import { MailSent } from './mail-sent.tsx';
import { SignInForm } from './sign-in-form.tsx';
import { SignInFrame } from './sign-in-frame.tsx';

const route = getRouteApi('/forgot-password');

/** Asks for a link with which a new password is set. */
export function ForgotPasswordPage() {
  const { auth } = useAuth();
  const { next } = route.useSearch();
  const [mailed_to, setMailedTo] = useState<string | null>(null);
  const sign_in = (
    <>
      Know it after all?{' '}
      <Link to="/sign-in" search={{ next }} className="rounded-sm text-link underline">
        Sign in
      </Link>
    </>
  );
  if (mailed_to !== null) {
    return (
      <MailSent email={mailed_to} what="set a new password" onBack={() => setMailedTo(null)}>
        {sign_in}
      </MailSent>
    );
  }
  return (
    <SignInFrame
      title="Forgot your password?"
      lead="Tell us the address of your account, and we mail you a link to set a new one."
    >
      <SignInForm
        action={{
          name: 'Mail me the link',
          busy_name: 'Sending the mail',
          onSubmit: async (email, captcha) => {
            keepReturn(next);
            const options = { ...captcha, redirectTo: `${location.origin}/reset-password` };
            const { error } = await auth.client.resetPasswordForEmail(email, options);
            if (error) return auth.sentenceFor(error);
            setMailedTo(email);
            return null;
          },
        }}
      />
      <p className="mt-5 text-muted">{sign_in}</p>
    </SignInFrame>
  );
}
