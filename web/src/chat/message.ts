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
  /** A member's message tells of the latest turn that answers it. */
  turn_id: string | null;
  turn_status: 'accepted' | 'answering' | 'done' | 'stopped' | 'failed' | null;
  /** The reply ran into a limit of the model. */
  incomplete: boolean;
  /** The chat had grown so long that the coach was not told its oldest messages. */
  history_shortened: boolean;
  files_missing?: boolean;
  files: MemberFile[];
  citations: Citation[];
};

/** A page of a chat, oldest message first. `running_turn` and `failed_turn` are those of the whole chat. */
type MessagePage = {
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
  /** When the server was asked for it, by this page's clock (`performance.now()`). */
  asked_at_ms: number;
};

/** What is known of a chat's messages, oldest first; of the turns and the time, what the newest page told. */
export type ChatHistory = Pick<MessagePage, 'messages' | 'running_turn' | 'failed_turn' | 'asked_at_ms'>;

export const messagesKey = (chat_session_id: string) => ['chat-sessions', chat_session_id, 'messages'];

/** A chat's messages, the newest page first; each further page lies before the last one. */
export const messagesQuery = (api: Api, chat_session_id: string) =>
  infiniteQueryOptions({
    queryKey: messagesKey(chat_session_id),
    queryFn: async ({ pageParam, signal }): Promise<MessagePage> => {
      const asked_at_ms = performance.now();
      const before = pageParam === null ? '' : `&before=${encodeURIComponent(pageParam)}`;
      const path = `/api/chat-sessions/${chat_session_id}/messages?limit=50${before}`;
      return { ...(await api.get<Omit<MessagePage, 'asked_at_ms'>>(path, signal)), asked_at_ms };
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    select: historyFrom,
  });

/** One function for all, so that it is not run again while nothing has changed. */
function historyFrom({ pages }: InfiniteData<MessagePage, string | null>): ChatHistory {
  return {
    messages: [...pages].reverse().flatMap((page) => page.messages),
    running_turn: pages[0]?.running_turn ?? null,
    failed_turn: pages[0]?.failed_turn ?? null,
    asked_at_ms: pages[0]?.asked_at_ms ?? 0,
  };
}

/** Makes a chat that is just beginning known as empty, so that nothing is asked about what is not there yet. */
export function seedMessages(queryClient: QueryClient, chat_session_id: string) {
  queryClient.setQueryData<InfiniteData<MessagePage, string | null>>(messagesKey(chat_session_id), {
    pages: [{ messages: [], running_turn: null, failed_turn: null, next_cursor: null, asked_at_ms: 0 }],
    pageParams: [null],
  });
}
