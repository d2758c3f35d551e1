import type { MemberFile } from '../files/file.ts';
import type { Citation } from './message.ts';
import type { TurnEvent } from './turn-stream.ts';

/**
 * How a turn ended. A failed one says how to go on: `resend` the same turn, because it may never have
 * arrived; `rejoin` it, because it goes on without us; or have the message answered `anew`.
 */
export type TurnOutcome =
  | {
      status: 'done' | 'stopped';
      message_id: string | null;
      incomplete: boolean;
      history_shortened: boolean;
      files_missing?: boolean;
    }
  | { status: 'failed'; code: string; detail: string; retry: 'resend' | 'rejoin' | 'anew' };

/** A turn that this page has sent or joined, as far as it has come. */
export type LiveTurn = {
  id: string;
  chat_session_id: string;
  /** Null for a joined turn: the member's message then comes with the chat's messages. */
  request: TurnRequest | null;
  /** Known as soon as the server has the message. */
  user_message_id: string | null;
  title: string | null;
  status: 'sending' | 'preparing_files' | 'searching_files' | 'thinking' | 'answering';
  /** How many of the files are ready while they are made ready. */
  progress?: { ready: number; total: number } | undefined;
  connected: boolean;
  stopping: boolean;
  text: string;
  citations: Citation[];
  outcome: TurnOutcome | null;
  /** When this page learned the outcome, by its clock (`performance.now()`). */
  ended_at_ms: number | null;
};

export type TurnRequest = {
  assistant_slug: string;
  /** The member's words and files. Where a message is answered again they are shown, not sent. */
  content: string;
  files: MemberFile[];
  /** The message of the member's whose place these words take. */
  edits_message_id: string | null;
  /** The message of the member's that is answered again; `edits_message_id` then tells only where it stands. */
  repeats_message_id: string | null;
  /** Where the words came from, and go back to when the server refuses them; null when nothing was written. */
  draft_key: string | null;
};

export function newLiveTurn(id: string, chat_session_id: string, request: TurnRequest | null): LiveTurn {
  return {
    id,
    chat_session_id,
    request,
    user_message_id: null,
    title: null,
    status: request === null ? 'thinking' : 'sending',
    connected: true,
    stopping: false,
    text: '',
    citations: [],
    outcome: null,
    ended_at_ms: null,
  };
}

/**
 * The turn after an event. Text carries where it ends, so what a re-joined stream repeats replaces itself.
 * Throws when text is missing in between: joining again brings it.
 */
export function applyTurnEvent(turn: LiveTurn, event: TurnEvent, now_ms = performance.now()): LiveTurn {
  switch (event.type) {
    case 'turn':
      return { ...turn, connected: true, user_message_id: event.user_message_id, title: event.title };
    case 'status':
      return {
        ...turn,
        status: event.status,
        progress: event.total === undefined ? undefined : { ready: event.ready ?? 0, total: event.total },
      };
    case 'text': {
      const start = event.sequence === null ? turn.text.length : event.sequence - event.text.length;
      if (start > turn.text.length) throw new Error('A stretch of the reply is missing.');
      const end = start + event.text.length;
      if (end <= turn.text.length) return turn;
      return { ...turn, status: 'answering', text: turn.text.slice(0, start) + event.text };
    }
    case 'citation': {
      const others = turn.citations.filter((citation) => citation.number !== event.citation.number);
      return { ...turn, citations: [...others, event.citation].sort((a, b) => a.number - b.number) };
    }
    case 'end': {
      const { status, message_id, incomplete, history_shortened, files_missing = false } = event;
      const outcome = { status, message_id, incomplete, history_shortened, files_missing };
      return { ...turn, stopping: false, outcome, ended_at_ms: now_ms };
    }
    case 'error': {
      const { code, detail } = event;
      const outcome = { status: 'failed', code, detail, retry: 'anew' } as const;
      return { ...turn, stopping: false, outcome, ended_at_ms: now_ms };
    }
  }
}

/** True as long as the reply may still grow. */
export function isRunning(turn: LiveTurn | undefined) {
  return turn !== undefined && turn.outcome === null;
}

/** True when it is not certain that the server ever got the request: sending something else would lose it. */
export function isUnsent(turn: LiveTurn | undefined) {
  return turn?.outcome?.status === 'failed' && turn.outcome.retry === 'resend';
}
