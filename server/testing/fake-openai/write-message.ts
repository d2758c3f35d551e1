import type { Fault } from './faults.ts';
import { newId, unixNow } from './ids.ts';
import { textOf } from './input-items.ts';
import { charactersIn, citationsIn } from './reply.ts';
import type { ModelContext, Run } from './run-response.ts';
import type { RetrievedPassage } from './search.ts';
import type { Item, ResponseStatus, StoredResponse } from './state.ts';

type Place = { item_id: string; output_index: number; content_index: number };

/** The last step of a response: its message, word by word, and the event that ends the stream. */
export async function writeMessage(run: Run, input: string, passages: RetrievedPassage[]) {
  const { record, context, double, fault } = run;
  const message: Item = {
    id: newId('msg'),
    type: 'message',
    status: 'in_progress',
    role: 'assistant',
    content: [],
  };
  const place = { ...(await run.addItem(message)), content_index: 0 };
  if ('refusal' in fault) return refuse(run, message, place, fault.refusal);

  const earlier = [...context.earlier, ...record.input_items.slice(0, -1)]
    .filter((item) => item.type === 'message')
    .map((item) => ({ role: String(item.role), text: textOf(item) }));
  const instructions = context.request.instructions ?? null;
  const reply = double.reply({ input, instructions, passages, earlier });
  const { words, outcome } = plannedReply(stretchesOf(reply), fault, context.request.max_output_tokens);

  const part = { type: 'output_text', text: '', annotations: [], logprobs: [] };
  await run.emit('response.content_part.added', { ...place, part });
  const annotations = await writeWords(run, place, words, passages);

  if ('error_event' in fault) {
    record.response.status = 'failed';
    record.response.error = { code: 'server_error', message: fault.error_event.message };
    return run.emit('error', { param: null, ...fault.error_event });
  }
  if ('failed' in fault) {
    record.response.error = { code: fault.failed, message: fault.message ?? 'The model failed to answer.' };
    return end(run, 'failed', words);
  }
  const text = words.join('');
  const content = { ...part, text, annotations };
  await run.emit('response.output_text.done', { ...place, text, logprobs: [] });
  await run.emit('response.content_part.done', { ...place, part: content });
  await run.finishItem({ ...message, status: outcome, content: [content] });
  if (outcome === 'incomplete') {
    const reason = 'incomplete' in fault ? fault.incomplete : 'max_output_tokens';
    record.response.incomplete_details = { reason };
  }
  return end(run, outcome, words);
}

/** How much of the reply is said: all of it, or what a fault or the request's limit leaves. */
function plannedReply(words: string[], fault: Fault, max_output_tokens: number | null | undefined) {
  const stop = ('after' in fault ? fault.after : undefined) ?? words.length >> 1;
  if ('incomplete' in fault) return { words: words.slice(0, stop), outcome: 'incomplete' as const };
  if ('failed' in fault || 'error_event' in fault)
    return { words: words.slice(0, stop), outcome: 'failed' as const };
  const limit = (max_output_tokens ?? Infinity) * 4;
  let length = 0;
  const fitting = words.filter((word) => {
    length += word.length;
    return length <= limit;
  });
  return {
    words: fitting,
    outcome: fitting.length < words.length ? ('incomplete' as const) : ('completed' as const),
  };
}

/** The deltas, and each citation as soon as its quote is complete, as OpenAI sends it. */
async function writeWords(run: Run, place: Place, words: string[], passages: RetrievedPassage[]) {
  const citations = citationsIn(words.join(''), passages);
  const annotations: object[] = [];
  let text = '';
  for (const delta of words) {
    await run.pause();
    text += delta;
    await run.emit('response.output_text.delta', { ...place, delta, logprobs: [] });
    while (citations[0] && citations[0].index <= charactersIn(text)) {
      const annotation = { type: 'file_citation', ...citations.shift()! };
      const annotation_index = annotations.push(annotation) - 1;
      await run.emit('response.output_text.annotation.added', { ...place, annotation_index, annotation });
    }
  }
  return annotations;
}

async function refuse(run: Run, message: Item, place: Place, refusal: string) {
  const part = { type: 'refusal', refusal };
  await run.emit('response.content_part.added', { ...place, part: { ...part, refusal: '' } });
  for (const delta of stretchesOf(refusal)) {
    await run.pause();
    await run.emit('response.refusal.delta', { ...place, delta });
  }
  await run.emit('response.refusal.done', { ...place, refusal });
  await run.emit('response.content_part.done', { ...place, part });
  await run.finishItem({ ...message, status: 'completed', content: [part] });
  await end(run, 'completed', [refusal]);
}

async function end({ record, context, emitResponse }: Run, status: ResponseStatus, words: string[]) {
  const { response } = record;
  response.status = status;
  response.usage = usageOf(context, record, words.join(''));
  if (status === 'completed') response.completed_at = unixNow();
  await emitResponse(`response.${status}`);
}

/** A reply comes word by word, each with the space before it. */
function stretchesOf(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? [];
}

/** About four characters make a token; good enough for a double that bills nobody. */
function tokensOf(text: string) {
  return Math.ceil(text.length / 4);
}

/** A repeated beginning of 1,024 tokens or more comes from the cache, in steps of 128. */
function usageOf(context: ModelContext, { response, input_items }: StoredResponse, reply: string) {
  const known = (context.request.instructions ?? '') + context.earlier.map(textOf).join('\n');
  const found = response.output.flatMap(
    (item) => (item.results as { text: string }[] | null | undefined) ?? [],
  );
  const fresh = [...input_items.map(textOf), ...found.map(({ text }) => text)].join('\n');
  const known_tokens = tokensOf(known);
  const input_tokens = known_tokens + tokensOf(fresh);
  const reasoning_tokens = response.output.some((item) => item.type === 'reasoning') ? 64 : 0;
  const output_tokens = tokensOf(reply) + reasoning_tokens;
  const isCached = context.earlier.length > 0 && known_tokens >= 1024;
  return {
    input_tokens,
    input_tokens_details: {
      cached_tokens: isCached ? known_tokens - (known_tokens % 128) : 0,
      cache_write_tokens: 0,
    },
    output_tokens,
    output_tokens_details: { reasoning_tokens },
    total_tokens: input_tokens + output_tokens,
  };
}
