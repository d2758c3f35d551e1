import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiError } from './api-error.ts';
import { conversationRoutes } from './conversations.ts';
import { createFaults, type Fault, type FaultAnswer, type Faults } from './faults.ts';
import { fileRoutes } from './files.ts';
import { newId } from './ids.ts';
import { modelRoutes } from './models.ts';
import { coachReply, type Reply } from './reply.ts';
import { type RequestBody, readBody } from './request-body.ts';
import { responseRoutes } from './responses.ts';
import { type Double, type Missing, matchPath, type Route } from './route.ts';
import { createState, type FakeOpenAIState } from './state.ts';
import { vectorStoreFileRoutes } from './vector-store-files.ts';
import { vectorStoreRoutes } from './vector-stores.ts';

export type FakeOpenAIOptions = {
  /** 0, the default, takes any free port. */
  port?: number;
  /** Writes the replies in place of the built-in coach. */
  reply?: Reply;
  /** The time before each word. */
  token_delay_ms?: number;
  /** How long a file in a vector store stays `in_progress`; 30 by default. */
  file_processing_ms?: number;
  /** Parts of the API that this server does not have, as some compatible servers. */
  without?: Missing[];
};

/** One request as it came in. `aborted`: the client left before it had the whole answer. */
type LoggedRequest = {
  method: string;
  path: string;
  query: Record<string, string>;
  /** Parsed JSON; for a form its fields and the names and sizes of its files. */
  body: unknown;
  status: number | null;
  aborted: boolean;
};

export type FakeOpenAI = {
  /** The base URL for a client: `http://127.0.0.1:<port>/v1`. */
  url: string;
  api_key: string;
  state: FakeOpenAIState;
  requests: LoggedRequest[];
  faults: Faults;
  close(): Promise<void>;
};

/**
 * A server that speaks OpenAI's protocol (Responses, Conversations, Files, Vector Stores, Models; by the
 * OpenAPI document 2.3.0), keeps what it is given and refuses what OpenAI refuses. It holds no language
 * model: replies come from `reply`.
 */
export async function startFakeOpenAI(options: FakeOpenAIOptions = {}): Promise<FakeOpenAI> {
  const api_key = `sk-fake-${newId('req').slice(4, 28)}`;
  const state = createState();
  const faults = createFaults();
  const requests: LoggedRequest[] = [];
  const timers = new Set<NodeJS.Timeout>();
  const double: Double = {
    state,
    reply: options.reply ?? coachReply,
    token_delay_ms: options.token_delay_ms ?? 1,
    file_processing_ms: options.file_processing_ms ?? 30,
    without: new Set(options.without),
    after(delay_ms, run) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        run();
      }, delay_ms);
      timers.add(timer);
    },
  };
  const routes = routesOf(double);

  async function handle(request: IncomingMessage, response: ServerResponse) {
    const { pathname: path, searchParams: query } = new URL(request.url!, 'http://fake');
    const method = request.method!;
    const logged: LoggedRequest = {
      method,
      path,
      query: Object.fromEntries(query),
      body: undefined,
      status: null,
      aborted: false,
    };
    requests.push(logged);
    response.on('close', () => {
      logged.aborted = !response.writableFinished;
      logged.status = response.headersSent ? response.statusCode : null;
    });
    response.setHeader('x-request-id', newId('req'));
    response.setHeader('openai-version', '2020-10-01');

    let fault: Fault | undefined;
    try {
      const body = await readBody(request);
      logged.body = loggedBody(body);
      checkKey(request, api_key);
      fault = faults.take({ method, path, body: logged.body });
      if (fault && 'hang' in fault) return;
      if (fault && 'refusal_without_end' in fault) {
        response.writeHead(fault.refusal_without_end, { 'content-type': 'application/json' });
        response.write('{"error":');
        return;
      }
      if (fault && 'wait_ms' in fault) {
        await delay(fault.wait_ms);
        fault = undefined;
      }
      if (fault && 'status' in fault) return sendFault(response, fault);
      const { route, params } = findRoute(routes, method, path);
      if (fault && path !== '/v1/responses' && breaksPlainAnswer(fault)) {
        if ('stall_after' in fault) return;
        if (!('corrupt_after' in fault)) return response.destroy();
      }
      const answer = await route.answer({ params, query, body, request, response, fault });
      if (answer !== undefined) sendJson(response, 200, answer, fault && 'corrupt_after' in fault);
    } catch (cause) {
      if (request.errored) return; // The client left before its request was complete.
      if (!(cause instanceof ApiError)) {
        response.destroy();
        throw cause;
      }
      sendJson(response, cause.status, cause.body);
    }
  }

  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    api_key,
    state,
    requests,
    faults,
    async close() {
      for (const timer of timers) clearTimeout(timer);
      for (const record of state.responses.values()) record.abort.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function routesOf(double: Double): Route[] {
  const { without } = double;
  return [
    ...modelRoutes(),
    ...responseRoutes(double),
    ...(without.has('conversations') ? [] : conversationRoutes(double)),
    ...(without.has('files') ? [] : fileRoutes(double)),
    ...(without.has('vector_stores') ? [] : [...vectorStoreRoutes(double), ...vectorStoreFileRoutes(double)]),
  ];
}

function findRoute(routes: Route[], method: string, path: string) {
  for (const route of routes) {
    const params = route.method === method ? matchPath(route.path, path) : undefined;
    if (params) return { route, params };
  }
  if (/^\/v1\/(threads|assistants)(\/|$)/.test(path)) {
    throw new ApiError(404, 'The Assistants API has been shut down. Use the Responses API instead.', {
      code: 'unknown_url',
    });
  }
  throw new ApiError(404, `Invalid URL (${method} ${path})`, { code: 'unknown_url' });
}

function checkKey(request: IncomingMessage, api_key: string) {
  const [scheme, key] = (request.headers.authorization ?? '').split(' ');
  if (scheme !== 'Bearer' || !key) {
    throw new ApiError(401, "You didn't provide an API key in the 'Authorization: Bearer' header.");
  }
  if (key === api_key) return;
  const masked = `${key.slice(0, 4)}***${key.slice(-4)}`;
  throw new ApiError(401, `Incorrect API key provided: ${masked}.`, { code: 'invalid_api_key' });
}

function breaksPlainAnswer(fault: Fault) {
  return 'stall_after' in fault || 'cut_after' in fault || 'end_after' in fault || 'corrupt_after' in fault;
}

function sendFault(response: ServerResponse, fault: FaultAnswer) {
  const { message, type, code, param } = fault.error;
  for (const [name, value] of Object.entries(fault.headers ?? {})) response.setHeader(name, value);
  sendJson(response, fault.status, new ApiError(fault.status, message, { type, code, param }).body);
}

function sendJson(response: ServerResponse, status: number, value: unknown, broken = false) {
  const text = JSON.stringify(value);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(broken ? text.slice(0, text.length >> 1) : text);
}

function loggedBody({ json, form }: RequestBody) {
  if (!form) return json;
  const files = Object.entries(form.files).map(([name, { filename, content }]) => [
    name,
    { filename, size_bytes: content.length },
  ]);
  return { ...form.fields, ...Object.fromEntries(files) };
}
