import { setTimeout as wait } from 'node:timers/promises';
import type { Fault } from './faults.ts';
import { newId } from './ids.ts';
import { textOf } from './input-items.ts';
import { isReasoningModel, presentItem, presentResponse } from './response-object.ts';
import type { CreateResponse, FileSearchTool } from './response-request.ts';
import type { Double } from './route.ts';
import { type RetrievedPassage, searchStores } from './search.ts';
import type { Item, StoredConversation, StoredResponse } from './state.ts';
import { writeMessage } from './write-message.ts';

/** What the model is given beside the response's own parameters. */
export type ModelContext = {
  request: CreateResponse;
  conversation: StoredConversation | null;
  /** Everything before the request's own input, oldest first. */
  earlier: Item[];
};

/** One response under way, with what its steps share. */
export type Run = {
  double: Double;
  record: StoredResponse;
  context: ModelContext;
  fault: Fault;
  /** Adds an event; throws when the response was cancelled or a fault breaks the stream off here. */
  emit(type: string, fields: Record<string, unknown>): Promise<void>;
  /** An event that carries the whole response. */
  emitResponse(type: string): Promise<void>;
  /** Begins an output item and returns where it stands. */
  addItem(item: Item): Promise<{ item_id: string; output_index: number }>;
  finishItem(item: Item): Promise<void>;
  /** The time before a word. */
  pause(): Promise<void>;
};

/** The stream is broken off here by a fault. */
class Severed extends Error {
  readonly how: 'cut' | 'silent';
  constructor(how: 'cut' | 'silent') {
    super(how);
    this.how = how;
  }
}

const noFault: Fault = { stall_after: Infinity };

/**
 * Lets the response happen: its events are added to the record one by one, and at the end what was
 * said is added to the conversation. Resolves when it is over, in whatever way.
 */
export async function runResponse(
  double: Double,
  record: StoredResponse,
  context: ModelContext,
  fault: Fault = noFault,
) {
  const { response, abort } = record;
  try {
    await answer(createRun(double, record, context, fault));
  } catch (cause) {
    if (!(cause instanceof Severed) && !abort.signal.aborted) throw cause;
    response.status = 'cancelled';
    if (cause instanceof Severed) record.ended = cause.how;
  } finally {
    const { conversation } = context;
    if (conversation) {
      conversation.running_response_id = null;
      if (['completed', 'incomplete'].includes(response.status)) {
        conversation.items.push(...record.input_items, ...structuredClone(response.output));
      }
    }
    record.ended ??= 'completely';
    for (const listener of record.listeners) listener();
  }
}

async function answer(run: Run) {
  const { record, context } = run;
  const { request } = context;
  await run.emitResponse('response.created');
  if (record.background) {
    await run.emitResponse('response.queued');
    record.response.status = 'in_progress';
  }
  await run.emitResponse('response.in_progress');

  if (isReasoningModel(request.model!) && request.reasoning?.effort !== 'none') {
    const item = { id: newId('rs'), type: 'reasoning', summary: [] };
    await run.addItem(item);
    await run.pause();
    await run.finishItem(item);
  }

  const input = record.input_items.map(textOf).findLast((text) => text !== '') ?? '';
  const passages: RetrievedPassage[] = [];
  for (const tool of request.tools ?? []) {
    if (tool.type !== 'file_search' || request.tool_choice === 'none') continue;
    passages.push(...(await searchFiles(run, tool, input)));
  }
  await writeMessage(run, input, passages);
}

async function searchFiles(run: Run, tool: FileSearchTool, query: string) {
  const { state } = run.double;
  const item: Item = {
    id: newId('fs'),
    type: 'file_search_call',
    status: 'in_progress',
    queries: [],
    results: null,
  };
  const place = await run.addItem(item);
  await run.emit('response.file_search_call.in_progress', place);
  await run.emit('response.file_search_call.searching', place);
  await run.pause();
  const stores = tool.vector_store_ids.flatMap((id) => state.vectorStores.get(id) ?? []);
  const found = searchStores(state, stores, query, {
    limit: tool.max_num_results ?? 20,
    score_threshold: tool.ranking_options?.score_threshold,
    filter: tool.filters,
  });
  await run.emit('response.file_search_call.completed', place);
  await run.finishItem({ ...item, status: 'completed', queries: [query], results: found });
  return found;
}

function createRun(double: Double, record: StoredResponse, context: ModelContext, fault: Fault): Run {
  const { response, abort } = record;
  const include = context.request.include ?? [];

  async function emit(type: string, fields: Record<string, unknown>) {
    const sequence_number = record.events.length;
    if ('stall_after' in fault && sequence_number >= fault.stall_after) await wait(2 ** 31 - 1, null, abort);
    if ('cut_after' in fault && sequence_number >= fault.cut_after) throw new Severed('cut');
    if ('end_after' in fault && sequence_number >= fault.end_after) throw new Severed('silent');
    abort.signal.throwIfAborted();
    record.events.push(structuredClone({ type, sequence_number, ...fields }));
    for (const listener of record.listeners) listener();
  }

  return {
    double,
    record,
    context,
    fault,
    emit,
    emitResponse: (type) => emit(type, { response: presentResponse(response, include) }),
    async addItem(item) {
      const output_index = response.output.length;
      await emit('response.output_item.added', { output_index, item });
      return { item_id: item.id, output_index };
    },
    async finishItem(item) {
      const output_index = response.output.push(item) - 1;
      await emit('response.output_item.done', { output_index, item: presentItem(item, include) });
    },
    async pause() {
      await wait(double.token_delay_ms, null, abort);
    },
  };
}
