import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useAuth } from './auth-context.ts';
import { takeReturn } from './kept-return.ts';
import { button_link_look } from './link-problem.tsx';
import { SignInFrame } from './sign-in-frame.tsx';

type Outcome = { problem: string } | { path: string };

/**
 * Where a sign-in provider leads back to. What it brings is worth something only together with what this browser kept
 * when it left, so nobody else can have used it, and it is used at once.
 */
export function AuthCallbackPage() {
  const { auth } = useAuth();
  const exchange = useRef<Promise<Outcome>>(undefined);
  const [problem, setProblem] = useState<string | null>(null);

  useEffect(() => {
    let gone = false;
    exchange.current ??= finish(auth);
    void exchange.current.then((outcome) => {
      if (gone) return;
      if ('path' in outcome) location.replace(outcome.path);
      else setProblem(outcome.problem);
    });
    return () => {
      gone = true;
    };
  }, [auth]);

  if (problem === null) {
    return (
      <SignInFrame title="Signing you in" lead="A moment, please." mails={false}>
        <p role="status" className="sr-only">
          Waiting for the sign-in
        </p>
      </SignInFrame>
    );
  }
  return (
    <SignInFrame title="You are not signed in" lead={problem} mails={false}>
      <p>
        <Link to="/sign-in" className={button_link_look}>
          Back to signing in
        </Link>
      </p>
    </SignInFrame>
  );
}

async function finish(auth: ReturnType<typeof useAuth>['auth']): Promise<Outcome> {
  const { code = null, error: refused = null } = auth.arrived?.path === '/auth/callback' ? auth.arrived : {};
  if (refused === 'access_denied') return { problem: 'You stopped on the way, and nothing was changed.' };
  if (refused !== null)
    return { problem: auth.sentenceFor({ code: refused, status: 400, message: refused }) };
  if (code === null) return { problem: 'Nothing was brought along to sign in with. Start once more.' };
  const { error } = await auth.client.exchangeCodeForSession(code);
  return error ? { problem: auth.sentenceFor(error) } : { path: takeReturn() };
}
