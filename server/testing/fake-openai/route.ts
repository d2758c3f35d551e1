import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Fault } from './faults.ts';
import type { Reply } from './reply.ts';
import type { RequestBody } from './request-body.ts';
import type { FakeOpenAIState } from './state.ts';
import { validate } from './validate.ts';

/** What every part of the double works on. */
export type Double = {
  state: FakeOpenAIState;
  reply: Reply;
  token_delay_ms: number;
  file_processing_ms: number;
  without: ReadonlySet<Missing>;
  /** A timer that ends with the server. */
  after(delay_ms: number, run: () => void): void;
};

/** Parts of the API that an otherwise compatible server may not have. */
export type Missing = 'conversations' | 'files' | 'vector_stores';

export type Call = {
  params: Record<string, string>;
  query: URLSearchParams;
  body: RequestBody;
  request: IncomingMessage;
  response: ServerResponse;
  fault: Fault | undefined;
};

/** `answer` returns what is sent as JSON; undefined when it has written the response itself. */
export type Route = { method: string; path: string; answer(call: Call): unknown };

/** The values of a path's `:parameters`, or undefined when it is another path. */
export function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    if (part.startsWith(':')) params[part.slice(1)] = decodeURIComponent(given[at]!);
    else if (part !== given[at]) return undefined;
  }
  return params;
}

/** The query by the names in `shape`, refused where it holds another. Arrays come as `name[]` or `name`. */
export function parseQuery<Shape extends z.ZodRawShape>(shape: Shape, query: URLSearchParams) {
  const given: Record<string, unknown> = {};
  for (const key of new Set(query.keys())) {
    const name = key.replace(/\[\d*\]$/, '');
    const isList = name !== key || name === 'include';
    given[name] = isList ? query.getAll(key) : query.get(key);
  }
  return validate(z.strictObject(shape), given);
}
