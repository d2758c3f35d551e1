import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useAuth } from './auth-context.ts';
import { ProviderButtons } from './provider-buttons.tsx';
import { SignInForm } from './sign-in-form.tsx';
import { SignInFrame } from './sign-in-frame.tsx';
import { useReturn } from './use-return.ts';

const route = getRouteApi('/sign-up');
const refused_codes = new Set(['signup_refused', 'user_already_exists', 'email_exists']);

/** Making an account. Where emails must be confirmed first, it says to look into the inbox. */
export function SignUpPage() {
  const { auth } = useAuth();
  const { next } = route.useSearch();
  const returnTo = useReturn();
  const [confirming, setConfirming] = useState<string | null>(null);
  const sign_in = (
    <Link to="/sign-in" search={{ next }} className="rounded-sm text-link underline">
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
        password="new-password"
        action={{
          name: 'Create account',
          busy_name: 'Creating your account',
          onSubmit: async (email, captcha, password) => {
            const options = { ...captcha, emailRedirectTo: location.origin };
            const { data, error } = await auth.client.signUp({ email, password, options });
            if (error && refused_codes.has(error.code ?? '')) return <Refused next={next} />;
            if (error) return auth.sentenceFor(error);
            if (data.session === null) setConfirming(email);
            else await returnTo(next);
            return null;
          },
        }}
      />
      <div className="mt-2.5">
        <ProviderButtons next={next} />
      </div>
      <p className="mt-5 text-muted">Have an account? {sign_in}</p>
    </SignInFrame>
  );
}

/** Does not tell whether the address has an account; its owner is told by mail. */
function Refused({ next }: { next: string | undefined }) {
  return (
    <>
      An account could not be made with this address. If you already have one,{' '}
      <Link to="/sign-in" search={{ next }} className="rounded-sm whitespace-nowrap underline">
        sign in
      </Link>{' '}
      or{' '}
      <Link to="/forgot-password" search={{ next }} className="rounded-sm whitespace-nowrap underline">
        set a new password
      </Link>
      .
    </>
  );
}
