import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useAuth } from './auth-context.ts';
import { keepReturn } from './kept-return.ts';
import { MailSent } from './mail-sent.tsx';
import { ProviderButtons } from './provider-buttons.tsx';
import { SignInForm } from './sign-in-form.tsx';
import { SignInFrame } from './sign-in-frame.tsx';
import { useReturn } from './use-return.ts';

const route = getRouteApi('/sign-in');

/** Signing in, by password, by a link or with a provider, and back to where one was. */
export function SignInPage() {
  const { auth } = useAuth();
  const { next } = route.useSearch();
  const returnTo = useReturn();
  const [mailed_to, setMailedTo] = useState<string | null>(null);
  if (mailed_to !== null) {
    return <MailSent email={mailed_to} what="sign in" onBack={() => setMailedTo(null)} />;
  }
  return (
    <SignInFrame
      title="Sign in"
      lead={
        next
          ? 'Sign in to go on where you were. What you wrote is kept.'
          : 'Good to see you. Your coaches are ready.'
      }
    >
      <SignInForm
        password="current-password"
        action={{
          name: 'Sign in',
          busy_name: 'Signing in',
          onSubmit: async (email, options, password) => {
            const { error } = await auth.client.signInWithPassword({ email, password, options });
            if (error) return auth.sentenceFor(error);
            await returnTo(next);
            return null;
          },
        }}
        below_password={
          <p>
            <Link to="/forgot-password" search={{ next }} className="rounded-sm text-link underline">
              Forgot your password?
            </Link>
          </p>
        }
        email_action={{
          name: 'Mail me a link instead',
          busy_name: 'Sending the mail',
          onSubmit: async (email, captcha) => {
            keepReturn(next);
            const emailRedirectTo = `${location.origin}/magic-link`;
            const options = { ...captcha, emailRedirectTo, shouldCreateUser: false };
            const { error } = await auth.client.signInWithOtp({ email, options });
            // Supabase says so of an address without an account; we do not.
            if (error && error.code !== 'otp_disabled' && error.code !== 'user_not_found') {
              return auth.sentenceFor(error);
            }
            setMailedTo(email);
            return null;
          },
        }}
      />
      <div className="mt-2.5">
        <ProviderButtons next={next} />
      </div>
      <p className="mt-5 text-muted">
        New here?{' '}
        <Link to="/sign-up" search={{ next }} className="rounded-sm text-link underline">
          Create an account
        </Link>
      </p>
    </SignInFrame>
  );
}
