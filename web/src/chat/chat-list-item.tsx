import { Link, useNavigate, useParams } from '@tanstack/react-router';
import Ellipsis from 'lucide-react/icons/ellipsis';
import { useEffect, useRef, useState } from 'react';
import { AccentDot } from '../coaches/accent-dot.tsx';
import { useCoach } from '../coaches/coach.ts';
import { DeleteDialog } from '../platform/delete-dialog.tsx';
import { Menu, MenuContent, MenuItem, MenuTrigger } from '../platform/menu.tsx';
import { NameField } from '../platform/name-field.tsx';
import type { ChatSession } from './chat-session.ts';
import { useChatSessionChanges } from './use-chat-session-changes.ts';

const longest_title = 120;

/** One chat in the list, with renaming in place and deleting. */
export function ChatListItem({ chat_session }: { chat_session: ChatSession }) {
  const coach = useCoach(chat_session.assistant_slug);
  const { rename, remove } = useChatSessionChanges();
  const navigate = useNavigate();
  const open_id = useParams({ strict: false, select: (params) => params.chatSessionId });
  const [mode, setMode] = useState<'link' | 'renaming' | 'deleting'>('link');
  const trigger = useRef<HTMLButtonElement>(null);
  const returns = useRef(false);
  const title = chat_session.title || 'Untitled chat';

  // What was opened from the options leads back to them.
  useEffect(() => {
    if (mode !== 'link' || !returns.current) return;
    returns.current = false;
    trigger.current?.focus();
  }, [mode]);

  if (mode === 'renaming') {
    return (
      <li className="px-1 py-0.5">
        <NameField
          label="Chat title"
          name={chat_session.title}
          longest={longest_title}
          onDone={(next, by_key) => {
            returns.current = by_key;
            setMode('link');
            if (next !== null) void rename(chat_session, next);
          }}
        />
      </li>
    );
  }
  return (
    <li className="group relative">
      <Link
        to="/chats/$chatSessionId"
        params={{ chatSessionId: chat_session.id }}
        title={title}
        className="flex min-h-9 pointer-coarse:min-h-11 items-center gap-2.5 rounded-md py-1.5 pr-2.5 pl-2.5 group-focus-within:pr-10 group-hover:pr-10 group-has-data-[state=open]:pr-10 hover:bg-hover pointer-coarse:pr-11 aria-[current=page]:bg-hover aria-[current=page]:font-medium"
      >
        <AccentDot coach={coach} />
        {coach && <span className="sr-only">{coach.name}: </span>}
        <span className="truncate">{title}</span>
      </Link>
      <Menu>
        <MenuTrigger
          ref={trigger}
          aria-label={`Chat options: ${title}`}
          title="Chat options"
          className="absolute top-0.5 right-0.5 flex size-8 pointer-coarse:size-10 items-center justify-center rounded-md text-muted opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 hover:text-ink focus-visible:opacity-100 data-[state=open]:opacity-100 pointer-coarse:opacity-100"
        >
          <Ellipsis size={16} />
        </MenuTrigger>
        <MenuContent align="end" onCloseAutoFocus={(event) => mode !== 'link' && event.preventDefault()}>
          <MenuItem onSelect={() => setMode('renaming')}>Rename</MenuItem>
          <MenuItem className="text-danger" onSelect={() => setMode('deleting')}>
            Delete
          </MenuItem>
        </MenuContent>
      </Menu>
      {mode === 'deleting' && (
        <DeleteDialog
          title="Delete this chat?"
          action="Delete chat"
          onCancel={() => {
            returns.current = true;
            setMode('link');
          }}
          onConfirm={async () => {
            // The list stays, whatever becomes of its entry.
            const list = trigger.current?.closest('nav');
            setMode('link');
            requestAnimationFrame(() => list?.focus());
            const was_open = open_id === chat_session.id;
            if (was_open) await navigate({ to: '/' });
            const removed = await remove(chat_session);
            if (!removed && was_open) {
              await navigate({ to: '/chats/$chatSessionId', params: { chatSessionId: chat_session.id } });
            }
          }}
        >
          “{title}” goes for good, with every message in it and the files that you gave it. This cannot be
          undone.
        </DeleteDialog>
      )}
    </li>
  );
}
