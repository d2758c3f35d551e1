// The readers: many streams at once from one process, over plain sockets so that bytes and times are exact. Each stream has a
// connection of its own, sends a turn, reads it to its end and sends the next one.
import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { answerQuestions } from './ask.ts';
import { now_ms } from './clock.ts';

/** One reader's requests. In `body`, `{{id}}` becomes a new uuid and `tag-` + 12 signs one that finds the turn upstream. */
export type Stream = { port: number; head: string; body: string };

export type Load = {
  streams: Stream[];
  /** What stands at the beginning of each word in the bytes that are read. */
  word_mark: string;
  /** Streams begin one after the other over this time, so that they do not go in step. */
  spread_ms: number;
  /** Turns that begin before this time are not told: the servers warm up. */
  warm_ms: number;
  /** No turn begins after this. */
  duration_ms: number;
  /** One turn a stream, and return as soon as all were sent. */
  once?: boolean;
};

/** A turn as its reader saw it. */
export type ReadTurn = {
  tag: string;
  sent_ms: number;
  /** When each word arrived. */
  words_ms: number[];
  ended_ms: number;
  bytes: number;
};

const tag_mark = 'tag-000000000000';
let turns: ReadTurn[] = [];
let failures: string[] = [];
let running: Promise<void>[] = [];
let count = 0;

async function readStream(load: Load, stream: Stream, index: number, started_ms: number) {
  await sleep((index / load.streams.length) * load.spread_ms);
  const socket = connect({ port: stream.port, host: '127.0.0.1', noDelay: true });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  do {
    const turn = await readTurn(socket, stream, load.word_mark);
    if (turn.sent_ms - started_ms >= load.warm_ms) turns.push(turn);
  } while (!load.once && now_ms() - started_ms < load.duration_ms);
  socket.destroy();
}

function readTurn(socket: Socket, { head, body }: Stream, mark: string) {
  const tag = `tag-${(++count).toString().padStart(12, '0')}`;
  const filled = body.replace('{{id}}', randomUUID()).replace(tag_mark, tag);
  const turn: ReadTurn = { tag, sent_ms: 0, words_ms: [], ended_ms: 0, bytes: 0 };
  return new Promise<ReadTurn>((resolve, reject) => {
    let rest = '';
    const onData = (chunk: Buffer) => {
      const arrived_ms = now_ms();
      const text = rest + chunk.toString('latin1');
      if (turn.bytes === 0 && !text.startsWith('HTTP/1.1 200')) return end(new Error(text));
      turn.bytes += chunk.length;
      let at = text.indexOf(mark);
      while (at >= 0) {
        turn.words_ms.push(arrived_ms);
        at = text.indexOf(mark, at + mark.length);
      }
      // The last chunk of a chunked answer. No word is counted twice: less than a mark is kept.
      if (text.endsWith('\r\n0\r\n\r\n')) {
        turn.ended_ms = arrived_ms;
        end();
      }
      rest = text.slice(1 - mark.length);
    };
    const onClose = () => end(new Error('the connection was closed in the middle of a turn'));
    socket.on('data', onData);
    socket.on('close', onClose);
    socket.on('error', onClose);
    function end(error?: Error) {
      socket.off('data', onData);
      socket.off('close', onClose);
      socket.off('error', onClose);
      if (error) reject(error);
      else resolve(turn);
    }
    turn.sent_ms = now_ms();
    socket.write(`${head}content-length: ${Buffer.byteLength(filled)}\r\n\r\n${filled}`);
  });
}

function sleep(ms: number) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

answerQuestions({
  /** Reads until the load's time is over and every turn has ended. Answers the turns, and what failed. */
  load: async (load: Load) => {
    turns = [];
    failures = [];
    const started_ms = now_ms();
    running = load.streams.map((stream, index) =>
      readStream(load, stream, index, started_ms).catch((error) => {
        failures.push(error.message.slice(0, 500));
      }),
    );
    if (load.once) return { turns, failures };
    await Promise.all(running);
    return { turns, failures };
  },
  /** Waits for the turns of a load that was sent `once`. */
  rest: async () => {
    await Promise.all(running);
    return { turns, failures };
  },
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  },
});
