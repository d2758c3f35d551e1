import { expect, test } from 'vitest';
import type { Api } from '../platform/api.ts';
import { ApiError } from '../platform/api-error.ts';
import type { Config } from '../platform/config.ts';
import { attachLibraryFiles, removeAttachment, uploadAttachment } from './attach-files.ts';
import { createDrafts } from './drafts.ts';

const storage = { getItem: () => null, setItem: () => {}, removeItem: () => {} };
const config = {} as Config;

/** A draft with a file whose upload was answered with an error. */
async function refused(error: ApiError) {
  const drafts = createDrafts(storage, () => 'm');
  const source = new File(['Words'], 'notes.txt', { type: 'text/plain' });
  const file = { id: 'f', file_name: source.name, file_size: source.size, source };
  drafts.attach('chat', { ...file, state: 'failed', detail: '', retryable: true });
  const upload = () => Promise.reject(error);
  await uploadAttachment({ api: { upload } as unknown as Api, drafts, config }, 'chat', 'f');
  return drafts.get('chat').attachments[0];
}

test.each(['files', 'storage'])(
  'a file that the plan’s %s refuse can be sent again when there is more',
  async (counter) => {
    const error = new ApiError('quota_exhausted', 429, 'All of it is used.', { details: { counter } });
    expect(await refused(error)).toMatchObject({
      ...{ state: 'failed', detail: 'All of it is used.', retryable: true, used_up: counter },
    });
  },
);

test('another refusal says nothing of the plan', async () => {
  const attachment = await refused(new ApiError('empty_file', 422, 'There is nothing in it.'));
  expect(attachment).toMatchObject({ state: 'failed', retryable: false });
  expect(attachment).not.toHaveProperty('used_up');
});

test('files of the library go into a draft once, as many as a message carries, and are not deleted when they leave it', () => {
  const drafts = createDrafts(storage, () => 'm');
  const deleted: string[] = [];
  const api = {
    delete: async (path: string) => {
      deleted.push(path);
    },
  } as unknown as Api;
  const context = { api, drafts, config: { max_files_per_message: 2 } as Config };
  const file = (id: string, library_id = id) => ({
    ...{
      id,
      library_id,
      file_name: `${id}.md`,
      file_size: 9,
      file_type: 'text/markdown',
      created_at: '2026-11-23T00:00:00Z',
    },
  });
  attachLibraryFiles(context, 'chat', [file('a')]);
  attachLibraryFiles(context, 'chat', [file('a2', 'a'), file('b'), file('c')]);
  expect(drafts.get('chat').attachments.map(({ id }) => id)).toEqual(['a', 'b']);
  removeAttachment(context, 'chat', 'a');
  expect(drafts.get('chat').attachments.map(({ id }) => id)).toEqual(['b']);
  expect(deleted).toEqual([]);
});
