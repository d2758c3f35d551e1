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

test('an edit lives beside what is written below, outlasts the page, and closes when it is sent or left', () => {
  const storage = memoryStorage();
  const drafts = createDrafts(storage, () => 'ann');
  drafts.write('chat', 'Next');
  drafts.edit('edit-chat', { message_id: 'm', content: 'Old words', files: [file] });
  drafts.write('edit-chat', '');
  const reloaded = createDrafts(storage, () => 'ann');
  expect(reloaded.get('edit-chat')).toMatchObject({ content: '', edits_message_id: 'm' });
  expect(reloaded.get('edit-chat').attachments.map(({ id }) => id)).toEqual(['f']);
  expect(reloaded.get('chat').content).toBe('Next');
  drafts.edit('edit-other', { message_id: 'n', content: '', files: [] });
  expect(createDrafts(storage, () => 'ann').get('edit-other').edits_message_id).toBe('n');

  reloaded.write('edit-chat', 'New words');
  const taken = reloaded.take('edit-chat');
  expect(taken).toEqual({ content: 'New words', files: [file], edits_message_id: 'm' });
  expect(reloaded.get('edit-chat').edits_message_id).toBe(null);
  reloaded.putBack('edit-chat', taken, 'Not now.');
  expect(reloaded.get('edit-chat')).toMatchObject({
    content: 'New words',
    edits_message_id: 'm',
    notice: 'Not now.',
  });
  reloaded.clear('edit-chat');
  expect(createDrafts(storage, () => 'ann').get('edit-chat').edits_message_id).toBe(null);
});

test('an edit that was sent comes back after a reload until the server has it', () => {
  const storage = memoryStorage();
  const drafts = createDrafts(storage, () => 'ann');
  drafts.edit('edit-chat', { message_id: 'm', content: 'Words', files: [] });
  drafts.take('edit-chat');
  expect(createDrafts(storage, () => 'ann').get('edit-chat')).toMatchObject({
    content: 'Words',
    edits_message_id: 'm',
  });
  drafts.settle('edit-chat');
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

test('a message that is edited leaves out the files that were deleted, and says so', () => {
  const drafts = createDrafts({ getItem: () => null, setItem: () => {}, removeItem: () => {} }, () => 'm');
  const file = (id: string, deleted: boolean) => ({
    ...{ id, file_name: `${id}.md`, file_size: 9, file_type: 'text/markdown', created_at: '', deleted },
  });
  const files = [file('kept', false), file('gone', true)];
  drafts.edit('chat', { message_id: 'message', content: 'Words', files });
  expect(drafts.get('chat').attachments.map(({ id }) => id)).toEqual(['kept']);
  expect(drafts.get('chat').notice).toBe('“gone.md” was deleted, and will not go along with the message.');
});
