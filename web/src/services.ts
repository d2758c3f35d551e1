import { QueryClient } from '@tanstack/react-query';
import { type ArrivedLink, isLinkPath } from './accounts/arrived-link.ts';
import { createAuth } from './accounts/auth.ts';
import { hearProfileNews } from './accounts/use-profile-news.ts';
import { createDrafts, forgetDrafts } from './chat/drafts.ts';
import { hearOtherTabs } from './chat/hear-other-tabs.ts';
import { createLiveTurns } from './chat/live-turns.ts';
import { connectTabs } from './chat/other-tabs.ts';
import { turnEffects } from './chat/turn-effects.ts';
import { createApi } from './platform/api.ts';
import { ApiError } from './platform/api-error.ts';
import type { Config } from './platform/config.ts';
import { createAppRouter } from './router.tsx';

/** Where a member whose account is closed is led. */
const closed_path = '/account-closed';

export type Services = ReturnType<typeof createServices>;

/** Builds everything that lives as long as the page, once. `arrived`: what a link brought to it. */
export function createServices(config: Config, arrived: ArrivedLink | null) {
  const auth = createAuth(config, arrived);
  const router = createAppRouter({ auth });
  const queryClient = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        // What the server refuses it refuses again; only a lost connection or a server in trouble is tried again.
        retry: (failures, error) =>
          failures < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 500),
      },
    },
  });

  // Leaving for the sign-in loads the page anew, so that nothing of one member stays in memory for the next.
  let leaving = false;
  let return_path: string | null = null;
  async function leaveForSignIn() {
    if (leaving) return;
    leaving = true;
    const here = router.latestLocation.href;
    // A message that was just refused puts its words back first.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await auth.forget();
    location.assign(`/sign-in?next=${encodeURIComponent(return_path ?? here)}`);
  }

  // Nothing of a closed account answers any more; its own page says what can be done. Left as the sign-in is.
  function leaveForClosedAccount() {
    if (leaving || router.latestLocation.pathname === closed_path) return;
    leaving = true;
    setTimeout(() => location.assign(closed_path), 100);
  }

  hearProfileNews(queryClient);
  const api = createApi(auth.tokens, {
    onSignInRequired: () => void leaveForSignIn(),
    onAccountClosed: leaveForClosedAccount,
  });
  const drafts = createDrafts(localStorage, auth.memberId);
  const tellOtherTabs = connectTabs((news) => hearOtherTabs({ queryClient, liveTurns }, news));
  const liveTurns = createLiveTurns(
    api,
    turnEffects({
      queryClient,
      drafts,
      tellOtherTabs,
      openNewChat: (slug) => {
        if (leaving) return_path = `/coaches/${slug}`;
        else void router.navigate({ to: '/coaches/$slug', params: { slug }, replace: true });
      },
    }),
  );

  // The sign-in ended, here or in another tab, or another tab signed in as somebody else.
  let member_id: string | null = null;
  auth.client.onAuthStateChange((event, session) => {
    const before = member_id;
    member_id = session?.user.id ?? null;
    if (before === null || before === member_id) return;
    // What a link brought would be lost; its page loads the app anew when it is done.
    if (isLinkPath(router.latestLocation.pathname)) return;
    if (event === 'SIGNED_OUT') void leaveForSignIn();
    else if (!leaving) location.reload();
  });

  async function signOut({ everywhere = false, to = '/sign-in' } = {}) {
    leaving = true;
    if (everywhere) {
      const { error } = await auth.client.signOut({ scope: 'global' });
      if (error) {
        leaving = false;
        throw error;
      }
    }
    await auth.forget();
    forgetDrafts(localStorage);
    location.assign(to);
  }

  return { config, auth, router, queryClient, api, drafts, liveTurns, tellOtherTabs, signOut };
}
