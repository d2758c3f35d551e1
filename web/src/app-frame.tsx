import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import MenuIcon from 'lucide-react/icons/menu';
import SquarePen from 'lucide-react/icons/square-pen';
import { useEffect, useState } from 'react';
import { ConfirmEmailBanner } from './accounts/confirm-email-banner.tsx';
import { Sidebar } from './chat/sidebar.tsx';
import { IconButton } from './platform/button.tsx';
import { Dialog } from './platform/dialog.tsx';
import { Mark } from './platform/mark.tsx';
import { OfflineNotice } from './platform/offline-notice.tsx';
import { useWideScreen } from './platform/use-media-query.ts';

/** The frame around every page of a signed-in member: chats at the side, or in a drawer where space is short. */
export function AppFrame() {
  const wide = useWideScreen();
  const path = useRouterState({ select: (state) => state.location.href });
  return (
    <div className="flex h-dvh flex-col">
      <a
        href="#content"
        className="sr-only z-50 rounded-md bg-pitch px-4 py-2 text-chalk focus:not-sr-only focus:absolute focus:top-2 focus:left-2"
      >
        Skip to content
      </a>
      <OfflineNotice>What you write is kept here, and you can send it when you are back.</OfflineNotice>
      <div className="flex min-h-0 flex-1">
        {wide && (
          <aside aria-label="Sidebar" className="w-sidebar shrink-0 border-r border-line">
            <Sidebar />
          </aside>
        )}
        <div className="flex min-h-0 min-w-0 flex-1 flex-col">
          {!wide && <TopBar path={path} />}
          <ConfirmEmailBanner />
          <main id="content" tabIndex={-1} className="flex min-h-0 flex-1 flex-col">
            <Outlet />
          </main>
        </div>
      </div>
    </div>
  );
}

function TopBar({ path }: { path: string }) {
  const [open, setOpen] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: going somewhere else closes the drawer.
  useEffect(() => setOpen(false), [path]);
  return (
    <header className="flex items-center gap-1 border-b border-line px-2 py-1.5">
      <IconButton name="Open chats" aria-expanded={open} onClick={() => setOpen(true)}>
        <MenuIcon size={20} />
      </IconButton>
      <Link to="/" className="mx-auto flex items-center gap-2 rounded-md px-2 py-1 font-display">
        <Mark className="size-6" />
        Touchline
      </Link>
      <Link
        to="/"
        aria-label="New chat"
        title="New chat"
        className="inline-flex size-9 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-ink"
      >
        <SquarePen size={18} />
      </Link>
      {open && (
        <Dialog
          name="Menu"
          onClose={() => setOpen(false)}
          className="drawer m-0 h-dvh max-h-none w-[min(19rem,86vw)] max-w-none border-r border-line bg-sidebar"
        >
          <Sidebar />
        </Dialog>
      )}
    </header>
  );
}
