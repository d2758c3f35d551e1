import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { addToLibrary, sendWithFile } from '../testing/library-client.ts';
import { readAlong, readTurn } from '../testing/read-turn.ts';
import { readZip } from '../testing/read-zip.ts';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';

const fixtures = join(import.meta.dirname, '..', 'testing', 'fixtures');

let server: Awaited<ReturnType<typeof startTestServer>>;
let slow: Awaited<ReturnType<typeof startTestServer>>;
let pool: pg.Pool;
beforeAll(async () => {
  server = await startTestServer();
  slow = await startTestServer({}, { word_delay_ms: 30 });
  pool = new pg.Pool({ connectionString: server.database_url, max: 4 });
});
afterAll(async () => {
  await pool.end();
  await server.stop();
  await slow.stop();
});

const remove = (member: TestClient, id: string) => member.fetch(`/api/library/${id}`, { method: 'DELETE' });
const text = 'The harbour wall was mended with lime in 1912.';
const question = 'When was the harbour wall mended with lime?';
const used = async (member: TestClient) => (await member.json('/api/library')).storage.used_bytes;

describe('a file that is deleted', () => {
  it('is gone from every route and from the storage; its chats keep a note, and its room is free again', async () => {
    const member = await server.signUp();
    const { id, file_id, session_id } = await sendWithFile(member, text, 'wall.txt');
    const kept = await addToLibrary(member, 'Something else.', 'other.txt');
    await member.fetch(`/api/library/${id}/kept`, { method: 'PUT', body: '{"kept":true}' });
    const cited = await readTurn(await member.send({ session_id, content: question }));
    const { passage_id, file_id: cited_id } = cited.citations[0];
    const { rows } = await pool.query('select storage_key from public.file_originals where id = $1', [id]);
    const bytes = join(server.folder, 'files', rows[0].storage_key);
    expect(existsSync(bytes)).toBe(true);
    expect(await used(member)).toBe(kept.file_size + text.length);

    expect((await remove(member, id)).status).toBe(204);
    expect((await remove(member, id)).status).toBe(404);
    for (const path of [
      `/api/library/${id}`,
      `/api/library/${id}/content`,
      `/api/library/${id}/preview`,
      `/api/files/${file_id}/content`,
      `/api/files/${cited_id}/passages/${passage_id}`,
    ])
      expect([path, (await member.fetch(path)).status]).toEqual([path, 404]);
    expect((await member.json('/api/library')).files.map((file: any) => file.id)).toEqual([kept.id]);
    expect(await used(member)).toBe(kept.file_size);
    // What was taken in stays counted.
    expect((await member.json('/api/me')).subscription_usage.files).toBe(2);
    const { messages } = await member.json(`/api/chat-sessions/${session_id}/messages`);
    expect(messages[0].files).toMatchObject([
      { id: file_id, file_name: 'wall.txt', file_size: text.length, kind: 'document', deleted: true },
    ]);
    expect(messages.at(-1).citations).toHaveLength(cited.citations.length);
    const after = await readTurn(await member.send({ session_id, content: question }));
    expect(after.end).toMatchObject({ data: { status: 'done' } });
    expect(after.citations).toEqual([]);
    await vi.waitFor(() => expect(existsSync(bytes)).toBe(false), { timeout: 15_000, interval: 100 });
  });

  it('is deleted by one of ten requests at once, and the others find nothing', async () => {
    const member = await server.signUp();
    const { id } = await sendWithFile(member, text, 'wall.txt');
    const answers = await Promise.all(Array.from({ length: 10 }, () => remove(member, id)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, ...Array(9).fill(404)]);
  });

  it('leaves a message that can be edited, answered again and sent again without it', async () => {
    const member = await server.signUp();
    const { id, file_id, session_id } = await sendWithFile(member, text, 'wall.txt');
    const other = await member.json('/api/library');
    expect(other.files).toHaveLength(1);
    await remove(member, id);
    const read = async () => (await member.json(`/api/chat-sessions/${session_id}/messages`)).messages;
    const [asked] = await read();

    const repeated = await readTurn(
      await member.send({ session_id, content: '', repeats_message_id: asked.id }),
    );
    expect(repeated.end).toMatchObject({ data: { status: 'done' } });
    const named = await member.send({
      session_id,
      content: 'Read this once more',
      edits_message_id: asked.id,
      file_ids: [file_id],
    });
    expect([named.status, ((await named.json()) as any).detail]).toEqual([
      404,
      expect.stringContaining('One of the files is not there any more'),
    ]);
    const edited = await readTurn(
      await member.send({ session_id, content: 'Without it', edits_message_id: asked.id, file_ids: [] }),
    );
    expect(edited.end).toMatchObject({ data: { status: 'done' } });
    expect((await read()).map((message: any) => message.files)).toEqual([[], []]);
    const fresh = await member.send({ content: 'And in a new chat', file_ids: [file_id] });
    expect(fresh.status).toBe(404);
  });

  it('is not offered again with a message whose reply failed', async () => {
    const member = await server.signUp();
    const { id, session_id } = await sendWithFile(member, text, 'wall.txt');
    await pool.query(
      `update public.turns set status = 'failed', error_code = 'model_failed' where session_id = $1`,
      [session_id],
    );
    await pool.query(`delete from public.chat_messages where session_id = $1 and sender = 'assistant'`, [
      session_id,
    ]);
    const failed = async () =>
      (await member.json(`/api/chat-sessions/${session_id}/messages`)).failed_turn.files.length;
    expect(await failed()).toBe(1);
    await remove(member, id);
    expect(await failed()).toBe(0);
  });

  it('is an image of a chat as well: its note says so, and nothing of it can be opened', async () => {
    const member = await server.signUp();
    const form = new FormData();
    form.set('file', new File([readFileSync(join(fixtures, 'shopfront.jpg'))], 'front.jpg'));
    const { id: file_id } = await member.json('/api/files', { method: 'POST', body: form });
    const session_id = randomUUID();
    await readTurn(await member.send({ session_id, content: 'Look', file_ids: [file_id] }));
    const { id } = (await member.json('/api/library')).files[0];
    const read = async () =>
      (await member.json(`/api/chat-sessions/${session_id}/messages`)).messages[0].files[0];
    expect(await read()).toMatchObject({ kind: 'image', width: 1600, height: 1200, deleted: false });
    for (const path of [`/api/files/${file_id}/picture`, `/api/library/${id}/picture`])
      expect((await member.fetch(path)).headers.get('content-type')).toBe('image/webp');
    await remove(member, id);
    expect(await read()).toMatchObject({ kind: 'image', width: null, height: null, deleted: true });
    for (const path of [`/api/files/${file_id}/picture`, `/api/library/${id}/picture`])
      expect((await member.fetch(path)).status).toBe(404);
  });

  it('does not break a reply that is being given from it', async () => {
    const member = await slow.signUp();
    const { id, session_id } = await sendWithFile(member, text, 'wall.txt');
    const reading = readAlong(member.send({ session_id, content: question }));
    await reading.spoken;
    expect((await remove(member, id)).status).toBe(204);
    expect((await reading.whole).end).toMatchObject({ event: 'end', data: { status: 'done' } });
    const { messages } = await member.json(`/api/chat-sessions/${session_id}/messages`);
    for (const { file_id, passage_id } of messages.at(-1).citations)
      expect((await member.fetch(`/api/files/${file_id}/passages/${passage_id}`)).status).toBe(404);
  });

  it('is told whole to whoever was downloading it', async () => {
    const member = await server.signUp();
    const words = 'A line of words.\n'.repeat(50_000);
    const { id } = await addToLibrary(member, words, 'long.txt');
    const answer = await member.fetch(`/api/library/${id}/content`);
    expect((await remove(member, id)).status).toBe(204);
    expect((await answer.text()).length).toBe(words.length);
  });

  it('is not in a copy of the account’s data, where its chat names it without a link', async () => {
    const member = await server.signUp();
    const { id } = await sendWithFile(member, text, 'wall.txt');
    await addToLibrary(member, 'Something else.', 'other.txt');
    await remove(member, id);
    await member.json('/api/me/exports', { method: 'POST' });
    const made = await vi.waitFor(
      async () => {
        const { exports } = await member.json('/api/me/exports');
        expect(exports[0].status).toBe('ready');
        return exports[0];
      },
      { timeout: 18_000, interval: 100 },
    );
    const answer = await member.fetch(`/api/me/exports/${made.id}/file`);
    const zip = await readZip(Buffer.from(await answer.arrayBuffer()));
    const paths = [...zip.keys()];
    expect(paths.filter((path) => path.startsWith('files/'))).toEqual([expect.stringContaining('other')]);
    const chat = zip.get(paths.find((path) => path.startsWith('chats/'))!)!.toString();
    expect(chat).toContain(`- File: wall.txt (${text.length} bytes), deleted since`);
  });
});
