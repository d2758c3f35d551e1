import { Document, Packer, Paragraph } from 'docx';
import OpenAI from 'openai';
import { PDFDocument, StandardFonts } from 'pdf-lib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FakeOpenAI, startFakeOpenAI } from './fake-openai.ts';

let fake: FakeOpenAI;
let openai: OpenAI;

beforeAll(async () => {
  fake = await startFakeOpenAI({ file_processing_ms: 20 });
  openai = new OpenAI({ baseURL: fake.url, apiKey: fake.api_key, maxRetries: 0 });
});
afterAll(() => fake.close());

const upload = (
  name: string,
  content: string | Uint8Array<ArrayBuffer> = 'Some words.',
  purpose: OpenAI.FilePurpose = 'user_data',
) => openai.files.create({ file: new File([content], name), purpose });

describe('conversations', () => {
  test('keep their items in order, give them out in pages and lose them one by one', async () => {
    const { id } = await openai.conversations.create({ metadata: { chat: '1' } });
    const words = ['one', 'two', 'three'];
    await openai.conversations.items.create(id, {
      items: words.map((content) => ({ role: 'user', content })),
    });

    const texts: string[] = [];
    for await (const item of openai.conversations.items.list(id, { limit: 2, order: 'asc' })) {
      if (item.type === 'message' && item.content[0]?.type === 'input_text') texts.push(item.content[0].text);
    }
    expect(texts).toEqual(words);

    const [newest] = (await openai.conversations.items.list(id, { limit: 1 })).data;
    expect(newest).toMatchObject({ type: 'message', status: 'completed', content: [{ text: 'three' }] });
    expect(await openai.conversations.items.retrieve(newest!.id!, { conversation_id: id })).toEqual(newest);
    await openai.conversations.items.delete(newest!.id!, { conversation_id: id });
    expect(fake.state.conversations.get(id)!.items).toHaveLength(2);
  });

  test('can be read, changed and deleted', async () => {
    const { id } = await openai.conversations.create({ metadata: { a: 'b' } });
    expect((await openai.conversations.update(id, { metadata: { c: 'd' } })).metadata).toEqual({ c: 'd' });
    expect(await openai.conversations.delete(id)).toEqual({
      id,
      object: 'conversation.deleted',
      deleted: true,
    });
    await expect(openai.conversations.retrieve(id)).rejects.toMatchObject({ status: 404 });
  });
});

describe('files', () => {
  test('keep name, size and purpose, and expire when told to', async () => {
    const file = await openai.files.create({
      file: new File(['äb'], 'notes.md'),
      purpose: 'user_data',
      expires_after: { anchor: 'created_at', seconds: 3600 },
    });
    expect(file).toMatchObject({ object: 'file', bytes: 3, filename: 'notes.md', purpose: 'user_data' });
    expect(file.expires_at).toBe(file.created_at + 3600);
    expect(await openai.files.retrieve(file.id)).toEqual(file);
    fake.state.files.get(file.id)!.expires_at = 1;
    await expect(openai.files.retrieve(file.id)).rejects.toMatchObject({ status: 404 });
  });

  test('what a model reads cannot be downloaded again', async () => {
    const own = await upload('notes.md');
    await expect(openai.files.content(own.id)).rejects.toMatchObject({ status: 400 });
    const batch = await upload('batch.jsonl', '{}', 'batch');
    expect(await (await openai.files.content(batch.id)).text()).toBe('{}');
  });

  test('a deleted file leaves every vector store', async () => {
    const file = await upload('notes.md');
    const store = await openai.vectorStores.create({ file_ids: [file.id] });
    await openai.files.delete(file.id);
    expect((await openai.vectorStores.files.list(store.id)).data).toEqual([]);
  });
});

describe('vector stores', () => {
  test('a file is in progress at first and completed soon after', async () => {
    const file = await upload('notes.md');
    const store = await openai.vectorStores.create({ name: 'shelf', file_ids: [file.id] });
    expect(store).toMatchObject({
      name: 'shelf',
      status: 'in_progress',
      file_counts: { in_progress: 1, total: 1 },
    });
    await expect
      .poll(() => openai.vectorStores.retrieve(store.id))
      .toMatchObject({ status: 'completed', usage_bytes: file.bytes, file_counts: { completed: 1 } });
  });

  test.each(['prices.csv', 'prices.xlsx', 'photo.png'])('%s cannot be searched and fails', async (name) => {
    const { id } = await upload(name);
    const store = await openai.vectorStores.create({});
    const file = await openai.vectorStores.files.createAndPoll(
      store.id,
      { file_id: id },
      { pollIntervalMs: 10 },
    );
    expect(file).toMatchObject({ status: 'failed', last_error: { code: 'unsupported_file' } });
  });

  test('a batch brings several files in and counts them', async () => {
    const [one, two] = [await upload('one.md'), await upload('two.csv')];
    const store = await openai.vectorStores.create({});
    const batch = await openai.vectorStores.fileBatches.createAndPoll(
      store.id,
      { file_ids: [one.id, two.id] },
      { pollIntervalMs: 10 },
    );
    expect(batch).toMatchObject({ status: 'completed', file_counts: { completed: 1, failed: 1, total: 2 } });
    const failed = await openai.vectorStores.files.list(store.id, { filter: 'failed' });
    expect(failed.data.map((file) => file.id)).toEqual([two.id]);
  });

  test('text, PDF and DOCX are found by their words', async () => {
    const pdf = await PDFDocument.create();
    const page = pdf.addPage();
    page.drawText('The (old) harbour closes in November.', {
      font: await pdf.embedFont(StandardFonts.Helvetica),
    });
    const docx = new Document({
      sections: [{ children: [new Paragraph('Bread & lanterns for everyone.')] }],
    });
    const files = [
      await upload('a.txt', 'Nothing of interest.'),
      await upload('b.pdf', (await pdf.save()) as Uint8Array<ArrayBuffer>),
      await upload('c.docx', new Uint8Array(await Packer.toBuffer(docx))),
    ];
    const store = await openai.vectorStores.create({});
    await openai.vectorStores.fileBatches.createAndPoll(
      store.id,
      { file_ids: files.map((file) => file.id) },
      { pollIntervalMs: 10 },
    );
    const find = async (query: string) => (await openai.vectorStores.search(store.id, { query })).data;

    expect(await find('when does the harbour close')).toMatchObject([
      { filename: 'b.pdf', content: [{ text: 'The (old) harbour closes in November.' }] },
    ]);
    expect(await find('lanterns')).toMatchObject([
      { filename: 'c.docx', content: [{ text: 'Bread & lanterns for everyone.' }] },
    ]);
    expect(await find('submarine')).toEqual([]);
  });

  test('a search keeps to the attributes that it is told', async () => {
    const store = await openai.vectorStores.create({});
    for (const year of [2024, 2025]) {
      const { id } = await upload(`${year}.md`, `Harvest report ${year}.`);
      await openai.vectorStores.files.createAndPoll(
        store.id,
        { file_id: id, attributes: { year } },
        { pollIntervalMs: 10 },
      );
    }
    const found = await openai.vectorStores.search(store.id, {
      query: 'harvest',
      filters: { type: 'and', filters: [{ type: 'gt', key: 'year', value: 2024 }] },
    });
    expect(found.data.map((one) => one.filename)).toEqual(['2025.md']);
  });

  test('use puts the expiry off, and an expired store serves no more', async () => {
    const store = await openai.vectorStores.create({ expires_after: { anchor: 'last_active_at', days: 1 } });
    const kept = fake.state.vectorStores.get(store.id)!;
    kept.last_active_at -= 3600;
    await openai.vectorStores.search(store.id, { query: 'words' });
    expect((await openai.vectorStores.retrieve(store.id)).expires_at).toBeGreaterThanOrEqual(
      store.expires_at!,
    );

    fake.state.expireVectorStore(store.id);
    expect((await openai.vectorStores.retrieve(store.id)).status).toBe('expired');
    await expect(openai.vectorStores.search(store.id, { query: 'words' })).rejects.toMatchObject({
      status: 400,
    });
    await expect(
      openai.responses.create({
        model: 'gpt-4.1',
        input: 'Hi',
        tools: [{ type: 'file_search', vector_store_ids: [store.id] }],
      }),
    ).rejects.toMatchObject({ status: 400, message: expect.stringContaining('expired') });
  });

  test('can be changed, emptied and deleted', async () => {
    const file = await upload('notes.md');
    const store = await openai.vectorStores.create({ file_ids: [file.id] });
    expect((await openai.vectorStores.update(store.id, { name: 'new' })).name).toBe('new');
    await openai.vectorStores.files.delete(file.id, { vector_store_id: store.id });
    await expect(
      openai.vectorStores.files.retrieve(file.id, { vector_store_id: store.id }),
    ).rejects.toMatchObject({
      status: 404,
    });
    expect((await openai.files.retrieve(file.id)).id).toBe(file.id);
    await openai.vectorStores.delete(store.id);
    await expect(openai.vectorStores.retrieve(store.id)).rejects.toMatchObject({ status: 404 });
  });
});
