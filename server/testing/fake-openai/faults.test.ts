import { createParser } from 'eventsource-parser';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type FakeOpenAI, startFakeOpenAI } from './fake-openai.ts';
import { balanceExhausted, type Fault, overloaded, rateLimited, serverError } from './faults.ts';

let fake: FakeOpenAI;
let openai: OpenAI;

beforeAll(async () => {
  fake = await startFakeOpenAI({ token_delay_ms: 0 });
  openai = new OpenAI({ baseURL: fake.url, apiKey: fake.api_key, maxRetries: 0 });
});
beforeEach(() => fake.faults.clear());
afterAll(() => fake.close());

/** What a bare reader gets: the data of each event, and how the stream ended. */
async function read(fault: Fault, signal?: AbortSignal) {
  fake.faults.next('/v1/responses', fault);
  const events: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => events.push(data) });
  const answer = await fetch(`${fake.url}/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${fake.api_key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4.1', input: 'Hello', stream: true }),
    signal,
  });
  const decoder = new TextDecoder();
  try {
    for await (const chunk of answer.body!) parser.feed(decoder.decode(chunk, { stream: true }));
    return { events, broken: false };
  } catch {
    return { events, broken: true };
  }
}

test.each([
  ['a rate limit', rateLimited(250), { status: 429, code: 'rate_limit_exceeded' }],
  ['an exhausted balance', balanceExhausted(), { status: 429, code: 'insufficient_quota' }],
  ['a server error', serverError(), { status: 500, type: 'server_error' }],
  ['an overload', overloaded(), { status: 503, type: 'server_error' }],
])('%s is answered once, and the next request is served', async (_, fault, error) => {
  fake.faults.next('/v1/responses', fault);
  const request = { model: 'gpt-4.1', input: 'Hello' };
  const refusal = openai.responses.create(request);
  await expect(refusal).rejects.toMatchObject(error);
  await expect(openai.responses.create(request)).resolves.toMatchObject({ status: 'completed' });
});

test('a rate limit says in its headers how long to wait', async () => {
  fake.faults.next('/v1/responses', rateLimited(250));
  const error = await openai.responses.create({ model: 'gpt-4.1', input: 'Hello' }).catch((cause) => cause);
  expect(error.headers.get('retry-after-ms')).toBe('250');
});

test('a fault waits for its own request', async () => {
  fake.faults.next('GET /v1/conversations/:id', serverError());
  fake.faults.next(/^\/v1\/files/, overloaded());
  const { id } = await openai.conversations.create();
  expect(fake.faults.waiting).toBe(2);
  await expect(openai.conversations.retrieve(id)).rejects.toMatchObject({ status: 500 });
  await expect(openai.files.list()).rejects.toMatchObject({ status: 503 });
  expect(fake.faults.waiting).toBe(0);
});

test('hang never answers, and the log tells that the client gave up', async () => {
  fake.faults.next('/v1/responses', { hang: true });
  const request = openai.responses.create({ model: 'gpt-4.1', input: 'Hello' }, { timeout: 60 });
  await expect(request).rejects.toBeInstanceOf(OpenAI.APIConnectionTimeoutError);
  await expect.poll(() => fake.requests.at(-1)).toMatchObject({ aborted: true, status: null });
});

test('stall_after falls silent until the client leaves, and is cancelled then', async () => {
  const { events, broken } = await read({ stall_after: 6 }, AbortSignal.timeout(150));
  expect({ count: events.length, broken }).toEqual({ count: 6, broken: true });
  await expect
    .poll(() => [...fake.state.responses.values()].at(-1))
    .toMatchObject({ cancelled_by: 'disconnect', response: { status: 'cancelled' } });
});

test('cut_after breaks the connection in the middle', async () => {
  const { events, broken } = await read({ cut_after: 6 });
  expect({ count: events.length, broken }).toEqual({ count: 6, broken: true });
});

test('end_after ends in good order without a final event', async () => {
  const { events, broken } = await read({ end_after: 6 });
  expect({ count: events.length, broken }).toEqual({ count: 6, broken: false });
  expect(JSON.parse(events.at(-1)!).type).toBe('response.output_text.delta');
});

test('corrupt_after breaks the JSON of one event', async () => {
  const { events } = await read({ corrupt_after: 5 });
  expect(() => JSON.parse(events[5]!)).toThrow();
  expect(JSON.parse(events[4]!).sequence_number).toBe(4);
  expect(JSON.parse(events.at(-1)!).type).toBe('response.completed');
});

test('failed ends with response.failed and its code after part of the text', async () => {
  const { events } = await read({ failed: 'server_error', after: 2 });
  const parsed = events.map((data) => JSON.parse(data));
  expect(parsed.filter((event) => event.type === 'response.output_text.delta')).toHaveLength(2);
  expect(parsed.at(-1)).toMatchObject({
    type: 'response.failed',
    response: { status: 'failed', error: { code: 'server_error' } },
  });
});

test('incomplete ends with response.incomplete and its reason, and keeps what was said', async () => {
  const { events } = await read({ incomplete: 'max_output_tokens', after: 3 });
  const { type, response } = JSON.parse(events.at(-1)!);
  expect({ type, details: response.incomplete_details }).toEqual({
    type: 'response.incomplete',
    details: { reason: 'max_output_tokens' },
  });
  expect(response.output[0]).toMatchObject({ status: 'incomplete', content: [{ text: 'Let us work' }] });
});

test('a refusal is a completed response without text', async () => {
  const { events } = await read({ refusal: 'I cannot help with that.' });
  const parsed = events.map((data) => JSON.parse(data));
  expect(parsed.some((event) => event.type === 'response.output_text.delta')).toBe(false);
  expect(parsed.at(-1)).toMatchObject({
    type: 'response.completed',
    response: { output: [{ content: [{ type: 'refusal', refusal: 'I cannot help with that.' }] }] },
  });
});

test('an error event is the last of its stream, and the official client throws it', async () => {
  const fault: Fault = { error_event: { code: 'server_error', message: 'Something broke' } };
  const { events } = await read(fault);
  expect(JSON.parse(events.at(-1)!)).toMatchObject({ type: 'error', code: 'server_error', param: null });

  fake.faults.next('/v1/responses', fault);
  const stream = await openai.responses.create({ model: 'gpt-4.1', input: 'Hello', stream: true });
  const reading = (async () => {
    for await (const _ of stream);
  })();
  await expect(reading).rejects.toMatchObject({ code: 'server_error' });
});

test('a cut, failed or refused turn leaves no lock on its conversation', async () => {
  const { id } = await openai.conversations.create();
  const faults: Fault[] = [{ cut_after: 3 }, { failed: 'server_error' }, { end_after: 4 }, rateLimited(1)];
  for (const fault of faults) {
    fake.faults.next('/v1/responses', fault);
    const request = { model: 'gpt-4.1', input: 'Hello', conversation: id };
    await openai.responses.create(request).catch(() => undefined);
    expect(fake.state.conversations.get(id)).toMatchObject({ items: [], running_response_id: null });
  }
});
