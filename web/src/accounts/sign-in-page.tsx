import { getRouteApi, Link } from '@tanstack/react-router';
import { useAuth } from './auth-context.ts';
import { authErrorSentence } from './auth-errors.ts';
import { SignInForm } from './sign-in-form.tsx';
import { SignInFrame } from './sign-in-frame.tsx';
import { useReturn } from './use-return.ts';

const route = getRouteApi('/sign-in');

/** Signing in, and back to where one was. */
export function SignInPage() {
  const { auth } = useAuth();
  const { next } = route.useSearch();
  const returnTo = useReturn();
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
        action="Sign in"
        busy_action="Signing in"
        password_autocomplete="current-password"
        onSubmit={async (email, password) => {
          const { error } = await auth.client.signInWithPassword({ email, password });
          if (error) return authErrorSentence(error);
          await returnTo(next);
          return null;
        }}
        below={
          <>
            New here?{' '}
            <Link to="/sign-up" search={{ next }} className="text-link underline">
              Create an account
            </Link>
          </>
        }
      />
    </SignInFrame>
  );
}
