import type { ServerResponse } from 'node:http';
import type { TurnEnd, TurnReader } from './running-turn.ts';

const comment_ms = 15_000;
/** A reader that is this far behind is let go; it joins again from where it is. */
const longest_backlog_bytes = 1024 * 1024;

type TurnStream = TurnReader & { close: () => void };

/**
 * Writes a turn's events to a browser as Server-Sent Events, straight to Node's response: a few bytes a word, each
 * with the sequence number from which a reader can join again. `onClose` is called when the browser leaves.
 */
export function openTurnStream(
  response: ServerResponse,
  opening: { id: string; session_id: string; user_message_id: string; title: string },
  headers: Record<string, string>,
  onClose: () => void,
): TurnStream {
  response.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  const comments = setInterval(() => write(':\n\n'), comment_ms);
  comments.unref();
  response.on('close', () => {
    clearInterval(comments);
    onClose();
  });

  function write(frame: string) {
    if (response.writableEnded || response.destroyed) return;
    response.write(frame);
    if (response.writableLength > longest_backlog_bytes) response.destroy();
  }
  function close() {
    clearInterval(comments);
    if (!response.writableEnded) response.end();
  }

  write(`event:turn\ndata:${JSON.stringify(opening)}\n\n`);
  return {
    text: (stretch, sequence) => write(`id:${sequence}\ndata:${JSON.stringify(stretch)}\n\n`),
    status: (status, sequence, progress) =>
      write(`event:status\nid:${sequence}\ndata:${JSON.stringify({ status, ...progress })}\n\n`),
    citation: (citation, sequence) =>
      write(`event:citation\nid:${sequence}\ndata:${JSON.stringify(citation)}\n\n`),
    end(end, sequence) {
      const { event, ...data } = describe(end);
      write(`event:${event}\nid:${sequence}\ndata:${JSON.stringify(data)}\n\n`);
      close();
    },
    close,
  };
}

function describe(end: TurnEnd) {
  if (end.event === 'error') {
    const { code, message } = end.error;
    return { event: 'error', code, detail: message, counted: end.counted };
  }
  return end;
}
