import OpenAI from 'openai';
import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeOpenAI, startFakeOpenAI } from './fake-openai.ts';

let fake: FakeOpenAI;
let openai: OpenAI;

beforeAll(async () => {
  fake = await startFakeOpenAI({ token_delay_ms: 0 });
  openai = new OpenAI({ baseURL: fake.url, apiKey: fake.api_key, maxRetries: 0 });
});
afterAll(() => fake.close());

async function storeWith(filename: string, text: string) {
  const file = await openai.files.create({ file: new File([text], filename), purpose: 'user_data' });
  const store = await openai.vectorStores.create({ name: 'shelf' });
  await openai.vectorStores.files.createAndPoll(store.id, { file_id: file.id }, { pollIntervalMs: 10 });
  return { file, store };
}

const notes =
  'Prices rise in spring.\n\nOur founder repaired a broken bicycle in Lyon. She sold it the same evening.';

test('a retrieved sentence is quoted and cited where the quote ends', async () => {
  const { file, store } = await storeWith('notes.md', notes);
  const events: ResponseStreamEvent[] = [];
  const stream = await openai.responses.create({
    model: 'gpt-4.1',
    input: 'Tell me about the bicycle 🚲 of the founder',
    tools: [{ type: 'file_search', vector_store_ids: [store.id] }],
    stream: true,
  });
  for await (const event of stream) events.push(event);

  expect(events.map((event) => event.type).slice(2, 9)).toEqual([
    'response.output_item.added',
    'response.file_search_call.in_progress',
    'response.file_search_call.searching',
    'response.file_search_call.completed',
    'response.output_item.done',
    'response.output_item.added',
    'response.content_part.added',
  ]);
  const at = events.findIndex((event) => event.type === 'response.output_text.annotation.added');
  const { annotation } = events[at] as unknown as { annotation: { index: number } };
  expect(annotation).toMatchObject({ type: 'file_citation', file_id: file.id, filename: 'notes.md' });

  const end = events.at(-1) as ResponseStreamEvent & { response: Response };
  const text = textIn(end.response);
  expect([...text].slice(0, annotation.index).join('')).toMatch(/repaired a broken bicycle in Lyon\.”$/);
  const saidBefore = events
    .slice(0, at)
    .map((event) => (event.type === 'response.output_text.delta' ? event.delta : ''))
    .join('');
  expect(saidBefore).toMatch(/in Lyon\.”$/);
});

test('what was retrieved is shown to whom asks for it, and to nobody else', async () => {
  const { file, store } = await storeWith('notes.md', notes);
  const request = {
    model: 'gpt-4.1',
    input: 'bicycle',
    tools: [{ type: 'file_search' as const, vector_store_ids: [store.id] }],
  };
  const call = (response: Response) => response.output.find((item) => item.type === 'file_search_call')!;

  const plain = await openai.responses.create(request);
  expect(call(plain).results).toBeNull();
  expect(call(plain).queries).toEqual(['bicycle']);

  const include = ['file_search_call.results' as const];
  const open = await openai.responses.create({ ...request, include });
  expect(call(open).results).toMatchObject([{ file_id: file.id, filename: 'notes.md', score: 1 }]);
  expect(call(await openai.responses.retrieve(plain.id, { include })).results).toHaveLength(1);
});

test('nothing is cited where nothing was found', async () => {
  const { store } = await storeWith('notes.md', notes);
  const response = await openai.responses.create({
    model: 'gpt-4.1',
    input: 'Quantum chromodynamics',
    tools: [{ type: 'file_search', vector_store_ids: [store.id] }],
  });
  expect(messageIn(response).content).toMatchObject([{ annotations: [] }]);
});

function messageIn(response: Response) {
  return response.output.find((item) => item.type === 'message')!;
}

function textIn(response: Response) {
  const [part] = messageIn(response).content;
  return part?.type === 'output_text' ? part.text : '';
}
