import { EventSourceParserStream } from 'eventsource-parser/stream';

type ReadEvent = { event: string; id: string | undefined; data: any };

/** Reads a turn's stream to its end: every event, the text put together, and the last event. */
export async function readTurn(answer: Response) {
  if (!answer.ok) throw new Error(`the turn was refused: ${answer.status} ${await answer.text()}`);
  const events: ReadEvent[] = [];
  for await (const event of turnEvents(answer)) events.push(event);
  return {
    events,
    text: events
      .filter((event) => event.event === 'text')
      .map((event) => event.data)
      .join(''),
    citations: events.filter((event) => event.event === 'citation').map((event) => event.data),
    opening: events[0]?.data,
    end: events.at(-1),
  };
}

/** Reads a turn while the test goes on. `spoken` resolves with its first words, `whole` when it has ended. */
export function readAlong(sending: Promise<Response>) {
  const { promise: spoken, resolve, reject } = Promise.withResolvers<void>();
  const whole = (async () => {
    const answer = await sending;
    if (!answer.ok) throw new Error(`the turn was refused: ${answer.status} ${await answer.text()}`);
    let text = '';
    let end: ReadEvent | undefined;
    for await (const event of turnEvents(answer)) {
      end = event;
      if (event.event !== 'text') continue;
      text += event.data;
      resolve();
    }
    return { text, end };
  })();
  whole.then(() => reject(new Error('the turn ended without a word')), reject);
  spoken.catch(() => {});
  return { spoken, whole };
}

/** The events of a turn's stream, one by one; stretches of text are called `text`. */
export async function* turnEvents(answer: Response): AsyncGenerator<ReadEvent> {
  const stream = answer.body!.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  for await (const event of stream) {
    yield { event: event.event ?? 'text', id: event.id, data: JSON.parse(event.data) };
  }
}
