import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import type { Api } from '../platform/api.ts';
import { ApiError, sentenceFor } from '../platform/api-error.ts';
import { Button } from '../platform/button.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { Skeleton } from '../platform/skeleton.tsx';
import { showToast } from '../platform/toasts.tsx';
import type { Auth } from './auth.ts';
import { useAuth } from './auth-context.ts';
import { createFormats } from './formats.ts';
import { SignInFrame } from './sign-in-frame.tsx';

const route = getRouteApi('/account-closed');
// The profile, and how it is to be written, is not told of a closed account.
const { date } = createFormats(null, null);

/** How it stands with the account of whoever looks. */
type Closing =
  | { state: 'signed_out' }
  | { state: 'open' }
  | { state: 'closed'; deleted_at: string | null; erased_on: string | null };

async function readClosing(api: Api, auth: Auth): Promise<Closing> {
  if ((await auth.currentSession()) === null) return { state: 'signed_out' };
  try {
    await api.get('/api/me');
    return { state: 'open' };
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'account_closed') throw error;
    const day = (value: unknown) => (typeof value === 'string' ? value : null);
    const { deleted_at, erased_on } = error.details;
    return { state: 'closed', deleted_at: day(deleted_at), erased_on: day(erased_on) };
  }
}

/** Where a closed account leads: when it was closed, how long it can be restored, and the way back. */
export function AccountClosedPage() {
  const { api } = usePlatform();
  const { auth } = useAuth();
  const navigate = useNavigate();
  const { until } = route.useSearch();
  const { data, error, refetch } = useQuery({
    queryKey: ['account-closed'],
    queryFn: () => readClosing(api, auth),
    staleTime: 0,
  });
  const is_open = data?.state === 'open';
  useEffect(() => {
    if (is_open) void navigate({ to: '/', replace: true });
  }, [is_open, navigate]);

  if (data?.state === 'closed') return <Closed {...data} />;
  if (data?.state === 'signed_out') {
    return (
      <SignInFrame
        title="Your account is closed"
        lead={until ? `You can restore it until ${date(until)}.` : 'You can restore it for 30 days.'}
      >
        <p>
          Sign in with it again, and you are asked whether to restore it. If you do nothing, everything we
          hold of you is erased then, and a last mail tells you so.
        </p>
        <p className="mt-6">
          <Link to="/sign-in" className="text-link underline">
            Sign in
          </Link>
        </p>
      </SignInFrame>
    );
  }
  return (
    <SignInFrame title="Your account" lead="One moment: how it stands with your account is being looked up.">
      {error === null ? (
        <Skeleton name="Loading" widths={['w-full', 'w-2/3']} />
      ) : (
        <div role="alert" className="flex flex-col items-start gap-3">
          <p>{sentenceFor(error)}</p>
          <Button onClick={() => refetch()}>Try again</Button>
        </div>
      )}
    </SignInFrame>
  );
}

function Closed({ deleted_at, erased_on }: { deleted_at: string | null; erased_on: string | null }) {
  const { api } = usePlatform();
  const { signOut } = useAuth();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  // Without a day it was closed before accounts could be restored, and only who runs the site can open it.
  const can_restore = erased_on !== null && Date.parse(erased_on) > Date.now();

  const restore = async () => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await api.post('/api/me/restore');
      queryClient.clear();
      await navigate({ to: '/', replace: true });
      showToast('Your account is open again, with your chats and files.');
    } catch (error) {
      setProblem(sentenceFor(error));
      setBusy(false);
    }
  };

  return (
    <SignInFrame
      title="Your account is closed"
      lead={deleted_at ? `You closed it on ${date(deleted_at)}.` : 'It was closed at your wish.'}
    >
      <p>
        {erased_on === null ? (
          'It cannot be restored from here. Ask whoever runs this site.'
        ) : !can_restore ? (
          'The time in which it could be restored is over: everything in it is being erased. A last mail tells you when that is done.'
        ) : (
          <>
            Until <strong className="font-semibold">{date(erased_on)}</strong> you can restore it, with every
            chat and file in it. Then all of it is erased for good.
          </>
        )}
      </p>
      <div role="alert" className="mt-4 empty:hidden">
        {problem && (
          <p className="rounded-md bg-danger-tint px-3 py-2.5 text-danger">
            Your account was not restored. {problem}
          </p>
        )}
      </div>
      <div className="mt-6 flex flex-col gap-2.5">
        {can_restore && (
          <Button look="primary" aria-disabled={busy} onClick={() => void restore()} className="min-h-11">
            {busy ? 'Restoring' : 'Restore my account'}
          </Button>
        )}
        <Button onClick={() => void signOut()} className="min-h-11">
          Sign out
        </Button>
      </div>
    </SignInFrame>
  );
}
