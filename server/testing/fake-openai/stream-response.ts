import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Fault } from './faults.ts';
import { newId } from './ids.ts';
import type { StoredResponse, StreamEvent } from './state.ts';

/**
 * Writes the record's events as they come, from the one after `starting_after` on, and closes the
 * stream as the response ended. A reader that is gone or slow holds nothing up but its own stream.
 */
export async function streamResponse(
  record: StoredResponse,
  response: ServerResponse,
  options: { starting_after?: number; obfuscated: boolean; fault: Fault | undefined },
) {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  });
  response.flushHeaders();
  const gone = once(response, 'close');
  let next = (options.starting_after ?? -1) + 1;
  while (!response.destroyed) {
    const changed = nextChange(record);
    for (; next < record.events.length && !response.destroyed; next++) {
      const event = record.events[next]!;
      const broken =
        options.fault && 'corrupt_after' in options.fault && options.fault.corrupt_after === next;
      if (!response.write(written(event, options.obfuscated, broken))) {
        await Promise.race([once(response, 'drain'), gone]);
      }
    }
    if (record.ended && next >= record.events.length) break;
    await Promise.race([changed, gone]);
  }
  if (record.ended === 'cut') response.destroy();
  else response.end();
}

/** Resolves when the response has come to its end. */
export async function responseEnd(record: StoredResponse) {
  while (!record.ended) await nextChange(record);
}

function nextChange(record: StoredResponse) {
  if (record.ended) return Promise.resolve();
  return new Promise<void>((resolve) => {
    const listener = () => {
      record.listeners.delete(listener);
      resolve();
    };
    record.listeners.add(listener);
  });
}

/** Deltas carry a random filling by default, so that their length gives nothing away to a listener on the line. */
function written(event: StreamEvent, obfuscated: boolean, broken: boolean | undefined) {
  const filling =
    obfuscated && event.type.endsWith('.delta')
      ? { obfuscation: newId('msg').slice(4, 20 - (String(event.delta).length % 12)) }
      : {};
  const data = JSON.stringify({ ...event, ...filling });
  return `event: ${event.type}\ndata: ${broken ? data.slice(0, data.length >> 1) : data}\n\n`;
}
