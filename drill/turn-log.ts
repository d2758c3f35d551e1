import { replyTo, writeMessage } from './scripted-model.ts';

/** Somebody who sends messages. `quota`: messages a month; null is unlimited. */
export type Member = { id: string; auth_id: string; token: string; quota: number | null };

/** A chat as its member knows it. */
export type Chat = {
  session_id: string;
  member: Member;
  /** The turns of the line that is shown, first to last: what was taken in, as far as it was not edited away. */
  line: Turn[];
};

/** Everything that a member was told about one turn. */
export type Turn = {
  id: string;
  chat: Chat;
  content: string;
  edits: Turn | undefined;
  repeats: Turn | undefined;
  /** The whole reply, where it is known beforehand. */
  expected: string | undefined;
  /** Set once the message was acknowledged. */
  user_message_id: string | undefined;
  /** The last word on a message that was not taken in. */
  refused: { status: number; code: string } | undefined;
  /** Every refusal, also those after which the same message was sent again. */
  refusals: string[];
  sends: number;
  /** The reply whose place this one takes: it comes back when this one fails, or is stopped before its first word. */
  former: Turn | undefined;
  /** The server said that it will stop. */
  stop_acknowledged: boolean;
  readings: Reading[];
};

/** What one reader of a turn was told, over as many connections as it took. */
export type Reading = {
  turn: Turn;
  started_ms: number;
  text: string;
  /** How much had been told at which time, for each stretch of text. */
  told: { length: number; at_ms: number }[];
  end: End | undefined;
  joins: number;
  breaks: number;
  /** The reader went away on purpose and did not come back. */
  left: boolean;
};

/** `sequence`: the length of the text that is kept. */
type End = { sequence: number } & (
  | { event: 'end'; status: 'done' | 'stopped'; message_id: string | null; incomplete: boolean }
  | { event: 'error'; code: string; counted: boolean }
);

type NewTurn = { name: string; words: number; id: string; edits?: Turn; repeats?: Turn };

export function newTurn(chat: Chat, { name, words, id, edits, repeats }: NewTurn): Turn {
  const content = repeats?.content ?? writeMessage(name, words);
  return {
    id,
    chat,
    content,
    edits,
    repeats,
    expected: replyTo(content),
    user_message_id: undefined,
    refused: undefined,
    refusals: [],
    sends: 0,
    former: undefined,
    stop_acknowledged: false,
    readings: [],
  };
}

export function newReading(turn: Turn): Reading {
  const reading: Reading = {
    turn,
    started_ms: Date.now(),
    text: '',
    told: [],
    end: undefined,
    joins: 0,
    breaks: 0,
    left: false,
  };
  turn.readings.push(reading);
  return reading;
}

/** Notes that a message was taken in, and what that makes of the chat's line. Returns what is wrong with it. */
export function acknowledge(turn: Turn, user_message_id: string): string | undefined {
  if (turn.user_message_id !== undefined) {
    return turn.user_message_id === user_message_id ? undefined : 'is told with another message than before';
  }
  turn.user_message_id = user_message_id;
  const { line } = turn.chat;
  const replaced = turn.edits ?? turn.repeats;
  if (replaced) line.length = line.indexOf(replaced);
  if (turn.repeats && keptText(turn.repeats)) turn.former = turn.repeats;
  line.push(turn);
  if (turn.repeats && turn.repeats.user_message_id !== user_message_id) return 'repeats another message';
  return undefined;
}

/** Notes what a reader was told last, and what that makes of the chat's line. */
export function noteEnd(reading: Reading, end: End) {
  const { turn } = reading;
  const isKnown = endOf(turn) !== undefined;
  reading.end = end;
  const counts = end.event === 'end' && (end.status === 'done' || end.sequence > 0);
  const { line } = turn.chat;
  if (!isKnown && !counts && turn.former) line[line.indexOf(turn)] = turn.former;
}

/** The turn's end as its readers were told it. */
export function endOf(turn: Turn): End | undefined {
  return turn.readings.find((reading) => reading.end)?.end;
}

/** The reply's text that is kept, by what the readers were told. */
export function keptText(turn: Turn): string | undefined {
  const reading = turn.readings.find(({ end }) => end);
  return reading?.text.slice(0, reading.end!.sequence);
}

/** The messages of a chat as its member knows them; undefined while the end of one is not known. */
export function knownMessages({
  line,
}: Chat): { sender: 'user' | 'assistant'; content: string }[] | undefined {
  if (!line.every(endOf)) return undefined;
  return line.flatMap((turn) => {
    const kept = keptText(turn);
    return [
      { sender: 'user' as const, content: turn.content },
      ...(kept ? [{ sender: 'assistant' as const, content: kept }] : []),
    ];
  });
}
