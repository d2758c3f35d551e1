import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { readConfig } from '../config.ts';
import { streamResponse } from './openai-stream.ts';

const names = new Set(['response.output_text.delta', 'response.completed']);
let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function startUpstream(answer: RequestListener) {
  server = createServer(answer);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as { port: number };
  return readConfig({ OPENAI_API_KEY: 'a-key', OPENAI_BASE_URL: `http://127.0.0.1:${port}` }).openai!;
}

function eventOf(type: string) {
  return `event: ${type}\ndata: {"type":"${type}"}\n\n`;
}

/** Reads as the model does: up to the last event, and no further. */
async function readToLastEvent(
  config: Awaited<ReturnType<typeof startUpstream>>,
  signal = new AbortController().signal,
) {
  const read: string[] = [];
  const reading = { names, deadline_ms: performance.now() + 60_000, signal };
  for await (const event of streamResponse(config, { input: 'hello' }, reading)) {
    read.push(event.type);
    if (read.at(-1) === 'response.completed') break;
  }
  return read;
}

it('the connection of a reply serves a next one', async () => {
  const config = await startUpstream((_, response) => {
    response.write(eventOf('response.output_text.delta'));
    response.end(eventOf('response.completed'));
  });
  let connections = 0;
  server!.on('connection', () => connections++);
  for (let turn = 0; turn < 20; turn++) await readToLastEvent(config);
  expect(connections).toBeLessThan(20);
});

it('an upstream that goes on after its last event is hung up on', async () => {
  const left = Promise.withResolvers<void>();
  const config = await startUpstream((_, response) => {
    response.on('close', () => left.resolve());
    response.write(eventOf('response.completed'));
  });
  expect(await readToLastEvent(config)).toEqual(['response.completed']);
  await left.promise;
});

it('an event that is no JSON fails the reply after the words before it, without those after it, and is not quoted', async () => {
  const config = await startUpstream((_, response) => {
    const word = eventOf('response.output_text.delta');
    // In one piece, as when the machine has more to do.
    response.end(`${word}event: response.output_text.delta\ndata: {"delta": a secret\n\n${word}`);
  });
  const read: string[] = [];
  const reading = { names, deadline_ms: performance.now() + 60_000, signal: new AbortController().signal };
  const failed = (async () => {
    for await (const event of streamResponse(config, {}, reading)) read.push(event.type);
  })();
  const error = await failed.catch((error) => error);
  expect(error).toMatchObject({ code: 'model_cut_off' });
  expect(`${error.message} ${error.cause}`).not.toContain('secret');
  expect(read).toEqual(['response.output_text.delta']);
});

it('events without a name are handed on, those of other names are not', async () => {
  const config = await startUpstream((_, response) => {
    response.write(eventOf('response.created'));
    response.write('data: {"type":"response.output_text.delta"}\n\n');
    response.end(eventOf('response.completed'));
  });
  expect(await readToLastEvent(config)).toEqual(['response.output_text.delta', 'response.completed']);
});

it('a word that arrives in pieces, in the middle of a character too, is whole', async () => {
  const bytes = Buffer.from('data: {"type":"grün"}\n\n');
  const config = await startUpstream(async (_, response) => {
    for (const byte of bytes) {
      response.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end(eventOf('response.completed'));
  });
  expect(await readToLastEvent(config)).toEqual(['grün', 'response.completed']);
});

it('a connection that breaks is told after the words that arrived before', async () => {
  const config = await startUpstream((_, response) => {
    response.write(eventOf('response.output_text.delta'), () => response.destroy());
  });
  const read: string[] = [];
  const reading = {
    names,
    deadline_ms: performance.now() + 60_000,
    signal: new AbortController().signal,
  };
  const broken = (async () => {
    for await (const event of streamResponse(config, {}, reading)) read.push(event.type);
  })();
  await expect(broken).rejects.toMatchObject({ code: 'model_cut_off' });
  expect(read).toHaveLength(1);
});
