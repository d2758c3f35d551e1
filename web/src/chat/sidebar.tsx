import { Link } from '@tanstack/react-router';
import LibraryIcon from 'lucide-react/icons/library';
import SquarePen from 'lucide-react/icons/square-pen';
import { AccountMenu } from '../accounts/account-menu.tsx';
import { Mark } from '../platform/mark.tsx';
import { ChatList } from './chat-list.tsx';

/** Touchline's name, a new chat, the library, the chats, the account. */
export function Sidebar() {
  return (
    <div className="flex h-full min-h-0 flex-col bg-sidebar">
      <div className="flex flex-col gap-2 px-2 pt-3">
        <Link to="/" className="flex items-center gap-2.5 rounded-md px-2.5 py-1.5 font-display text-lead">
          <Mark />
          Touchline
        </Link>
        <Link
          to="/"
          className="mt-1 flex min-h-10 items-center gap-2.5 rounded-md border border-line bg-surface px-2.5 font-medium hover:bg-hover"
        >
          <SquarePen size={16} className="text-muted" />
          New chat
        </Link>
        <Link
          to="/library"
          className="flex min-h-10 items-center gap-2.5 rounded-md px-2.5 hover:bg-hover aria-[current=page]:bg-hover aria-[current=page]:font-medium"
        >
          <LibraryIcon size={16} className="text-muted" />
          Library
        </Link>
      </div>
      <ChatList />
      <div className="border-t border-line p-2 pb-[max(0.5rem,env(safe-area-inset-bottom))]">
        <AccountMenu />
      </div>
    </div>
  );
}
