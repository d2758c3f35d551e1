import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startFakeOpenAI } from '../testing/fake-openai/fake-openai.ts';
import { readTurn } from '../testing/read-turn.ts';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';

const fixtures = join(import.meta.dirname, '..', 'testing', 'fixtures');

let openai: Awaited<ReturnType<typeof startFakeOpenAI>>;
let server: Awaited<ReturnType<typeof startTestServer>>;
let pool: pg.Pool;
let member: TestClient;
beforeAll(async () => {
  openai = await startFakeOpenAI({ token_delay_ms: 1 });
  server = await startTestServer({ OPENAI_API_KEY: openai.api_key, OPENAI_BASE_URL: openai.url });
  pool = new pg.Pool({ connectionString: server.database_url, max: 2 });
  member = await server.signUp();
});
afterAll(async () => {
  await pool.end();
  await server.stop();
  await openai.close();
});

async function upload(name: string) {
  return ((await (await member.upload(join(fixtures, name))).json()) as any).id as string;
}

/** What the model was told last: a text as it is, a picture as the beginning of its data URL. */
function lastTold(): string[] {
  const { body } = openai.requests.findLast(({ path }) => path === '/v1/responses') as any;
  const { content } = body.input.at(-1);
  if (typeof content === 'string') return [content];
  return content.map((part: any) => part.text ?? part.image_url.slice(0, 23));
}

const jpeg = 'data:image/jpeg;base64,';

it('pictures are shown to the model with their message, once while its conversation holds them', async () => {
  const session_id = randomUUID();
  const file_ids = [await upload('shopfront.png'), await upload('shopfront.jpg')];
  const first = await readTurn(await member.send({ session_id, content: 'What do you see?', file_ids }));
  expect(first.end).toMatchObject({ event: 'end', data: { status: 'done' } });
  expect(lastTold()).toEqual([
    'What do you see?\n\n[Files given with this message: "shopfront.png", "shopfront.jpg"]',
    '[Picture "shopfront.png", given with this message:]',
    jpeg,
    '[Picture "shopfront.jpg", given with this message:]',
    jpeg,
  ]);
  await readTurn(await member.send({ session_id, content: 'And what is missing?' }));
  expect(lastTold()).toEqual(['And what is missing?']);
});

it('where the conversation is lost, the pictures of the chat are shown again', async () => {
  const session_id = randomUUID();
  await readTurn(
    await member.send({ session_id, content: 'Look at this', file_ids: [await upload('shopfront.webp')] }),
  );
  const { rows } = await pool.query('select thread_id from public.chat_sessions where id = $1', [session_id]);
  openai.state.conversations.delete(rows[0].thread_id);
  const { end } = await readTurn(await member.send({ session_id, content: 'Which colour is the door?' }));
  expect(end).toMatchObject({ event: 'end', data: { status: 'done' } });
  expect(lastTold()).toEqual([
    'Which colour is the door?',
    '[Picture "shopfront.webp", given earlier in this chat:]',
    jpeg,
  ]);
});

it('a new picture that cannot be opened fails the turn uncounted; an earlier one is named as missing', async () => {
  const session_id = randomUUID();
  const id = await upload('shopfront.gif');
  const used = async () => (await member.json('/api/me')).subscription_usage.messages;
  const lose = async () => {
    const { rows } = await pool.query(
      'select storage_key from public.file_originals join public.chat_files on original_id = file_originals.id where chat_files.id = $1',
      [id],
    );
    rmSync(join(server.folder, 'files', rows[0].storage_key));
  };
  await readTurn(await member.send({ session_id, content: 'Look', file_ids: [id] }));
  const messages = await used();
  await lose();
  const { rows } = await pool.query('select thread_id from public.chat_sessions where id = $1', [session_id]);
  openai.state.conversations.delete(rows[0].thread_id);
  await readTurn(await member.send({ session_id, content: 'Once more' }));
  expect(lastTold().at(-1)).toBe(
    '[Picture "shopfront.gif", given earlier in this chat, cannot be shown any more.]',
  );
  expect(await used()).toBe(messages + 1);

  const file_ids = [await upload('shopfront.png')];
  const stored = await pool.query(
    'select storage_key from public.file_originals join public.chat_files on original_id = file_originals.id where chat_files.id = $1',
    file_ids,
  );
  rmSync(join(server.folder, 'files', stored.rows[0].storage_key));
  const { end } = await readTurn(await member.send({ session_id, content: 'And this?', file_ids }));
  expect(end).toMatchObject({ event: 'error', data: { code: 'unavailable', counted: false } });
  expect(await used()).toBe(messages + 1);
});
