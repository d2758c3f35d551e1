import { expect, test } from 'vitest';
import { readTurnStream, type TurnEvent } from './turn-stream.ts';

function streamOf(chunks: Uint8Array[], { close = true } = {}) {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      if (close) controller.close();
    },
  });
}

const bytes = (text: string) => new TextEncoder().encode(text);

async function read(stream: ReadableStream<Uint8Array>, silent_after_ms?: number) {
  const events: TurnEvent[] = [];
  const ended = await readTurnStream(stream, (event) => events.push(event), silent_after_ms);
  return { events, ended };
}

const end =
  'event: end\ndata: {"status":"done","message_id":"m","incomplete":false,"allowance":{"messages":4}}\n\n';

test('every kind of event arrives in order with its data', async () => {
  const { events, ended } = await read(
    streamOf([
      bytes('event: turn\ndata: {"id":"t","session_id":"s","user_message_id":"u","title":"T"}\n\n'),
      bytes(': still here\n\nevent: status\ndata: {"status":"thinking"}\n\n'),
      bytes('id: 5\ndata: "Hello"\n\n'),
      bytes(`event: citation\ndata: {"number":1,"index":5}\n\n${end}`),
    ]),
  );
  expect(events.map((event) => event.type)).toEqual(['turn', 'status', 'text', 'citation', 'end']);
  expect(events[2]).toEqual({ type: 'text', text: 'Hello', sequence: 5 });
  expect(ended).toBe(true);
});

test('text survives being cut anywhere, even inside a letter', async () => {
  const whole = bytes(`id: 4\ndata: "Größe ✅"\n\n${end}`);
  for (let cut = 1; cut < whole.length; cut++) {
    const { events } = await read(streamOf([whole.slice(0, cut), whole.slice(cut)]));
    expect(events[0]).toMatchObject({ type: 'text', text: 'Größe ✅' });
  }
});

test('a stream that closes without telling its end counts as broken', async () => {
  expect(await read(streamOf([bytes('id: 2\ndata: "Hi"\n\n')]))).toMatchObject({ ended: false });
});

test('a stream that falls silent counts as broken', async () => {
  const { ended, events } = await read(streamOf([bytes('id: 2\ndata: "Hi"\n\n')], { close: false }), 20);
  expect(ended).toBe(false);
  expect(events).toHaveLength(1);
});

test('an unknown kind of event is passed over', async () => {
  const { events, ended } = await read(streamOf([bytes(`event: weather\ndata: {"sun":true}\n\n${end}`)]));
  expect(events.map((event) => event.type)).toEqual(['end']);
  expect(ended).toBe(true);
});
