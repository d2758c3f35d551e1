import type http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { ask, NotAnswered, readJson } from './ask.ts';
import type { Random } from './random.ts';
import { acknowledge, type Member, newReading, noteEnd, type Reading, type Turn } from './turn-log.ts';

type ClientParts = {
  /** Where requests go: the balancer. */
  port: number;
  random: Random;
  /** Notes that something was not as it must be. */
  complain: (what: string) => void;
  /** Whether a reader has waited for too long. */
  isOverdue: (reading: Reading) => boolean;
};

type SendOptions = {
  /** Of a server in place of the balancer. */
  port?: number;
  /** The reader leaves. */
  signal?: AbortSignal;
  /** Refusals after which the same message is sent again. */
  waits_on?: string[];
  /** Is told the code of each refusal, and undefined when the message is taken in. */
  onAnswer?: (code: string | undefined) => void;
};

/** The server writes at least a comment each 15 s. */
const silence_ms = 45_000;

/**
 * Members who write down what they are told and believe nothing else. A stream that breaks is joined again after the last
 * word, at whichever server comes next; a message that nobody acknowledged is sent again under its id.
 */
export function createClient({ port, random, complain, isOverdue }: ClientParts) {
  const pause = (least_ms = 100, most_ms = 400) => delay(random.between(least_ms, most_ms));

  /** Sends a turn and reads it to its end, or until it is refused for good. */
  async function send(turn: Turn, options: SendOptions = {}): Promise<Reading> {
    const reading = newReading(turn);
    await read(reading, options);
    return reading;
  }

  /** Reads a turn that was acknowledged, from where the reading stands, or from its beginning. */
  async function join(turn: Turn, options: SendOptions = {}, reading = newReading(turn)): Promise<Reading> {
    reading.left = false;
    await read(reading, options);
    return reading;
  }

  async function read(reading: Reading, options: SendOptions) {
    const { turn } = reading;
    const { signal } = options;
    while (!signal?.aborted) {
      if (isOverdue(reading)) return complain(`${turn.id} has had no end for 90 s`);
      let answer: http.IncomingMessage;
      try {
        answer = await open(reading, options);
      } catch (error) {
        if (error instanceof NotAnswered) complain(`${turn.id}: ${error.message}`);
        if (!signal?.aborted) await pause();
        continue;
      }
      if (answer.statusCode !== 200) {
        if (await isFinal(reading, answer, options)) return;
        await pause();
        continue;
      }
      await readStream(reading, answer, options);
      if (reading.end) return;
      if (signal?.aborted) break;
      reading.breaks++;
      await pause();
    }
    reading.left = true;
  }

  /** Sends the message until it is acknowledged; from then on joins after the last word. */
  function open(reading: Reading, { port: own = port, signal }: SendOptions) {
    const { turn, text } = reading;
    const { token } = turn.chat.member;
    if (turn.user_message_id !== undefined) {
      reading.joins++;
      return ask({ port: own, path: `/api/turns/${turn.id}/events?after=${text.length}`, token, signal });
    }
    turn.sends++;
    return ask({
      port: own,
      method: 'POST',
      path: `/api/chat-sessions/${turn.chat.session_id}/turns`,
      token,
      signal,
      body: {
        id: turn.id,
        assistant_slug: 'carousel',
        ...(turn.repeats
          ? { repeats_message_id: turn.repeats.user_message_id }
          : { content: turn.content, edits_message_id: turn.edits?.user_message_id }),
      },
    });
  }

  /** Notes a refusal. True when it is the last word. */
  async function isFinal(
    { turn }: Reading,
    answer: http.IncomingMessage,
    { waits_on = [], onAnswer }: SendOptions,
  ) {
    const refusal = await readRefusal(answer).catch(() => undefined);
    if (!refusal) return false;
    const { status, code } = refusal;
    turn.refusals.push(code);
    onAnswer?.(code);
    if (code === 'unavailable' || waits_on.includes(code)) return false;
    if (turn.user_message_id === undefined) turn.refused = { status, code };
    else complain(`${turn.id} was taken in, and is answered ${status} ${code}`);
    return true;
  }

  async function readRefusal(answer: http.IncomingMessage) {
    const { code } = await readJson(answer);
    const status = answer.statusCode!;
    if (code === 'unavailable' && !(Number(answer.headers['retry-after']) > 0)) {
      complain(`${status} ${code} without Retry-After`);
    }
    if (status === 500 || !code) complain(`an answer ${status} ${code}`);
    return { status, code: String(code) };
  }

  /** Reads until the end or a break, and checks that nothing is missing, told twice or told differently. */
  function readStream(reading: Reading, answer: http.IncomingMessage, { onAnswer }: SendOptions) {
    const { turn } = reading;
    let events = 0;
    const parser = createParser({ onEvent: (event) => note(event) });
    const wrong = (what: string) => complain(`${turn.id} ${what}`);

    function note({ event, id, data }: EventSourceMessage) {
      const content = JSON.parse(data);
      const sequence = Number(id);
      if (reading.end) return wrong(`goes on after its end with ${event ?? 'text'}`);
      if ((event === 'turn') !== (events++ === 0)) wrong(`has a stream that does not begin with turn`);
      if (event === 'turn') {
        if (content.id !== turn.id || content.session_id !== turn.chat.session_id) wrong('is another turn');
        if (turn.user_message_id === undefined) onAnswer?.(undefined);
        const why = acknowledge(turn, content.user_message_id);
        if (why) wrong(why);
      } else if (event === undefined) {
        if (sequence - content.length !== reading.text.length) {
          wrong(
            `is at ${reading.text.length} and told ${content.length} up to ${sequence}: ${
              sequence - content.length > reading.text.length ? 'text is missing' : 'text comes twice'
            }`,
          );
        }
        reading.text = reading.text.slice(0, sequence - content.length) + content;
        reading.told.push({ length: reading.text.length, at_ms: Date.now() });
        if (turn.expected !== undefined && !turn.expected.startsWith(reading.text)) {
          wrong(`is told other words than the model said, before ${sequence}`);
        }
      } else if (event === 'end' || event === 'error') {
        if (event === 'end' ? sequence !== reading.text.length : sequence > reading.text.length) {
          wrong(`ends at ${sequence} after ${reading.text.length} were told`);
        }
        if (event === 'error' && content.counted) wrong('failed and was counted');
        noteEnd(reading, { event, sequence, ...content });
      }
    }

    return new Promise<void>((resolve) => {
      const silence = setTimeout(() => {
        wrong('has a stream without a comment for 45 s');
        answer.destroy();
      }, silence_ms);
      answer.setEncoding('utf8');
      answer.on('data', (chunk) => {
        silence.refresh();
        parser.feed(chunk);
      });
      answer.on('error', () => {});
      answer.on('close', () => {
        clearTimeout(silence);
        resolve();
      });
    });
  }

  /** Asks for a turn's stop. */
  async function stop(turn: Turn) {
    const { token } = turn.chat.member;
    try {
      const answer = await ask({ port, method: 'POST', path: `/api/turns/${turn.id}/stop`, token });
      if (answer.statusCode === 202) {
        answer.resume();
        turn.stop_acknowledged = true;
        return;
      }
      const { code } = await readRefusal(answer);
      // Its message may not have come in yet.
      if (code !== 'unavailable' && code !== 'not_found') complain(`a stop was answered ${code}`);
    } catch (error) {
      if (error instanceof NotAnswered) complain(`a stop: ${error.message}`);
    }
  }

  /** Reads something, once. Undefined where the server went away or asked to wait. */
  async function get(member: Member, path: string) {
    try {
      const answer = await ask({ port, path, token: member.token });
      if (answer.statusCode === 200) return await readJson(answer);
      const { code } = await readRefusal(answer);
      if (code !== 'unavailable') complain(`reading was answered ${code}`);
    } catch (error) {
      if (error instanceof NotAnswered) complain(`reading: ${error.message}`);
    }
    return undefined;
  }

  return { send, join, stop, get };
}
