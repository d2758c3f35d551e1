import type { MemberFile } from '../files/file.ts';
import { isRunning, type LiveTurn } from './live-turn.ts';
import type { Citation, Message } from './message.ts';

/** A message as it is shown. The key stays the same while a live reply becomes a stored one, so nothing jumps. */
export type ConversationItem = {
  key: string;
  sender: 'user' | 'assistant';
  content: string;
  files: MemberFile[];
  citations: Citation[];
  /** The reply still grows. */
  growing: boolean;
  ending: 'stopped' | 'failed' | 'incomplete' | null;
};

/** The stored messages with the live turn laid over them. */
export function conversationItems(messages: Message[], live: LiveTurn | undefined): ConversationItem[] {
  const items = messages.map(storedItem);
  if (live === undefined) return items;
  const running = isRunning(live);
  const user_key = `${live.id}:user`;
  const reply_key = `${live.id}:assistant`;

  const has_user_message = items.some(({ key }) => key === user_key);
  if (!has_user_message && live.request !== null) {
    const { content, files } = live.request;
    const item: ConversationItem = {
      key: user_key,
      sender: 'user',
      content,
      files,
      citations: [],
      growing: false,
      ending: null,
    };
    const reply_position = items.findIndex(({ key }) => key === reply_key);
    items.splice(reply_position === -1 ? items.length : reply_position, 0, item);
  }

  const position = items.findIndex(({ key }) => key === reply_key);
  const stored = items[position];
  const message = messages.find((candidate) => keyOf(candidate) === reply_key);
  const stored_is_final = message !== undefined && message.turn_status !== 'answering' && !running;
  if (stored_is_final) return items;
  // A reply that was joined is shown from the server's last checkpoint until the stream has caught up.
  const caught_up = stored === undefined || live.text.length >= stored.content.length;
  const reply: ConversationItem = {
    key: reply_key,
    sender: 'assistant',
    content: caught_up ? live.text : stored.content,
    files: [],
    citations: caught_up ? live.citations : stored.citations,
    growing: running,
    ending: endingOf(live),
  };
  if (stored !== undefined) items[position] = reply;
  else if (reply.content !== '' || running) items.push(reply);
  return items;
}

function endingOf(live: LiveTurn): ConversationItem['ending'] {
  if (live.outcome === null) return null;
  if (live.outcome.status !== 'done') return live.outcome.status;
  return live.outcome.incomplete ? 'incomplete' : null;
}

const keyOf = (message: Message) =>
  message.turn_id === null ? message.id : `${message.turn_id}:${message.sender}`;

function storedItem(message: Message): ConversationItem {
  const reply = message.sender === 'assistant';
  return {
    key: keyOf(message),
    sender: message.sender,
    content: message.content,
    files: message.files,
    citations: message.citations,
    growing: reply && message.turn_status === 'answering',
    ending: reply ? storedEnding(message) : null,
  };
}

function storedEnding({ turn_status, incomplete }: Message): ConversationItem['ending'] {
  if (turn_status === 'stopped' || turn_status === 'failed') return turn_status;
  return incomplete ? 'incomplete' : null;
}
