import { randomUUID } from 'node:crypto';
import { readTurn } from './read-turn.ts';
import type { TestClient } from './start-test-server.ts';

/** Uploads a text into a member's library and returns what the server says of it. */
export async function addToLibrary(
  member: TestClient,
  content: string | Uint8Array<ArrayBuffer>,
  name: string,
) {
  const form = new FormData();
  form.set('file', new File([content], name));
  return await member.json('/api/library', { method: 'POST', body: form });
}

/** A text that comes with the first message of a chat of its own; returns the chat, the use and its original. */
export async function sendWithFile(member: TestClient, content: string, name: string) {
  const form = new FormData();
  form.set('file', new File([content], name));
  const { id: file_id } = await member.json('/api/files', { method: 'POST', body: form });
  const session_id = randomUUID();
  const turn = await readTurn(await member.send({ session_id, content: 'Read this', file_ids: [file_id] }));
  const { files } = await member.json('/api/library');
  const { id } = files.find((file: { file_id: string }) => file.file_id === file_id);
  return { session_id, file_id: file_id as string, id: id as string, turn };
}
