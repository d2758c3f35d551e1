import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readTurn } from '../testing/read-turn.ts';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';

let server: Awaited<ReturnType<typeof startTestServer>>;
let member: TestClient;
beforeAll(async () => {
  server = await startTestServer();
  member = await server.signUp();
});
afterAll(() => server.stop());

async function linesOf(client: TestClient, session_id: string) {
  const { messages } = await client.json(`/api/chat-sessions/${session_id}/messages`);
  return messages as { id: string; sender: string; content: string; turn_id: string; turn_status: string }[];
}

async function startChat(client = member) {
  const session_id = randomUUID();
  for (const content of ['A carousel about bread', 'For people who bake at home']) {
    await readTurn(await client.send({ session_id, content }));
  }
  return { session_id, messages: await linesOf(client, session_id) };
}

it('a message is answered again: the chat shows the new reply, and the page finds its way back to it', async () => {
  const { session_id, messages } = await startChat();
  const id = randomUUID();
  const { text, opening } = await readTurn(
    await member.send({ id, session_id, content: '', repeats_message_id: messages[2]!.id }),
  );
  expect(opening).toMatchObject({ user_message_id: messages[2]!.id });
  const after = await linesOf(member, session_id);
  expect(after.map(({ content }) => content)).toEqual([
    ...messages.slice(0, 3).map(({ content }) => content),
    text,
  ]);
  expect(after[2]).toMatchObject({ id: messages[2]!.id, turn_id: id, turn_status: 'done' });
  expect(after[3]!.id).not.toBe(messages[3]!.id);
});

it('an edited message and its reply take the place of what was there', async () => {
  const { session_id, messages } = await startChat();
  const { text } = await readTurn(
    await member.send({ session_id, content: 'For bakers', edits_message_id: messages[2]!.id }),
  );
  expect((await linesOf(member, session_id)).map(({ content }) => content)).toEqual([
    ...messages.slice(0, 2).map(({ content }) => content),
    'For bakers',
    text,
  ]);
});

it('pages of a chat hold the chosen messages only', async () => {
  const { session_id, messages } = await startChat();
  for (let time = 0; time < 3; time++) {
    await readTurn(await member.send({ session_id, content: '', repeats_message_id: messages[2]!.id }));
  }
  const page = await member.json(`/api/chat-sessions/${session_id}/messages?limit=2`);
  const before = encodeURIComponent(page.next_cursor);
  const older = await member.json(`/api/chat-sessions/${session_id}/messages?limit=2&before=${before}`);
  expect([...older.messages, ...page.messages].map(({ sender }) => sender)).toEqual([
    'user',
    'assistant',
    'user',
    'assistant',
  ]);
  expect(older.next_cursor).toBe(null);
});

it.each([
  ['both at once', { edits_message_id: randomUUID(), repeats_message_id: randomUUID(), content: 'Hello' }],
  ['a repetition with words of its own', { repeats_message_id: randomUUID(), content: 'Hello' }],
  ['a repetition with files', { repeats_message_id: randomUUID(), content: '', file_ids: [randomUUID()] }],
  ['an edit without words', { edits_message_id: randomUUID(), content: ' ' }],
  ['an id that is none', { repeats_message_id: 'x', content: '' }],
])('%s is refused in words', async (_, turn) => {
  const refused = await member.send(turn);
  expect(refused.status).toBe(400);
  expect(await refused.json()).toMatchObject({ code: 'invalid_request' });
});

it('another member’s message is not found, in the own chat and in theirs, and stays as it is', async () => {
  const stranger = await server.signUp();
  const [theirs, own] = [await startChat(), await startChat(stranger)];
  for (const session_id of [theirs.session_id, own.session_id]) {
    for (const turn of [
      { edits_message_id: theirs.messages[0]!.id, content: 'Hello' },
      { repeats_message_id: theirs.messages[0]!.id, content: '' },
    ]) {
      const refused = await stranger.send({ session_id, ...turn });
      expect(refused.status).toBe(404);
      expect(await refused.json()).toMatchObject({ code: 'not_found' });
    }
  }
  expect(await linesOf(member, theirs.session_id)).toEqual(theirs.messages);
  expect((await stranger.json('/api/me')).subscription_usage.messages).toBe(2);
});
