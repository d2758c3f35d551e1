import { useInfiniteQuery } from '@tanstack/react-query';
import { useMe } from '../accounts/me.ts';
import { sentenceFor } from '../platform/api-error.ts';
import { Button } from '../platform/button.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { Skeleton } from '../platform/skeleton.tsx';
import { useNearView } from '../platform/use-near-view.ts';
import { ChatListItem } from './chat-list-item.tsx';
import { chatSessionsQuery } from './chat-session.ts';
import { groupByDay } from './day-groups.ts';

/** The member's chats by day; further ones load as the list is scrolled. */
export function ChatList() {
  const { api } = usePlatform();
  const { data: me } = useMe();
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery(
    chatSessionsQuery(api),
  );
  const end = useNearView(() => {
    if (hasNextPage && !isFetchingNextPage && error === null) void fetchNextPage();
  }, '300px');
  return (
    <nav
      aria-label="Chats"
      tabIndex={-1}
      data-scrolls
      className="min-h-0 flex-1 overflow-y-auto px-2 pb-3 outline-none"
    >
      {data === undefined && error === null && (
        <div className="p-2.5">
          <Skeleton name="Loading your chats" widths={['w-4/5', 'w-2/3', 'w-3/4', 'w-1/2']} />
        </div>
      )}
      {data?.length === 0 && (
        <p className="px-2.5 py-2 text-small text-muted">
          Your chats will stand here. Choose a coach and write your first message.
        </p>
      )}
      {groupByDay(data ?? [], new Date(), me?.time_zone).map(({ heading, items }) => (
        <section key={heading} className="mt-3">
          <h2 className="px-2.5 py-1.5 text-small font-medium text-muted">{heading}</h2>
          <ul>
            {items.map((chat_session) => (
              <ChatListItem key={chat_session.id} chat_session={chat_session} />
            ))}
          </ul>
        </section>
      ))}
      {error !== null && (
        <div role="alert" className="flex flex-col items-start gap-2 p-2.5 text-small">
          <p>{data ? `The older chats did not load. ${sentenceFor(error)}` : sentenceFor(error)}</p>
          <Button onClick={() => (data ? fetchNextPage() : refetch())}>Try again</Button>
        </div>
      )}
      <div ref={end} />
    </nav>
  );
}
