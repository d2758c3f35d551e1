import http from 'node:http';
import https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import type { Responses } from 'openai/resources/responses/responses';
import { AppError } from '../errors.ts';
import type { OpenAIConfig } from './openai-client.ts';
import { mendableIn, UpstreamUnusable, upstreamError } from './upstream-errors.ts';

/** How long each part of an upstream's answer may take. */
const connect_timeout_ms = 10_000;
const retry_limit = 2;
const longest_retry_wait_ms = 20_000;
const refusal_timeout_ms = 5_000;
/** Longer than any reply: an upstream that goes on with events that say nothing is given up. */
const longest_reply_ms = 15 * 60_000;

const agents = {
  'http:': new http.Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, scheduling: 'lifo' }),
  'https:': new https.Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, scheduling: 'lifo' }),
};

/** How long an answer whose last event was read may take to end, so that its connection is kept. */
const rest_timeout_ms = 1_000;

type Reading = {
  /** The names of the events that are wanted. */
  names: ReadonlySet<string>;
  /** When the answer must have begun, as `performance.now()`. */
  deadline_ms: number;
  signal: AbortSignal;
  /** The request was sent again, and may have been read before: a conversation may hold it twice. */
  onAskedAgain?: () => void;
};

/**
 * Posts a request to `/responses` and yields each event of its stream whose name is among `names`, or that has no name.
 *
 * Read with node:http and not with the SDK: at 200 streams the SDK costs nine times the delay and nearly twice the
 * processor. Retries only before the first byte, and while it can come before `deadline_ms` (as `performance.now()`).
 * Throws `model_…` errors, and `UpstreamUnusable`; ends quietly when the upstream closes the stream, so the caller
 * decides whether it was complete.
 */
export async function* streamResponse(
  config: OpenAIConfig,
  body: unknown,
  reading: Reading,
): AsyncGenerator<Responses.ResponseStreamEvent, void, void> {
  const { names, signal } = reading;
  const response = await postWithRetries(config, body, reading);
  const silence = setTimeout(stalled, config.patience_ms);
  const endless = setTimeout(stalled, longest_reply_ms);
  function stalled() {
    response.destroy(
      new AppError(
        'model_timed_out',
        'The coach went silent in the middle of the reply. This message was not counted; try again.',
      ),
    );
  }

  const events: Responses.ResponseStreamEvent[] = [];
  let hasEnded = false;
  let failure: unknown;
  let wake: (() => void) | undefined;
  const parser = createParser({
    onEvent({ event, data }) {
      // What follows a broken event would leave a gap in the text.
      if (failure) return;
      // A comment is no sign of a reply.
      silence.refresh();
      // Some events repeat all that was asked: those that nobody reads are not parsed.
      if ((event !== undefined && !names.has(event)) || data === '[DONE]') return;
      // Here and not where it is read: a piece of the text would hold all that arrived with it in memory.
      const parsed = parseEvent(data);
      if (parsed) events.push(parsed);
      else failure = brokenEvent();
    },
  });
  // By its events: iterating over the stream costs more than all else that is done with a word.
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    parser.feed(chunk);
    if (events.length > 0 || failure) wake?.();
  });
  response.on('end', () => {
    hasEnded = true;
    wake?.();
  });
  response.on('error', (error) => {
    failure = error;
    wake?.();
  });
  response.on('close', () => {
    hasEnded = true;
    wake?.();
  });

  try {
    for (;;) {
      for (let event = events.shift(); event; event = events.shift()) yield event;
      if (failure) throw failure;
      signal.throwIfAborted();
      if (hasEnded) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AppError) throw error;
    throw new AppError(
      'model_cut_off',
      'The connection to the coach broke off. This message was not counted; try again.',
      {
        cause: error,
      },
    );
  } finally {
    clearTimeout(silence);
    clearTimeout(endless);
    letGo(response, signal);
  }
}

/**
 * Reads an answer to its end, so that its connection serves the next turn: a new one costs the first word a handshake. One
 * that goes on is closed.
 */
function letGo(response: http.IncomingMessage, signal: AbortSignal) {
  if (response.readableEnded) return;
  if (signal.aborted) {
    response.destroy();
    return;
  }
  const timer = setTimeout(() => response.destroy(), rest_timeout_ms);
  timer.unref();
  response.on('close', () => clearTimeout(timer));
}

function parseEvent(data: string): Responses.ResponseStreamEvent | undefined {
  try {
    return JSON.parse(data) as Responses.ResponseStreamEvent;
  } catch {
    // The parser's message would quote the reply.
    return undefined;
  }
}

function brokenEvent() {
  return new AppError(
    'model_cut_off',
    'A part of the reply arrived broken. This message was not counted; try again.',
  );
}

async function postWithRetries(
  config: OpenAIConfig,
  body: unknown,
  { deadline_ms, signal, onAskedAgain }: Reading,
) {
  // As bytes, whose length is known without going through them again.
  const content = Buffer.from(JSON.stringify(body));
  for (let attempt = 0; ; attempt++) {
    let response: http.IncomingMessage;
    try {
      response = await post(config, content, deadline_ms, signal);
    } catch (error) {
      signal.throwIfAborted();
      // A kept connection that the upstream had just closed, mostly; it may have read the request all the same.
      const wasReset = ['ECONNRESET', 'EPIPE'].includes((error as { code?: string }).code ?? '');
      if ((wasReset || isUnreachable(error)) && attempt < retry_limit) {
        if (wasReset) onAskedAgain?.();
        await delay(100 * 2 ** attempt, undefined, { signal });
        continue;
      }
      if (error instanceof AppError) throw error;
      throw upstreamError({ code: (error as { code?: string }).code });
    }
    if (response.statusCode === 200) return response;
    const refusal = await readRefusal(response);
    const wait_ms = retryWait(response, attempt);
    const comesInTime = wait_ms <= longest_retry_wait_ms && performance.now() + wait_ms < deadline_ms;
    if (refusal.retriable && attempt < retry_limit && comesInTime) {
      if (response.statusCode !== 429) onAskedAgain?.();
      await delay(wait_ms, undefined, { signal });
      continue;
    }
    throw refusal.error;
  }
}

function post(config: OpenAIConfig, content: Buffer, deadline_ms: number, signal: AbortSignal) {
  const { request, answer } = openRequest(config, content.length, deadline_ms, signal);
  request.end(content);
  return answer;
}

/** Apart from what is sent, which its listeners would otherwise hold in memory as long as the reply lasts. */
function openRequest(config: OpenAIConfig, length: number, deadline_ms: number, signal: AbortSignal) {
  const url = new URL(`${config.base_url}/responses`);
  const protocol = url.protocol as 'http:' | 'https:';
  const request = (protocol === 'https:' ? https : http).request(url, {
    method: 'POST',
    agent: agents[protocol],
    signal,
    headers: {
      authorization: `Bearer ${config.api_key}`,
      'content-type': 'application/json',
      'content-length': length,
      accept: 'text/event-stream',
    },
  });
  const timedOut = () =>
    request.destroy(
      new AppError(
        'model_timed_out',
        'The coach did not answer in time. This message was not counted; try again in a minute.',
      ),
    );
  const connecting = setTimeout(timedOut, connect_timeout_ms);
  const answering = setTimeout(timedOut, Math.max(0, deadline_ms - performance.now()));
  const stopWaiting = () => {
    clearTimeout(connecting);
    clearTimeout(answering);
  };
  request.on('socket', (socket) => {
    if (socket.connecting) socket.once('connect', () => clearTimeout(connecting));
    else clearTimeout(connecting);
  });
  const answer = new Promise<http.IncomingMessage>((resolve, reject) => {
    request.on('response', (response) => {
      stopWaiting();
      resolve(response);
    });
    request.on('error', reject);
    request.on('close', stopWaiting);
  });
  return { request, answer };
}

function isUnreachable(error: unknown) {
  const code = (error as { code?: string }).code ?? '';
  return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'].includes(code);
}

function retryWait(response: http.IncomingMessage, attempt: number) {
  const ms = Number(response.headers['retry-after-ms']);
  if (ms > 0) return ms;
  const seconds = Number(response.headers['retry-after']);
  if (seconds > 0) return seconds * 1000;
  return 500 * 2 ** attempt;
}

type Refusal = { error: Error; retriable: boolean };

/** Turns an answer that is not 200 into our error. What the upstream wrote stays in the cause, by code only. */
async function readRefusal(response: http.IncomingMessage): Promise<Refusal> {
  const status = response.statusCode ?? 0;
  let text = '';
  const timer = setTimeout(() => response.destroy(), refusal_timeout_ms);
  try {
    for await (const chunk of response) {
      if (text.length < 20_000) text += chunk;
    }
  } catch {
    // A refusal that broke off, or does not end, is judged by its status alone.
  } finally {
    clearTimeout(timer);
  }
  let upstream: { code?: string | null; type?: string; message?: string; param?: string | null } = {};
  try {
    upstream = JSON.parse(text).error ?? {};
  } catch {
    // Not JSON: a proxy's page. The status says enough.
  }

  const mendable = mendableIn({ ...upstream, status });
  if (mendable) return { error: new UpstreamUnusable(mendable), retriable: false };
  const retry_after_ms = status === 429 ? retryWait(response, retry_limit) : undefined;
  return {
    error: upstreamError({ status, code: upstream.code, retry_after_ms }),
    retriable: upstream.code !== 'insufficient_quota' && (status === 429 || status >= 500),
  };
}
