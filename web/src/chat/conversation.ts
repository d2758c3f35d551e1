import type { MemberFile } from '../files/file.ts';
import { isRunning, isUnsent, type LiveTurn } from './live-turn.ts';
import type { ChatHistory, Citation, Message } from './message.ts';

/** A message as it is shown. The key stays the same while a live message becomes a stored one, so nothing jumps. */
export type ConversationItem = {
  key: string;
  /** Null as long as the server has not told that it has the message. */
  message_id: string | null;
  sender: 'user' | 'assistant';
  content: string;
  files: MemberFile[];
  citations: Citation[];
  /** The reply still grows. */
  growing: boolean;
  ending: 'stopped' | 'failed' | 'incomplete' | null;
  history_shortened: boolean;
  /** The coach had to do without the files. */
  files_missing: boolean;
};

/** Why the last turn has no whole reply. The message can be answered again where its id is known. */
export type TurnFailure = {
  code: string;
  detail: string;
  retry: 'resend' | 'rejoin' | 'anew';
  user_message_id: string | null;
  /** The message had a reply already, which the server has put back. */
  had_reply: boolean;
};

/**
 * True when the chat was read after the turn had ended: what the server told then holds alone. Until then the
 * turn is laid over it, because what was read may lack the turn.
 */
function isSettled(live: LiveTurn, history: ChatHistory) {
  if (live.ended_at_ms === null || isUnsent(live)) return false;
  return history.asked_at_ms >= live.ended_at_ms && history.running_turn?.id !== live.id;
}

/** True when a turn can begin at a message of the chat: none runs, none is unsent, and the messages are the server's. */
export function isFree(history: ChatHistory | undefined, live: LiveTurn | undefined) {
  if (history === undefined || history.running_turn !== null) return false;
  return live === undefined || isSettled(live, history);
}

/** How the chat's last turn failed, if it did. This page knows the reason more exactly than a chat that is read later. */
export function failureOf(history: ChatHistory | undefined, live: LiveTurn | undefined): TurnFailure | null {
  const outcome = live?.outcome?.status === 'failed' ? live.outcome : null;
  if (live !== undefined && (history === undefined || !isSettled(live, history))) {
    if (outcome === null) return null;
    const { code, detail, retry } = outcome;
    return { code, detail, retry, user_message_id: live.user_message_id, had_reply: false };
  }
  const stored = history?.failed_turn;
  if (stored) {
    const detail = outcome !== null && live?.id === stored.id ? outcome.detail : stored.error_detail;
    const { error_code: code, user_message_id } = stored;
    return { code, detail, retry: 'anew', user_message_id, had_reply: false };
  }
  const asked = history?.messages.findLast(({ sender }) => sender === 'user');
  if (outcome === null || asked?.turn_id !== live?.id || asked?.turn_status !== 'failed') return null;
  const { code, detail } = outcome;
  return { code, detail, retry: 'anew', user_message_id: asked.id, had_reply: true };
}

/** The stored messages with the live turn laid over them. */
export function conversationItems(history: ChatHistory, live: LiveTurn | undefined): ConversationItem[] {
  const { messages } = history;
  const showStored = (message: Message) => storedItem(message, live);
  if (live === undefined || isSettled(live, history)) return messages.map(showStored);

  const is_running = isRunning(live);
  const isReply = (message: Message) => message.turn_id === live.id && message.sender === 'assistant';
  const stored_reply = messages.find(isReply);
  if (stored_reply !== undefined && !is_running) return messages.map(showStored);

  const { line, has_message } = lineBefore(messages, live);
  const items = line.filter((message) => !isReply(message)).map(showStored);
  if (!has_message && live.request !== null) items.push(requestItem(live, live.request));
  if (live.text !== '' || is_running) {
    items.push({
      key: `${live.id}:assistant`,
      message_id: null,
      sender: 'assistant',
      content: live.text,
      files: [],
      citations: live.citations,
      growing: is_running,
      ending: liveEnding(live),
      history_shortened:
        live.outcome !== null && live.outcome.status !== 'failed' && live.outcome.history_shortened,
      files_missing:
        live.outcome !== null && live.outcome.status !== 'failed' && live.outcome.files_missing === true,
    });
  }
  return items;
}

/**
 * The stored messages that stay before the live reply, and whether the message that it answers is among them.
 * What was read before the turn began still holds what has left the chat with it.
 */
function lineBefore(messages: Message[], { id, request }: LiveTurn) {
  if (request === null || messages.some((message) => message.turn_id === id)) {
    return { line: messages, has_message: true };
  }
  const positionOf = (message_id: string | null) =>
    messages.findIndex((message) => message.id === message_id);
  const repeated = positionOf(request.repeats_message_id);
  if (repeated !== -1) return { line: messages.slice(0, repeated + 1), has_message: true };
  const edited = positionOf(request.edits_message_id);
  return { line: edited === -1 ? messages : messages.slice(0, edited), has_message: false };
}

function requestItem(live: LiveTurn, { content, files }: NonNullable<LiveTurn['request']>): ConversationItem {
  return {
    key: `${live.id}:user`,
    message_id: live.user_message_id,
    sender: 'user',
    content,
    files,
    citations: [],
    growing: false,
    ending: null,
    history_shortened: false,
    files_missing: false,
  };
}

function storedItem(message: Message, live: LiveTurn | undefined): ConversationItem {
  const is_reply = message.sender === 'assistant';
  return {
    key: keyOf(message, live),
    message_id: message.id,
    sender: message.sender,
    content: message.content,
    files: message.files,
    citations: message.citations,
    growing: false,
    ending: is_reply ? storedEnding(message) : null,
    history_shortened: message.history_shortened,
    files_missing: message.files_missing === true,
  };
}

/** A reply goes by its turn; a member's message by its id, because another turn may answer it later. */
function keyOf({ id, sender, turn_id }: Message, live: LiveTurn | undefined) {
  if (sender === 'assistant') return turn_id === null ? id : `${turn_id}:assistant`;
  const is_new = live?.request != null && live.request.repeats_message_id === null;
  return is_new && (id === live.user_message_id || turn_id === live.id) ? `${live.id}:user` : id;
}

function liveEnding({ outcome }: LiveTurn): ConversationItem['ending'] {
  if (outcome === null) return null;
  if (outcome.status !== 'done') return outcome.status;
  return outcome.incomplete ? 'incomplete' : null;
}

function storedEnding({ turn_status, incomplete }: Message): ConversationItem['ending'] {
  if (turn_status === 'stopped' || turn_status === 'failed') return turn_status;
  return incomplete ? 'incomplete' : null;
}
