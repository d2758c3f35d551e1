import type { HistoryMessage, ModelTurn } from '../../platform/models/model.ts';
import type { Coach } from '../coach-file.ts';
import { applyMessage, emptyState } from './apply-message.ts';
import { composeReply, type ReplyContext } from './compose-reply.ts';

import { type ReplyPiece, readQuotes } from './reply-with-files.ts';
import { plainText } from './safe-markdown.ts';

/** What a reply follows from: plain data, so that it can go to another thread. */
export type Thought = ReplyContext['turn'] & { coach: Coach };

/** More of a message than this is not read: far beyond any answer or draft. */
const max_message_characters = 8000;
/** So much of a chat is read in full. No member writes it by hand; of what comes after, each message is cut shorter. */
const max_chat_characters = 100_000;
const max_late_message_characters = 2000;

/** What there is to say to a turn's message, piece by piece. The same thought and findings give the same pieces. */
export function think(thought: Thought, search: ModelTurn['searchFiles']): AsyncGenerator<ReplyPiece> {
  return composeReply(readChat(thought), search);
}

/** A turn's messages cut to what is read of them. Later turns cut the same messages at the same places. */
export function cutMessages({ history, message }: Pick<ModelTurn, 'history' | 'message'>) {
  let left = max_chat_characters;
  const cut = (text: string) => {
    const read = text.slice(0, left > 0 ? max_message_characters : max_late_message_characters);
    left -= read.length;
    return read;
  };
  return {
    history: history.map(
      ({ sender, content }): HistoryMessage => ({
        sender,
        content: sender === 'user' ? cut(content) : content.slice(0, max_message_characters),
      }),
    ),
    message: { ...message, content: message.content.slice(0, max_message_characters) },
  };
}

/** Plays the chat from its first message, so that nothing but its messages has to be kept. */
function readChat({ coach, ...turn }: Thought): ReplyContext {
  let state = emptyState;
  let offered: string[] = [];
  const shown = new Set<string>();
  for (const { sender, content } of turn.history) {
    if (sender === 'user') {
      state = applyMessage(coach, state, plainText(content), offered).state;
      offered = [];
    } else {
      const reply = readQuotes(content);
      for (const quote of reply.quotes) shown.add(quote);
      offered = reply.offered ? reply.quotes : [];
    }
  }
  const text = plainText(turn.message.content);
  const applied = applyMessage(coach, state, text, offered);
  return { coach, turn, before: state, state: applied.state, move: applied.move, text, shown };
}
