import http from 'node:http';

type Question = {
  port: number;
  method?: string;
  path: string;
  token: string;
  body?: unknown;
  signal?: AbortSignal;
};

/** Longer than the product lets anybody wait for the beginning of an answer. */
const patience_ms = 60_000;

/**
 * One request over a connection of its own, so that the balancer sends each to the next server. Resolves with the
 * beginning of the answer; rejects where there is none.
 */
export function ask({ port, method = 'GET', path, token, body, signal }: Question) {
  return new Promise<http.IncomingMessage>((resolve, reject) => {
    const content = body === undefined ? undefined : JSON.stringify(body);
    const request = http.request({
      host: '127.0.0.1',
      port,
      method,
      path,
      agent: false,
      signal,
      headers: {
        authorization: `Bearer ${token}`,
        ...(content === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }),
      },
    });
    const late = setTimeout(
      () => request.destroy(new NotAnswered(`${method} was not answered`)),
      patience_ms,
    );
    request.on('response', (answer) => {
      clearTimeout(late);
      resolve(answer);
    });
    request.on('error', (error) => {
      clearTimeout(late);
      reject(error);
    });
    request.end(content);
  });
}

/** A server took the request and said nothing for a minute. */
export class NotAnswered extends Error {}

// biome-ignore lint/suspicious/noExplicitAny: the caller knows what it asked for.
export async function readJson(answer: http.IncomingMessage): Promise<any> {
  answer.setEncoding('utf8');
  let text = '';
  for await (const chunk of answer) text += chunk;
  return text === '' ? undefined : JSON.parse(text);
}
