import { badRequest } from './api-error.ts';
import { newId, unixNow } from './ids.ts';
import type { CreateResponse } from './response-request.ts';
import type { Item, ResponseObject } from './state.ts';

/** A response as it is before its first word: the request's parameters with OpenAI's defaults filled in. */
export function newResponse(request: CreateResponse, conversation_id: string | null): ResponseObject {
  return {
    id: newId('resp'),
    object: 'response',
    created_at: unixNow(),
    completed_at: null,
    status: request.background ? 'queued' : 'in_progress',
    background: request.background ?? false,
    conversation: conversation_id ? { id: conversation_id } : null,
    error: null,
    incomplete_details: null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: request.max_tool_calls ?? null,
    metadata: request.metadata ?? {},
    model: request.model,
    output: [],
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: request.previous_response_id ?? null,
    prompt_cache_key: request.prompt_cache_key ?? null,
    prompt_cache_retention: request.prompt_cache_retention ?? null,
    reasoning: { effort: request.reasoning?.effort ?? null, summary: request.reasoning?.summary ?? null },
    safety_identifier: request.safety_identifier ?? null,
    service_tier: 'default',
    store: request.store ?? true,
    temperature: request.temperature ?? 1,
    text: {
      format: request.text?.format ?? { type: 'text' },
      verbosity: request.text?.verbosity ?? 'medium',
    },
    tool_choice: request.tool_choice ?? 'auto',
    tools: (request.tools ?? []).map((tool) =>
      tool.type === 'file_search'
        ? {
            filters: null,
            max_num_results: 20,
            ranking_options: { ranker: 'auto', score_threshold: 0 },
            ...tool,
          }
        : tool,
    ),
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? 1,
    truncation: request.truncation ?? 'disabled',
    ...(request.user === undefined ? {} : { user: request.user }),
  };
}

/** What a file search retrieved is shown to whom it asked for with `include` only. */
export function presentItem<Shown extends Item>(item: Shown, include: readonly string[]): Shown {
  if (item.type !== 'file_search_call' || include.includes('file_search_call.results')) return item;
  return { ...item, results: null };
}

export function presentResponse(response: ResponseObject, include: readonly string[]): ResponseObject {
  return { ...response, output: response.output.map((item) => presentItem(item, include)) };
}

/** o-series and the first GPT-5 models think before they answer. */
export function isReasoningModel(model: string) {
  return /^(o\d|gpt-[5-9])/.test(model) && !model.includes('chat');
}

/** Throws the 400 for a model that does not exist, and for a parameter that this model does not take. */
export function checkModel(request: CreateResponse) {
  const { model } = request;
  if (model === undefined) {
    throw badRequest("Missing required parameter: 'model'.", 'missing_required_parameter', 'model');
  }
  if (!/^(gpt-|o\d)/.test(model)) {
    throw badRequest(`The requested model '${model}' does not exist.`, 'model_not_found', 'model');
  }
  const refused = isReasoningModel(model)
    ? // From GPT-5.1 on they are taken where thinking is off.
      /^(o\d|gpt-5(-|$))/.test(model)
      ? (['temperature', 'top_p'] as const).find((name) => request[name] != null)
      : undefined
    : request.reasoning?.effort != null
      ? 'reasoning.effort'
      : undefined;
  if (refused) {
    throw badRequest(
      `Unsupported parameter: '${refused}' is not supported with this model.`,
      'unsupported_parameter',
      refused,
    );
  }
}
