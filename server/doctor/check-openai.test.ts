import { afterEach, expect, test } from 'vitest';
import type { Coach } from '../coaches/coach-file.ts';
import {
  type FakeOpenAI,
  type FakeOpenAIOptions,
  startFakeOpenAI,
} from '../testing/fake-openai/fake-openai.ts';
import { checkOpenAI } from './check-openai.ts';

let openai: FakeOpenAI | undefined;
afterEach(async () => {
  await openai?.close();
  openai = undefined;
});

const coaches = [
  { slug: 'carousel', name: 'Carousel coach', model: 'gpt-5-mini' },
  { slug: 'storyteller', name: 'Storyteller', model: 'gpt-5' },
] as Coach[];

async function start(options: FakeOpenAIOptions = {}) {
  openai = await startFakeOpenAI(options);
  return openai;
}

async function checkDouble(settings: { api_key?: string; model?: string } = {}, of = coaches) {
  const { url: base_url, api_key } = openai!;
  const findings = await checkOpenAI(
    { base_url, api_key, model: undefined, store_days: 30, patience_ms: 45_000, ...settings },
    of,
  );
  return findings.map(({ verdict, sentence }) => `${verdict} ${sentence}`);
}

test('with a good key everything is good, and nothing is left upstream', async () => {
  await start();
  expect(await checkDouble()).toEqual([
    'good The server of OPENAI_BASE_URL takes the key.',
    "good It has the coaches' models.",
    'good It has conversations.',
    'good It has vector stores.',
  ]);
  expect(openai!.requests.map(({ method, path }) => `${method} ${path}`)).toContain('POST /v1/conversations');
  expect(openai!.state.conversations.size).toBe(0);
});

test('without a key the practice coach is a note', async () => {
  expect(await checkOpenAI(undefined, coaches)).toEqual([
    expect.objectContaining({ verdict: 'note', sentence: expect.stringContaining('practice coach') }),
  ]);
});

test('a key that is refused is told once', async () => {
  await start();
  expect(await checkDouble({ api_key: 'sk-of-somebody-else' })).toEqual([
    expect.stringMatching(/^wrong .* refuses OPENAI_API_KEY \(401\)/),
  ]);
});

test('a model that the key may not use is told with the coach that wants it', async () => {
  await start();
  const unknown = [...coaches, { slug: 'captions', name: 'Captions coach', model: 'gpt-99' }] as Coach[];
  expect((await checkDouble({}, unknown))[1]).toMatch(
    /^wrong It does not have gpt-99, the model of Captions coach: .* coaches\/captions\.md/,
  );
  // The setting wins over every coach; its value stays unsaid, for a key may have been pasted there.
  expect((await checkDouble({ model: 'gpt-5' }, unknown))[1]).toMatch(/^good .* OPENAI_MODEL/);
  const findings = await checkDouble({ model: 'sk-pasted-here' }, unknown);
  expect(findings[1]).toMatch(/^wrong It does not have the model that OPENAI_MODEL names/);
  expect(findings.join()).not.toContain('sk-pasted-here');
});

test('a compatible server without conversations, vector stores or a list of models works, and is noted', async () => {
  await start({ without: ['conversations', 'vector_stores'] });
  openai!.faults.next('/v1/models', { status: 404, error: { message: 'not here' } });
  expect(await checkDouble()).toEqual([
    expect.stringMatching(/^note .*does not list its models \(404\)/),
    expect.stringMatching(/^note .*has no conversations/),
    expect.stringMatching(/^note .*has no vector stores/),
  ]);
});

test('a key without the right to a part, and an outage, are told', async () => {
  await start();
  openai!.faults.next('/v1/conversations', { status: 403, error: { message: 'missing scope' } });
  openai!.faults.next('/v1/vector_stores', { status: 503, error: { message: 'overloaded' } });
  expect((await checkDouble()).slice(2)).toEqual([
    expect.stringMatching(/^wrong The key may not use conversations \(403\)/),
    expect.stringMatching(/^wrong .* does not serve vector stores at the moment \(503\)/),
  ]);
});

test('a server that never answers costs five seconds, not more', async () => {
  await start();
  for (const path of ['/v1/models', '/v1/conversations', '/v1/vector_stores']) {
    openai!.faults.next(path, { hang: true });
  }
  const started_ms = performance.now();
  expect(await checkDouble()).toEqual([expect.stringContaining('(no answer within 5 seconds)')]);
  // Two silences, one after the other, would be ten.
  expect(performance.now() - started_ms).toBeLessThan(9_500);
});

test('a key that no header can carry is told, not quoted', async () => {
  await start();
  const findings = await checkDouble({ api_key: 'sk-with-a-line\nbreak' });
  expect(findings).toEqual([expect.stringContaining('cannot be sent as it stands')]);
  expect(findings.join()).not.toContain('sk-with');
});
