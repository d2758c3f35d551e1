import { expect, test } from 'vitest';
import { createDrafts } from './drafts.ts';

function memoryStorage() {
  const values = new Map<string, string>();
  return {
    values,
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
  };
}

const file = { id: 'f', file_name: 'a.pdf', file_size: 1, file_type: 'application/pdf', created_at: '' };

test('what is written outlasts the page, with its uploaded files', () => {
  const storage = memoryStorage();
  const drafts = createDrafts(storage, () => 'ann');
  drafts.write('chat', 'Half a thought');
  drafts.attach('chat', { ...file, source: null, state: 'ready', file });
  const reloaded = createDrafts(storage, () => 'ann').get('chat');
  expect(reloaded.content).toBe('Half a thought');
  expect(reloaded.attachments.map((attachment) => attachment.id)).toEqual(['f']);
});

test("one member never sees another's draft in the same browser", () => {
  const storage = memoryStorage();
  createDrafts(storage, () => 'ann').write('chat', 'Private');
  expect(createDrafts(storage, () => 'bob').get('chat').content).toBe('');
});

test('a sent message is kept until the server has it, and no longer', () => {
  const storage = memoryStorage();
  const drafts = createDrafts(storage, () => 'ann');
  drafts.write('chat', 'On its way');
  expect(drafts.take('chat').content).toBe('On its way');
  expect(drafts.get('chat').content).toBe('');
  expect(createDrafts(storage, () => 'ann').get('chat').content).toBe('On its way');
  drafts.settle('chat');
  expect(storage.values.size).toBe(0);
});

test('a refused message comes back before what was written since', () => {
  const drafts = createDrafts(memoryStorage(), () => 'ann');
  drafts.write('chat', 'First');
  const taken = drafts.take('chat');
  drafts.write('chat', 'Second');
  drafts.putBack('chat', taken, 'Not now.');
  expect(drafts.get('chat')).toMatchObject({ content: 'First\n\nSecond', notice: 'Not now.' });
});
