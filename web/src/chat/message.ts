import { type InfiniteData, infiniteQueryOptions, type QueryClient } from '@tanstack/react-query';
import type { MemberFile } from '../files/file.ts';
import type { PassageReference } from '../files/passage-panel.tsx';
import type { Api } from '../platform/api.ts';

/** `index`: offset in UTF-16 units in the message's content, where the mark stands. */
export type Citation = PassageReference & { number: number; index: number };

export type Message = {
  id: string;
  sender: 'user' | 'assistant';
  /** Markdown. */
  content: string;
  created_at: string;
  turn_id: string | null;
  turn_status: 'done' | 'stopped' | 'failed' | 'answering' | null;
  /** The reply ran into a limit of the model. */
  incomplete: boolean;
  files: MemberFile[];
  citations: Citation[];
};

/** A page of a chat, oldest message first. `running_turn` and `failed_turn` are those of the whole chat. */
export type MessagePage = {
  messages: Message[];
  running_turn: { id: string; user_message_id: string } | null;
  failed_turn: {
    id: string;
    user_message_id: string;
    error_code: string;
    error_detail: string;
    content: string;
    files: MemberFile[];
  } | null;
  next_cursor: string | null;
};

export const messagesKey = (chat_session_id: string) => ['chat-sessions', chat_session_id, 'messages'];

/** A chat's messages, the newest page first; each further page lies before the last one. */
export const messagesQuery = (api: Api, chat_session_id: string) =>
  infiniteQueryOptions({
    queryKey: messagesKey(chat_session_id),
    queryFn: ({ pageParam, signal }) => {
      const before = pageParam === null ? '' : `&before=${encodeURIComponent(pageParam)}`;
      return api.get<MessagePage>(`/api/chat-sessions/${chat_session_id}/messages?limit=50${before}`, signal);
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    select: (data) => ({
      messages: [...data.pages].reverse().flatMap((page) => page.messages),
      running_turn: data.pages[0]?.running_turn ?? null,
      failed_turn: data.pages[0]?.failed_turn ?? null,
    }),
  });

/** Makes a chat that is just beginning known as empty, so that nothing is asked about what is not there yet. */
export function seedMessages(queryClient: QueryClient, chat_session_id: string) {
  queryClient.setQueryData<InfiniteData<MessagePage, string | null>>(messagesKey(chat_session_id), {
    pages: [{ messages: [], running_turn: null, failed_turn: null, next_cursor: null }],
    pageParams: [null],
  });
}
