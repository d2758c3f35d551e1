import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  Link,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { AccountClosedPage } from './accounts/account-closed-page.tsx';
import type { Auth } from './accounts/auth.ts';
import { SignInPage } from './accounts/sign-in-page.tsx';
import { SignUpPage } from './accounts/sign-up-page.tsx';
import { safeReturnPath } from './accounts/use-return.ts';
import { AppFrame } from './app-frame.tsx';
import { ChatPage } from './chat/chat-page.tsx';
import { preloadReplies } from './chat/coach-message.tsx';
import { NewChatPage } from './chat/new-chat-page.tsx';
import { HomePage } from './coaches/home-page.tsx';
import { OutboxPage } from './mail/outbox-page.tsx';
import { Button } from './platform/button.tsx';
import { PracticeLine } from './platform/practice-line.tsx';
import { ProblemPage } from './platform/problem-page.tsx';
import { ScrollRegion } from './platform/scroll-region.tsx';
import { Toasts } from './platform/toasts.tsx';

type RouterContext = { auth: Auth };
type NextSearch = { next?: string | undefined };
type CheckoutSearch = { checkout_session_id?: string; checkout?: 'canceled' };

const nextSearch = (search: Record<string, unknown>): NextSearch =>
  typeof search.next === 'string' ? { next: search.next } : {};

const rootRoute = createRootRouteWithContext<RouterContext>()({
  component: () => (
    <>
      <Outlet />
      <Toasts />
    </>
  ),
  notFoundComponent: NotFoundPage,
});

/** Pages for those who are not signed in; a member who is goes on to where they wanted to be. */
async function leaveWhenSignedIn({ context, search }: { context: RouterContext; search: NextSearch }) {
  if ((await context.auth.currentSession()) !== null) throw redirect({ href: safeReturnPath(search.next) });
}

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in',
  validateSearch: nextSearch,
  beforeLoad: leaveWhenSignedIn,
  component: SignInPage,
});

const signUpRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-up',
  validateSearch: nextSearch,
  beforeLoad: leaveWhenSignedIn,
  component: SignUpPage,
});

const forgotPasswordRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/forgot-password',
  validateSearch: nextSearch,
  component: lazyRouteComponent(() => import('./accounts/forgot-password-page.tsx'), 'ForgotPasswordPage'),
});

/** Where mails and sign-in providers lead to, whoever is signed in. */
const linkRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/reset-password',
    component: lazyRouteComponent(() => import('./accounts/reset-password-page.tsx'), 'ResetPasswordPage'),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/magic-link',
    component: lazyRouteComponent(() => import('./accounts/magic-link-page.tsx'), 'MagicLinkPage'),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/verify-email',
    component: lazyRouteComponent(() => import('./accounts/verify-email-page.tsx'), 'VerifyEmailPage'),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/confirm-email',
    component: lazyRouteComponent(() => import('./accounts/confirm-email-page.tsx'), 'ConfirmEmailPage'),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/auth/callback',
    component: lazyRouteComponent(() => import('./accounts/auth-callback-page.tsx'), 'AuthCallbackPage'),
  }),
] as const;

/** For everybody on the server's own machine: a mail that lets one in again is read by somebody who is out. */
const outboxRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/outbox',
  validateSearch: (search): { mail?: string } =>
    typeof search.mail === 'string' ? { mail: search.mail } : {},
  component: OutboxPage,
});

const memberRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'member',
  beforeLoad: async ({ context, location }) => {
    if ((await context.auth.currentSession()) !== null) return;
    throw redirect({ to: '/sign-in', search: location.href === '/' ? {} : { next: location.href } });
  },
  component: AppFrame,
});

const homeRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/',
  component: () => (
    <>
      <ScrollRegion name="Coaches" className="min-h-0 flex-1 overflow-y-auto">
        <HomePage />
      </ScrollRegion>
      <PracticeLine />
    </>
  ),
});

const newChatRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/coaches/$slug',
  // The number of the coach's starter, from 1, that is written down for the member.
  validateSearch: (search): { starter?: number } =>
    typeof search.starter === 'number' ? { starter: search.starter } : {},
  beforeLoad: preloadReplies,
  component: NewChatPage,
});

const chatRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/chats/$chatSessionId',
  beforeLoad: preloadReplies,
  component: ChatPage,
});

// Seldom seen, so they are loaded when they are.
const libraryRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/library',
  component: lazyRouteComponent(() => import('./library/library-page.tsx'), 'LibraryPage'),
});

const settingsRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/settings',
  component: lazyRouteComponent(() => import('./accounts/settings/settings-frame.tsx'), 'SettingsFrame'),
});

/** What Stripe's checkout leads back with. */
const checkoutSearch = (search: Record<string, unknown>): CheckoutSearch => ({
  ...(typeof search.checkout_session_id === 'string'
    ? { checkout_session_id: search.checkout_session_id }
    : {}),
  ...(search.checkout === 'canceled' ? { checkout: 'canceled' } : {}),
});

/** Where Stripe and mails lead to, wherever the page stands. */
const billingRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/billing',
  validateSearch: checkoutSearch,
  beforeLoad: ({ search }) => {
    throw redirect({ to: '/settings/plan', search, replace: true });
  },
});

const settingsRoutes = [
  createRoute({
    getParentRoute: () => settingsRoute,
    path: '/',
    beforeLoad: () => {
      throw redirect({ to: '/settings/profile', replace: true });
    },
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: '/profile',
    component: lazyRouteComponent(() => import('./accounts/settings/profile-page.tsx'), 'ProfilePage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: '/sign-in',
    component: lazyRouteComponent(
      () => import('./accounts/settings/sign-in-settings-page.tsx'),
      'SignInSettingsPage',
    ),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: '/data',
    component: lazyRouteComponent(() => import('./accounts/settings/data-page.tsx'), 'DataPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: '/plan',
    validateSearch: checkoutSearch,
    component: lazyRouteComponent(() => import('./billing/plan-page.tsx'), 'PlanPage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: '/usage',
    component: lazyRouteComponent(() => import('./billing/usage-page.tsx'), 'UsagePage'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: '/grants',
    component: lazyRouteComponent(() => import('./billing/grants-page.tsx'), 'GrantsPage'),
  }),
] as const;

/** Where a closed account leads, and whoever has just closed one and is signed out by that. */
const accountClosedRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/account-closed',
  validateSearch: (search): { until?: string } =>
    typeof search.until === 'string' && !Number.isNaN(Date.parse(search.until))
      ? { until: search.until }
      : {},
  component: AccountClosedPage,
});

const routeTree = rootRoute.addChildren([
  signInRoute,
  signUpRoute,
  forgotPasswordRoute,
  ...linkRoutes,
  outboxRoute,
  accountClosedRoute,
  memberRoute.addChildren([
    homeRoute,
    newChatRoute,
    chatRoute,
    libraryRoute,
    billingRoute,
    settingsRoute.addChildren(settingsRoutes),
  ]),
]);

/** Every address of the app. */
export function createAppRouter(context: RouterContext) {
  return createRouter({
    routeTree,
    context,
    defaultErrorComponent: ErrorPage,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}

function NotFoundPage() {
  return (
    <ProblemPage
      title="There is nothing here"
      actions={
        <Link to="/" className="text-link underline">
          Go to your coaches
        </Link>
      }
    >
      <p>The address may be mistyped, or what was here is gone.</p>
    </ProblemPage>
  );
}

function ErrorPage({ error }: { error: unknown }) {
  console.error(error);
  return (
    <ProblemPage
      inside
      title="This page broke"
      actions={
        <>
          <Button look="primary" onClick={() => location.reload()}>
            Load it again
          </Button>
          <Button onClick={() => location.assign('/')}>Go to your coaches</Button>
        </>
      }
    >
      <p>Your chats are safe, and what you were writing is kept in this browser.</p>
    </ProblemPage>
  );
}
