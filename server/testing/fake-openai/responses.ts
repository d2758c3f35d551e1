import { z } from 'zod';
import { ApiError, badRequest, checkIdPrefix } from './api-error.ts';
import { getConversation } from './conversations.ts';
import type { Fault } from './faults.ts';
import { getFile } from './files.ts';
import { unixNow } from './ids.ts';
import { checkMessageParts, type InputItem, storedItems } from './input-items.ts';
import { itemListQuery, listPage } from './list-page.ts';
import { checkModel, newResponse, presentItem, presentResponse } from './response-object.ts';
import { type CreateResponse, createResponseSchema } from './response-request.ts';
import { type Call, type Double, parseQuery, type Route } from './route.ts';
import { type ModelContext, runResponse } from './run-response.ts';
import { includeSchema } from './shared-schemas.ts';
import { type FakeOpenAIState, type Item, isExpired, type StoredResponse } from './state.ts';
import { responseEnd, streamResponse } from './stream-response.ts';
import { validate } from './validate.ts';

const flag = z
  .enum(['true', 'false'])
  .transform((value) => value === 'true')
  .optional();

const getResponseQuery = {
  include: includeSchema.optional(),
  stream: flag,
  starting_after: z.coerce.number().pipe(z.int().min(0)).optional(),
  include_obfuscation: flag,
};

export function responseRoutes(double: Double): Route[] {
  const { state } = double;
  const path = '/v1/responses/:response_id';
  return [
    { method: 'POST', path: '/v1/responses', answer: (call) => createResponse(double, call) },
    {
      method: 'GET',
      path,
      answer: async ({ params, query, response, fault }) => {
        const record = getResponse(state, params.response_id!);
        const { include, stream, starting_after, include_obfuscation } = parseQuery(getResponseQuery, query);
        if (!stream) return presentResponse(record.response, include ?? []);
        if (!record.background || !record.stream) {
          throw badRequest(
            'This response cannot be streamed because it was not created with background=true and stream=true.',
          );
        }
        await streamResponse(record, response, {
          starting_after,
          obfuscated: include_obfuscation ?? true,
          fault,
        });
      },
    },
    {
      method: 'DELETE',
      path,
      answer: ({ params }) => {
        const { response } = getResponse(state, params.response_id!);
        state.responses.delete(response.id);
        return { id: response.id, object: 'response', deleted: true };
      },
    },
    {
      method: 'POST',
      path: `${path}/cancel`,
      answer: async ({ params }) => {
        const record = getResponse(state, params.response_id!);
        if (!record.background) throw badRequest('Cannot cancel a synchronous response.');
        if (!record.ended) {
          record.cancelled_by = 'request';
          record.abort.abort();
          await responseEnd(record);
        }
        return presentResponse(record.response, []);
      },
    },
    {
      method: 'GET',
      path: `${path}/input_items`,
      answer: ({ params, query }) => {
        const record = getResponse(state, params.response_id!);
        const { include, ...page } = parseQuery(
          { ...itemListQuery, include: includeSchema.optional() },
          query,
        );
        const items = record.input_items.map((item) => presentItem(item, include ?? []));
        return listPage(items, page, { limit: 20 });
      },
    },
  ];
}

async function createResponse(double: Double, { body, response, fault }: Call) {
  const json = body.json ?? {};
  checkMessageParts((json as { input?: unknown }).input, 'input');
  const request = validate(createResponseSchema, json);
  const record = startResponse(double, request, fault);

  if (record.background && !request.stream) return presentResponse(record.response, request.include ?? []);

  response.on('close', () => {
    if (record.ended || record.background) return;
    record.cancelled_by = 'disconnect';
    record.abort.abort();
  });
  if (request.stream) {
    const obfuscated = request.stream_options?.include_obfuscation ?? true;
    await streamResponse(record, response, { obfuscated, fault });
    return undefined;
  }
  await responseEnd(record);
  if (record.ended !== 'completely') {
    response.destroy();
    return undefined;
  }
  if (fault && 'error_event' in fault) {
    throw new ApiError(500, fault.error_event.message, {
      type: 'server_error',
      code: fault.error_event.code,
    });
  }
  return presentResponse(record.response, request.include ?? []);
}

/** Checks whatever OpenAI checks before it takes a request on, locks the conversation and lets the response run. */
function startResponse(double: Double, request: CreateResponse, fault: Fault | undefined): StoredResponse {
  const { state } = double;
  checkTogether(double, request);
  checkModel(request);
  const context = contextOf(state, request);
  checkFilesAndStores(state, request);
  const input_items = storedItems(request.input ?? [], 'input', (id) => findItem(state, id));
  const { conversation } = context;
  if (conversation?.running_response_id) {
    throw badRequest(
      'Another process is currently operating on this conversation. Please retry in a few seconds.',
      'conversation_locked',
      'conversation',
    );
  }

  const record: StoredResponse = {
    response: newResponse(request, conversation?.id ?? null),
    input_items,
    events: [],
    background: request.background ?? false,
    stream: request.stream ?? false,
    stored: request.store ?? true,
    cancelled_by: null,
    ended: null,
    abort: new AbortController(),
    listeners: new Set(),
  };
  if (conversation) conversation.running_response_id = record.response.id;
  state.responses.set(record.response.id, record);
  void runResponse(double, record, context, fault);
  return record;
}

function checkTogether({ without }: Double, request: CreateResponse) {
  if (request.conversation != null && without.has('conversations')) {
    throw badRequest("Unknown parameter: 'conversation'.", 'unknown_parameter', 'conversation');
  }
  const search = request.tools?.findIndex((tool) => tool.type === 'file_search') ?? -1;
  if (search >= 0 && without.has('vector_stores')) {
    const param = `tools[${search}].type`;
    throw badRequest(
      "Invalid value: 'file_search'. Supported values are: 'function'.",
      'invalid_value',
      param,
    );
  }
  if (request.conversation != null && request.previous_response_id != null) {
    throw badRequest(
      "Mutually exclusive parameters. Ensure you are only providing one of: 'previous_response_id' or 'conversation'.",
      'mutually_exclusive_parameters',
    );
  }
  if (
    request.input === undefined &&
    !request.prompt &&
    !request.conversation &&
    !request.previous_response_id
  ) {
    throw badRequest(
      "One of 'input', 'previous_response_id', 'prompt' or 'conversation' must be provided.",
      'missing_required_parameter',
    );
  }
  if (request.background && request.store === false) {
    throw badRequest("Background mode requires 'store' to be true.", 'invalid_value', 'store');
  }
}

/** Everything that came before, from the conversation or from the chain of previous responses. */
function contextOf(state: FakeOpenAIState, request: CreateResponse): ModelContext {
  const given = request.conversation ?? null;
  if (given !== null) {
    const conversation = getConversation(state, typeof given === 'string' ? given : given.id, 'conversation');
    return { request, conversation, earlier: [...conversation.items] };
  }
  const earlier: Item[] = [];
  for (let id = request.previous_response_id; id; ) {
    checkIdPrefix(id, 'resp', 'previous_response_id');
    const previous = state.responses.get(id);
    if (!previous?.stored) {
      throw badRequest(
        `Previous response with id '${id}' not found.`,
        'previous_response_not_found',
        'previous_response_id',
      );
    }
    earlier.unshift(...previous.input_items, ...previous.response.output);
    id = previous.response.previous_response_id as string | null;
  }
  return { request, conversation: null, earlier };
}

function checkFilesAndStores(state: FakeOpenAIState, request: CreateResponse) {
  for (const [at, tool] of (request.tools ?? []).entries()) {
    if (tool.type !== 'file_search') continue;
    const ids = tool.vector_store_ids;
    for (const id of ids) checkIdPrefix(id, 'vs', `tools[${at}].vector_store_ids`);
    const unknown = ids.filter((id) => !state.vectorStores.has(id));
    if (unknown.length > 0) {
      throw new ApiError(
        404,
        `Vector store with id [${unknown.map((id) => `'${id}'`).join(', ')}] not found.`,
      );
    }
    const expired = ids.find((id) => isExpired(state.vectorStores.get(id)!));
    if (expired) throw badRequest(`Vector store with id '${expired}' is expired.`);
    for (const id of ids) state.vectorStores.get(id)!.last_active_at = unixNow();
  }
  const items: InputItem[] = Array.isArray(request.input) ? request.input : [];
  for (const item of items) {
    if (!('content' in item) || !Array.isArray(item.content)) continue;
    for (const part of item.content) {
      if ('file_id' in part && part.file_id) getFile(state, String(part.file_id), 'input');
    }
  }
}

/** An item that a reference names, wherever it is kept. */
function findItem(state: FakeOpenAIState, id: string): Item {
  const kept = [
    ...[...state.conversations.values()].flatMap((conversation) => conversation.items),
    ...[...state.responses.values()].flatMap(({ input_items, response }) => [
      ...input_items,
      ...response.output,
    ]),
  ];
  const item = kept.find((one) => one.id === id);
  if (!item) throw new ApiError(404, `Item with id '${id}' not found.`, { param: 'input' });
  return item;
}

function getResponse(state: FakeOpenAIState, id: string): StoredResponse {
  checkIdPrefix(id, 'resp', 'response_id');
  const record = state.responses.get(id);
  if (!record?.stored) throw new ApiError(404, `Response with id '${id}' not found.`);
  return record;
}
