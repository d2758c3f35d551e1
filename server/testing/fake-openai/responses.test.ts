import OpenAI from 'openai';
import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FakeOpenAI, startFakeOpenAI } from './fake-openai.ts';

let fake: FakeOpenAI;
let openai: OpenAI;

beforeAll(async () => {
  fake = await startFakeOpenAI({ token_delay_ms: 0 });
  openai = new OpenAI({ baseURL: fake.url, apiKey: fake.api_key, maxRetries: 0 });
});
afterAll(() => fake.close());

async function eventsOf(stream: AsyncIterable<ResponseStreamEvent>) {
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** The types in order, repetitions folded. */
function typesOf(events: ResponseStreamEvent[]) {
  return events.map((event) => event.type).filter((type, at, all) => type !== all[at - 1]);
}

test('a streamed reply comes in the order of the real API, numbered without a gap', async () => {
  const events = await eventsOf(
    await openai.responses.create({ model: 'gpt-4.1', input: 'Help me with a headline', stream: true }),
  );

  expect(typesOf(events)).toEqual([
    'response.created',
    'response.in_progress',
    'response.output_item.added',
    'response.content_part.added',
    'response.output_text.delta',
    'response.output_text.done',
    'response.content_part.done',
    'response.output_item.done',
    'response.completed',
  ]);
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, at) => at));

  const text = events
    .map((event) => (event.type === 'response.output_text.delta' ? event.delta : ''))
    .join('');
  const end = events.at(-1) as ResponseStreamEvent & { response: Response };
  const content = end.response.output.find((item) => item.type === 'message')!.content;
  expect(content).toMatchObject([{ type: 'output_text', text }]);
  expect(text).toContain('Help me with a headline');
  expect(end.response.usage).toMatchObject({
    input_tokens: 6,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens_details: { reasoning_tokens: 0 },
  });
  expect(end.response.usage!.total_tokens).toBe(6 + end.response.usage!.output_tokens);
});

test('a reasoning model thinks first, so its message is not the first output item', async () => {
  const response = await openai.responses.create({ model: 'gpt-5-mini', input: 'Hello' });
  expect(response.output.map((item) => item.type)).toEqual(['reasoning', 'message']);
  expect(response.usage!.output_tokens_details.reasoning_tokens).toBeGreaterThan(0);
});

describe('conversations', () => {
  test('a finished turn is added, and the next one remembers it', async () => {
    const conversation = await openai.conversations.create({
      items: [
        { role: 'user', content: 'I sell repaired bicycles in Lyon' },
        { role: 'assistant', content: 'Good to know.' },
      ],
    });
    const first = await openai.responses.create({
      model: 'gpt-4.1',
      input: 'A caption',
      conversation: conversation.id,
    });
    expect(first.conversation).toEqual({ id: conversation.id });
    expect(textIn(first)).toContain('2 earlier messages; you began with “I sell repaired bicycles in Lyon”');

    const second = await openai.responses.create({
      model: 'gpt-4.1',
      input: 'Another',
      conversation: { id: conversation.id },
    });
    expect(textIn(second)).toContain('4 earlier messages');
    const items = await openai.conversations.items.list(conversation.id, { order: 'asc' });
    expect(items.data.map((item) => (item.type === 'message' ? item.role : item.type))).toEqual([
      'user',
      'assistant',
      'user',
      'assistant',
      'user',
      'assistant',
    ]);
  });

  test('a second response on a conversation is refused while the first one runs', async () => {
    const slow = await startFakeOpenAI({ token_delay_ms: 20 });
    const client = new OpenAI({ baseURL: slow.url, apiKey: slow.api_key, maxRetries: 0 });
    const { id } = await client.conversations.create();
    const stream = await client.responses.create({
      model: 'gpt-4.1',
      input: 'One',
      conversation: id,
      stream: true,
    });
    await expect(
      client.responses.create({ model: 'gpt-4.1', input: 'Two', conversation: id }),
    ).rejects.toMatchObject({
      status: 400,
      code: 'conversation_locked',
      param: 'conversation',
    });
    await eventsOf(stream);
    await client.responses.create({ model: 'gpt-4.1', input: 'Two', conversation: id });
    await slow.close();
  });

  test('previous_response_id carries the memory too, and only of stored responses', async () => {
    const first = await openai.responses.create({ model: 'gpt-4.1', input: 'Remember the lighthouse' });
    const second = await openai.responses.create({
      model: 'gpt-4.1',
      input: 'And now',
      previous_response_id: first.id,
    });
    expect(textIn(second)).toContain('you began with “Remember the lighthouse”');

    const loose = await openai.responses.create({ model: 'gpt-4.1', input: 'Hello', store: false });
    await expect(openai.responses.retrieve(loose.id)).rejects.toMatchObject({ status: 404 });
    await expect(
      openai.responses.create({ model: 'gpt-4.1', input: 'And', previous_response_id: loose.id }),
    ).rejects.toMatchObject({ status: 400, code: 'previous_response_not_found' });
  });
});

describe('leaving and cancelling', () => {
  test('the client that leaves cancels its response, and the conversation stays as it was', async () => {
    const slow = await startFakeOpenAI({ token_delay_ms: 20 });
    const client = new OpenAI({ baseURL: slow.url, apiKey: slow.api_key, maxRetries: 0 });
    const { id } = await client.conversations.create();
    const stream = await client.responses.create({
      model: 'gpt-4.1',
      input: 'One',
      conversation: id,
      stream: true,
    });
    for await (const event of stream) if (event.type === 'response.output_text.delta') break;

    await expect
      .poll(() => [...slow.state.responses.values()][0])
      .toMatchObject({
        cancelled_by: 'disconnect',
        response: { status: 'cancelled' },
      });
    expect(slow.requests.at(-1)).toMatchObject({ path: '/v1/responses', aborted: true });
    expect(slow.state.conversations.get(id)).toMatchObject({ items: [], running_response_id: null });
    await slow.close();
  });

  test('a background response outlives its reader and can be joined where it was left', async () => {
    const stream = await openai.responses.create({
      model: 'gpt-4.1',
      input: 'One',
      background: true,
      stream: true,
    });
    let last = 0;
    let id = '';
    for await (const event of stream) {
      last = event.sequence_number;
      if (event.type === 'response.created') id = event.response.id;
      if (event.type === 'response.output_text.delta') break;
    }
    const rest = await eventsOf(await openai.responses.retrieve(id, { stream: true, starting_after: last }));
    expect(rest[0]!.sequence_number).toBe(last + 1);
    expect(rest.at(-1)!.type).toBe('response.completed');
  });

  test('only a background response can be cancelled', async () => {
    const plain = await openai.responses.create({ model: 'gpt-4.1', input: 'One' });
    await expect(openai.responses.cancel(plain.id)).rejects.toMatchObject({ status: 400 });

    const background = await openai.responses.create({ model: 'gpt-4.1', input: 'One', background: true });
    expect(background.status).toMatch(/queued|in_progress/);
    expect((await openai.responses.cancel(background.id)).status).toBe('cancelled');
    expect((await openai.responses.cancel(background.id)).status).toBe('cancelled');
  });

  test('a deleted response is gone', async () => {
    const { id } = await openai.responses.create({ model: 'gpt-4.1', input: 'One' });
    expect((await openai.responses.inputItems.list(id)).data).toHaveLength(1);
    await openai.responses.delete(id);
    await expect(openai.responses.retrieve(id)).rejects.toMatchObject({ status: 404 });
  });
});

test('max_output_tokens cuts the reply short and says so', async () => {
  const response = await openai.responses.create({ model: 'gpt-4.1', input: 'Hello', max_output_tokens: 16 });
  expect(response).toMatchObject({
    status: 'incomplete',
    incomplete_details: { reason: 'max_output_tokens' },
  });
  expect(response.usage!.output_tokens).toBeLessThanOrEqual(16);
});

test('a test can write the replies itself and sees what the model was given', async () => {
  const own = await startFakeOpenAI({
    reply: ({ input, instructions, earlier }) => `${input}|${instructions}|${earlier.length}`,
  });
  const client = new OpenAI({ baseURL: own.url, apiKey: own.api_key });
  const response = await client.responses.create({
    model: 'gpt-4.1',
    instructions: 'Be short',
    input: [
      { role: 'user', content: 'Before' },
      { role: 'user', content: [{ type: 'input_text', text: 'Now' }] },
    ],
  });
  expect(response.output_text).toBe('Now|Be short|1');
  await own.close();
});

test('an instance without conversations or vector stores refuses both, as some compatible servers do', async () => {
  const bare = await startFakeOpenAI({ without: ['conversations', 'vector_stores'] });
  const client = new OpenAI({ baseURL: bare.url, apiKey: bare.api_key, maxRetries: 0 });
  await expect(client.conversations.create()).rejects.toMatchObject({ status: 404 });
  await expect(
    client.responses.create({ model: 'gpt-4.1', input: 'Hi', conversation: 'conv_1' }),
  ).rejects.toMatchObject({ status: 400, code: 'unknown_parameter' });
  await expect(
    client.responses.create({
      model: 'gpt-4.1',
      input: 'Hi',
      tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }],
    }),
  ).rejects.toMatchObject({ status: 400, param: 'tools[0].type' });
  await bare.close();
});

function messageIn(response: Response) {
  return response.output.find((item) => item.type === 'message')!;
}

function textIn(response: Response) {
  const [part] = messageIn(response).content;
  return part?.type === 'output_text' ? part.text : '';
}
