import { expect, test } from 'vitest';
import { deletionWords, fileForMessage, type LibraryFile, stateWords } from './library.ts';

const file: LibraryFile = {
  id: 'original',
  file_id: 'use',
  file_name: 'prices.xlsx',
  file_size: 900,
  file_type: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  created_at: '2026-11-23T00:00:00Z',
  kind: 'document',
  pages: null,
  words: 40,
  width: null,
  height: null,
  in_library: true,
  chats: [],
  chat_count: 0,
  state: 'ready',
  reason: null,
};

test('a message names a file by its use, and keeps where it came from', () => {
  expect(fileForMessage(file)).toEqual({
    id: 'use',
    library_id: 'original',
    file_name: 'prices.xlsx',
    file_size: 900,
    file_type: file.file_type,
    created_at: '2026-11-23T00:00:00Z',
    kind: 'document',
    pages: null,
    width: null,
    height: null,
  });
});

test('only what is not ready has words for how it stands', () => {
  const words = (['ready', 'indexing', 'rebuilding', 'failed'] as const).map((state) =>
    stateWords({ state }),
  );
  expect(words).toEqual([null, 'Being made ready', 'Being made ready again', 'Not ready']);
});

test.each([
  [0, 'It goes for good, from here and from everything that your coaches know. This cannot be undone.'],
  [1, 'The chat that has it keeps a note that it was there.'],
  [12, 'The 12 chats that have it keep a note that it was there.'],
])('deleting a file of %i chats says what goes and what stays', (chat_count, sentence) => {
  expect(deletionWords({ chat_count })).toContain(sentence);
});
