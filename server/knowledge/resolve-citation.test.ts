import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { insertMember, type TestMember } from '../testing/factories.ts';
import { openDatabase, type TestDatabase } from '../testing/open-database.ts';
import type { Document } from './queries.ts';
import { resolveCitation } from './resolve-citation.ts';

let test: TestDatabase;
let member: TestMember;
beforeAll(async () => {
  test = await openDatabase();
  member = await insertMember(test.pool);
});
afterAll(() => test.close());

async function insertDocument(passages: string[], owner = member): Promise<Document> {
  const [file_id, original_id] = [randomUUID(), randomUUID()];
  await test.pool.query(
    `select public.add_file($1, $2, $3, 'notes.pdf', 'application/pdf', 5, $4, $5, 1, $6, now() + interval '1 day')`,
    [
      owner.id,
      file_id,
      original_id,
      original_id,
      passages.length,
      JSON.stringify(passages.map((content, index) => ({ ordinal: index + 1, page: index + 1, content }))),
    ],
  );
  const openai_file_id = `file-${file_id}`;
  return {
    file_id,
    original_id,
    file_name: 'notes.pdf',
    openai_file_id,
    vector_store_id: null,
    index_error: null,
  };
}

function resolve(document: Document, retrieved: string[], said: string, user = member) {
  const source = { kind: 'openai_file' as const, openai_file_id: document.openai_file_id!, retrieved };
  return resolveCitation(test.database, { source, user_id: user.id, documents: [document], said });
}

/** Passages that differ in a few words, as a long report's do. */
function bakery(n: number) {
  return `Branch ${n} opened in ${1900 + (n % 120)} with ${n % 13} ovens. Its manager Nr${n * 7} sells loaf ${n % 97}. `.repeat(
    8,
  );
}

it('of a long file, the passage is found that the retrieved text was cut from', async () => {
  const document = await insertDocument(Array.from({ length: 3_000 }, (_, n) => bakery(n)));
  const retrieved = `${bakery(1_232).slice(400)}\n${bakery(1_233)}\n${bakery(1_234).slice(0, 400)}`;
  const place = await resolve(document, [retrieved], 'The manager of branch 1233, Nr8631, sells loaf 69.');
  expect(place).toMatchObject({ file_id: document.file_id, page: 1_234 });
  expect(place!.quote).toBe(`Its manager Nr8631 sells loaf 69.`);
});

it('of many short passages that were retrieved together, the one is found that the reply speaks of', async () => {
  const slides = Array.from({ length: 40 }, (_, n) => `Slide ${n}: the goal of quarter ${n} is topic${n}.`);
  const document = await insertDocument([...slides, 'Something else that nobody asked for.']);
  const place = await resolve(document, [slides.join('\n')], 'In quarter 33 the goal was topic33');
  expect(place).toMatchObject({ page: 34, quote: slides[33] });
});

it.each([
  ['Ein Satz über Grüße, „Anführungen“ und Öfen.', 'Ein Satz über Grüße, „Anführungen“ und Öfen.'],
  ["It's a:b & (c | d) <-> 'e' \\ !f", "It's a:b & (c | d) <-> 'e' \\ !f"],
])('signs and letters of any language break nothing: %s', async (content, retrieved) => {
  expect(await resolve(await insertDocument([content]), [retrieved], content)).toMatchObject({ page: 1 });
});

it.each([
  ['is not ours', ['Wholly different words that no passage holds.']],
  ['is empty', ['']],
  ['holds no words', ['…']],
  ['was not told', []],
])('where the retrieved text %s, only the file is named', async (_, retrieved) => {
  const document = await insertDocument(['The oven broke twice in Ridgeway.', '* * *']);
  expect(await resolve(document, retrieved, 'The oven broke.')).toEqual({
    file_id: document.file_id,
    file_name: 'notes.pdf',
    page: null,
    passage_id: null,
    quote: null,
  });
});

it('another member’s passages are not found', async () => {
  const text = 'The oven broke twice in Ridgeway.';
  const document = await insertDocument([text]);
  const stranger = await insertMember(test.pool);
  expect(await resolve(document, [text], text)).toMatchObject({ page: 1 });
  expect(await resolve(document, [text], text, stranger)).toMatchObject({ page: null, quote: null });
});

it('this thread has next to no work with a file of five megabytes', async () => {
  const document = await insertDocument(Array.from({ length: 6_000 }, (_, n) => bakery(n)));
  const retrieved = [bakery(10), bakery(4_000), bakery(11), bakery(12)].join('\n');
  const said = 'The manager of branch 4000 sells loaf 23.';
  // Once for what is done only once.
  await resolve(document, [retrieved], said);
  const times_ms: number[] = [];
  for (let n = 0; n < 3; n++) {
    const before = process.threadCpuUsage();
    expect(await resolve(document, [retrieved], said)).toMatchObject({ page: 4_001 });
    const used = process.threadCpuUsage(before);
    times_ms.push((used.user + used.system) / 1000);
  }
  // The least of them: a neighbour that empties the processor's caches makes the same work dearer.
  expect(Math.min(...times_ms)).toBeLessThan(20);
});
