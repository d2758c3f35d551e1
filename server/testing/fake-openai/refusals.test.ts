import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeOpenAI, startFakeOpenAI } from './fake-openai.ts';

let fake: FakeOpenAI;

beforeAll(async () => {
  fake = await startFakeOpenAI();
});
afterAll(() => fake.close());

async function call(method: string, path: string, body?: unknown, authorization = `Bearer ${fake.api_key}`) {
  const answer = await fetch(fake.url + path, {
    method,
    headers: { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, ...((await answer.json()) as { error: Record<string, unknown> }) };
}

const valid = { model: 'gpt-4.1', input: 'Hello' };
const unknownStore = { type: 'file_search', vector_store_ids: ['vs_0'] };

test.each([
  ['no key', '', null],
  ['another key', 'Bearer sk-wrong-key-123', 'invalid_api_key'],
])('%s is a 401 in the shape of the real API', async (_, authorization, code) => {
  const { status, error } = await call('POST', '/responses', valid, authorization);
  expect(status).toBe(401);
  expect(error).toEqual({ message: expect.any(String), type: 'invalid_request_error', param: null, code });
  expect(error.message).not.toContain('sk-wrong-key-123');
});

const picture_param = 'input[0].content[0].image_url';
/** A request that shows a picture. */
const asking = (image_url: string) => ({
  ...valid,
  input: [{ role: 'user', content: [{ type: 'input_image', image_url }] }],
});

const refusedResponses: [string, object, number, string | null, string | null][] = [
  ['no model', { input: 'Hi' }, 400, 'missing_required_parameter', 'model'],
  ['nothing to answer', { model: 'gpt-4.1' }, 400, 'missing_required_parameter', null],
  ['an unknown parameter', { ...valid, max_tokens: 20 }, 400, 'unknown_parameter', 'max_tokens'],
  ['a number as input', { ...valid, input: 4 }, 400, 'invalid_type', 'input'],
  ['a word as temperature', { ...valid, temperature: 'warm' }, 400, 'invalid_type', 'temperature'],
  ['a temperature above 2', { ...valid, temperature: 3 }, 400, 'integer_above_max_value', 'temperature'],
  ['too few tokens', { ...valid, max_output_tokens: 5 }, 400, 'integer_below_min_value', 'max_output_tokens'],
  ['a value off the list', { ...valid, truncation: 'cut' }, 400, 'invalid_value', 'truncation'],
  [
    'a long safety_identifier',
    { ...valid, safety_identifier: 'x'.repeat(65) },
    400,
    'string_above_max_length',
    'safety_identifier',
  ],
  ['17 pairs of metadata', { ...valid, metadata: pairs(17) }, 400, 'object_above_max_properties', 'metadata'],
  ['a number in metadata', { ...valid, metadata: { a: 1 } }, 400, 'invalid_type', 'metadata.a'],
  ['a picture by its address', asking('https://example.org/a.png'), 400, 'invalid_value', picture_param],
  ['a drawing', asking('data:image/svg+xml;base64,PHN2Zy8+'), 400, 'invalid_value', picture_param],
  [
    'a text as a picture',
    asking('data:image/png;base64,SGVsbG8='),
    400,
    'invalid_image_format',
    picture_param,
  ],
  ['an unknown tool', { ...valid, tools: [{ type: 'retrieval' }] }, 400, 'invalid_value', 'tools[0].type'],
  [
    'an unknown field of a tool',
    { ...valid, tools: [{ ...unknownStore, top_k: 2 }] },
    400,
    'unknown_parameter',
    'tools[0].top_k',
  ],
  [
    'a file search without a store',
    { ...valid, tools: [{ type: 'file_search' }] },
    400,
    'missing_required_parameter',
    'tools[0].vector_store_ids',
  ],
  [
    'an unknown role',
    { ...valid, input: [{ role: 'coach', content: 'x' }] },
    400,
    'invalid_value',
    'input[0].role',
  ],
  [
    'an unknown kind of item',
    { ...valid, input: [{ type: 'note', content: 'x' }] },
    400,
    'invalid_value',
    'input[0].type',
  ],
  [
    'an unknown field of a message',
    { ...valid, input: [{ role: 'user', content: 'x', name: 'y' }] },
    400,
    'unknown_parameter',
    'input[0].name',
  ],
  [
    'input_text by the assistant',
    { ...valid, input: [{ role: 'assistant', content: [{ type: 'input_text', text: 'x' }] }] },
    400,
    'invalid_value',
    'input[0].content[0]',
  ],
  [
    'output_text by the user',
    { ...valid, input: [{ role: 'user', content: [{ type: 'output_text', text: 'x' }] }] },
    400,
    'invalid_value',
    'input[0].content[0]',
  ],
  ['an unknown model', { ...valid, model: 'claude' }, 400, 'model_not_found', 'model'],
  [
    'a temperature for a reasoning model',
    { ...valid, model: 'o4-mini', temperature: 1 },
    400,
    'unsupported_parameter',
    'temperature',
  ],
  [
    'reasoning by a model that does not reason',
    { ...valid, reasoning: { effort: 'low' } },
    400,
    'unsupported_parameter',
    'reasoning.effort',
  ],
  [
    'two kinds of memory',
    { ...valid, conversation: 'conv_0', previous_response_id: 'resp_0' },
    400,
    'mutually_exclusive_parameters',
    null,
  ],
  ['an unknown conversation', { ...valid, conversation: 'conv_0' }, 404, null, null],
  [
    'a thread as conversation',
    { ...valid, conversation: 'thread_abc' },
    400,
    'invalid_value',
    'conversation',
  ],
  [
    'an unknown previous response',
    { ...valid, previous_response_id: 'resp_0' },
    400,
    'previous_response_not_found',
    'previous_response_id',
  ],
  ['an unknown vector store', { ...valid, tools: [unknownStore] }, 404, null, null],
  [
    'an unknown file',
    { ...valid, input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-0' }] }] },
    404,
    null,
    'input',
  ],
  ['background without store', { ...valid, background: true, store: false }, 400, 'invalid_value', 'store'],
];

test.each(refusedResponses)('a response with %s is refused', async (_, body, status, code, param) => {
  const answer = await call('POST', '/responses', body);
  expect(answer).toEqual({
    status,
    error: { message: expect.any(String), type: 'invalid_request_error', param, code },
  });
  expect(fake.state.responses.size).toBe(0);
});

test('an unknown conversation is named in the sentence of the real API', async () => {
  const { error } = await call('POST', '/responses', { ...valid, conversation: 'conv_0' });
  expect(error.message).toBe("Conversation with id 'conv_0' not found.");
});

const days = (count: number) => ({ expires_after: { anchor: 'last_active_at', days: count } });

const refusedElsewhere: [string, string, string | null, number, object?][] = [
  [
    'POST',
    '/conversations',
    'array_above_max_length',
    400,
    { items: Array(21).fill({ role: 'user', content: 'x' }) },
  ],
  ['POST', '/conversations', 'object_above_max_properties', 400, { metadata: pairs(17) }],
  ['POST', '/conversations', 'unknown_parameter', 400, { title: 'x' }],
  ['GET', '/conversations/conv_0', null, 404],
  ['GET', '/conversations/thread_0', 'invalid_value', 400],
  ['DELETE', '/conversations/conv_0', null, 404],
  ['GET', '/responses/resp_0', null, 404],
  ['GET', '/files/file-0', null, 404],
  ['GET', '/files?limit=0', 'integer_below_min_value', 400],
  ['GET', '/files?colour=red', 'unknown_parameter', 400],
  ['POST', '/files', null, 400, {}],
  ['POST', '/vector_stores', null, 404, { file_ids: ['file-0'] }],
  ['POST', '/vector_stores', 'integer_above_max_value', 400, days(366)],
  ['POST', '/vector_stores', 'integer_below_min_value', 400, days(0)],
  ['POST', '/vector_stores', 'invalid_value', 400, { expires_after: { anchor: 'created_at', days: 1 } }],
  ['GET', '/vector_stores/vs_0', null, 404],
  ['GET', '/vector_stores/store', 'invalid_value', 400],
  ['POST', '/vector_stores/vs_0/files', null, 404, { file_id: 'file-0' }],
  ['GET', '/models/claude', 'model_not_found', 404],
  ['GET', '/nowhere', 'unknown_url', 404],
  ['PUT', '/responses', 'unknown_url', 404],
];

test.each(refusedElsewhere)('%s %s is refused (%s)', async (method, path, code, status, body) => {
  const answer = await call(method, path, body);
  expect(answer).toMatchObject({ status, error: { type: 'invalid_request_error', code } });
});

test.each([
  ['no purpose', { file: 'x' }, 'missing_required_parameter', 'purpose'],
  ['an unknown purpose', { file: 'x', purpose: 'fun' }, 'invalid_value', 'purpose'],
  ['no file', { purpose: 'user_data' }, 'missing_required_parameter', 'file'],
  ['an unknown field', { file: 'x', purpose: 'user_data', name: 'y' }, 'unknown_parameter', 'name'],
  ['an empty file', { file: '', purpose: 'user_data' }, 'empty_file', 'file'],
])('an upload with %s is refused', async (_, fields, code, param) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (name === 'file') form.set(name, new File([value], 'notes.md'));
    else form.set(name, value);
  }
  const headers = { authorization: `Bearer ${fake.api_key}` };
  const answer = await fetch(`${fake.url}/files`, { method: 'POST', headers, body: form });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ error: { code, param } });
});

test.each(['/threads', '/threads/thread_1/runs', '/assistants'])(
  '%s is gone with the Assistants API',
  async (path) => {
    const { status, error } = await call('POST', path, {});
    expect(status).toBe(404);
    expect(error.message).toMatch(/Assistants API has been shut down/);
  },
);

test.each(['multipart/form-data', 'multipart/form-data; boundary=x'])(
  'a broken form is a 400 (%s)',
  async (type) => {
    const headers = { authorization: `Bearer ${fake.api_key}`, 'content-type': type };
    const answer = await fetch(`${fake.url}/files`, { method: 'POST', headers, body: '--x\r\nContent-Disp' });
    expect(answer.status).toBe(400);
  },
);

test('a client that leaves in the middle of its upload harms nobody', async () => {
  const { port, pathname } = new URL(fake.url);
  for (const type of ['application/json', 'multipart/form-data; boundary=x']) {
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(
      `POST ${pathname}/files HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: 999\r\n\r\n--x`,
    );
    await expect
      .poll(() => fake.requests.at(-1))
      .toMatchObject({ path: '/v1/files', aborted: false, status: null });
    socket.destroy();
    await expect.poll(() => fake.requests.at(-1)).toMatchObject({ aborted: true });
  }
  expect(await call('GET', '/files/file-0')).toMatchObject({ status: 404 });
});

test('a body that is not JSON is a 400', async () => {
  expect(await call('POST', '/responses', '{"model":')).toMatchObject({
    status: 400,
    error: { param: null },
  });
});

function pairs(count: number) {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`key${at}`, 'value']));
}
