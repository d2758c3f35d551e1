import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { Allowance } from '../accounts/me.ts';
import type { Citation } from './message.ts';

/** What arrives while a coach answers. `sequence`: length of the reply in UTF-16 units, this event included. */
export type TurnEvent =
  | { type: 'turn'; id: string; session_id: string; user_message_id: string; title: string }
  /** `ready`, `total`: of the files that are made ready. */
  | {
      type: 'status';
      status: 'preparing_files' | 'searching_files' | 'thinking';
      ready?: number;
      total?: number;
    }
  | { type: 'text'; text: string; sequence: number | null }
  | { type: 'citation'; citation: Citation }
  | {
      type: 'end';
      status: 'done' | 'stopped';
      message_id: string | null;
      incomplete: boolean;
      history_shortened: boolean;
      /** The coach had to do without the files. */
      files_missing?: boolean;
      /** Null where the account is gone. */
      allowance: Allowance | null;
    }
  | { type: 'error'; code: string; detail: string; counted: boolean };

/** Understands one server-sent event; null for kinds that this version does not know. */
function turnEventFrom(message: EventSourceMessage): TurnEvent | null {
  const data = JSON.parse(message.data);
  switch (message.event) {
    case undefined:
    case '':
    case 'message': {
      const sequence = Number.parseInt(message.id ?? '', 10);
      return { type: 'text', text: data, sequence: Number.isNaN(sequence) ? null : sequence };
    }
    case 'citation':
      return { type: 'citation', citation: data };
    case 'turn':
    case 'status':
    case 'end':
    case 'error':
      return { ...data, type: message.event };
    default:
      return null;
  }
}

/** The server writes at least a comment every 15 s; three times that without a byte is a dead line. */
const silence_ms = 45_000;

/**
 * Reads a turn's stream and hands on each event. Answers true when the turn told its end, false when the
 * stream broke off or fell silent before it; the caller then joins again.
 */
export async function readTurnStream(
  body: ReadableStream<Uint8Array>,
  onEvent: (event: TurnEvent) => void,
  silent_after_ms = silence_ms,
): Promise<boolean> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let ended = false;
  const parser = createParser({
    onEvent: (message) => {
      const event = turnEventFrom(message);
      if (event === null || ended) return;
      ended = event.type === 'end' || event.type === 'error';
      onEvent(event);
    },
  });
  try {
    while (!ended) {
      const chunk = await readBefore(reader, silent_after_ms);
      if (chunk === null || chunk.done) return ended;
      parser.feed(decoder.decode(chunk.value, { stream: true }));
    }
  } catch {
    // A broken connection, or an event cut in two by a proxy: joining again brings what is missing.
  } finally {
    reader.cancel().catch(() => {});
  }
  return ended;
}

async function readBefore(reader: ReadableStreamDefaultReader<Uint8Array>, timeout_ms: number) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, timeout_ms, null);
  });
  try {
    return await Promise.race([reader.read(), silence]);
  } finally {
    clearTimeout(timer);
  }
}
