import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useAuth } from './auth-context.ts';
import { authErrorSentence } from './auth-errors.ts';
import { SignInForm } from './sign-in-form.tsx';
import { SignInFrame } from './sign-in-frame.tsx';
import { useReturn } from './use-return.ts';

const route = getRouteApi('/sign-up');

/** Making an account. Where emails must be confirmed first, it says to look into the inbox. */
export function SignUpPage() {
  const { auth } = useAuth();
  const { next } = route.useSearch();
  const returnTo = useReturn();
  const [confirming, setConfirming] = useState<string | null>(null);
  const sign_in = (
    <Link to="/sign-in" search={{ next }} className="text-link underline">
      Sign in
    </Link>
  );
  if (confirming !== null) {
    return (
      <SignInFrame title="Look into your inbox" lead={`A link is on its way to ${confirming}.`}>
        <p>Open it to confirm your email, then come back here. It can take a minute; look into spam too.</p>
        <p className="mt-4 text-muted">Confirmed it? {sign_in}</p>
      </SignInFrame>
    );
  }
  return (
    <SignInFrame title="Create your account" lead="Pick a coach, bring your files, leave with finished work.">
      <SignInForm
        action="Create account"
        busy_action="Creating your account"
        password_autocomplete="new-password"
        password_hint="At least 8 characters."
        onSubmit={async (email, password) => {
          const { data, error } = await auth.client.signUp({
            email,
            password,
            options: { emailRedirectTo: location.origin },
          });
          if (error) return authErrorSentence(error);
          if (data.session === null) setConfirming(email);
          else await returnTo(next);
          return null;
        }}
        below={<>Have an account? {sign_in}</>}
      />
    </SignInFrame>
  );
}
