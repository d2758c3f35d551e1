import { QueryClient } from '@tanstack/react-query';
import { afterEach, expect, test } from 'vitest';
import type { Api } from '../platform/api.ts';
import { ApiError } from '../platform/api-error.ts';
import type { Config } from '../platform/config.ts';
import { addToLibrary, dropUpload, retryUpload, uploadStore } from './library-uploads.ts';

const config = { max_file_bytes: 1000, file_extensions: ['.txt'] } as Config;
const uploads = () => uploadStore.get('all') ?? [];
const files = (...names: string[]) => names.map((name) => new File(['Words'], name));
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

type Sending = { name: string; end: (error?: unknown) => void };

/** A server that answers when it is told to, and the uploads that it has. */
function slowServer() {
  const sending: Sending[] = [];
  const upload = (_path: string, { body, signal }: { body: FormData; signal: AbortSignal }) =>
    new Promise((resolve, reject) => {
      const { name } = body.get('file') as File;
      signal.addEventListener('abort', () => reject(signal.reason));
      sending.push({ name, end: (error) => (error ? reject(error) : resolve({ id: name })) });
    });
  const context = { api: { upload } as unknown as Api, config, queryClient: new QueryClient() };
  return { sending, context };
}

afterEach(async () => {
  for (const { id } of uploads()) dropUpload(id);
  await settled();
});

test('four go at once, the others wait for their turn, and what has arrived is on its way no more', async () => {
  const { sending, context } = slowServer();
  addToLibrary(context, files('1.txt', '2.txt', '3.txt', '4.txt', '5.txt', '6.txt'));
  await settled();
  expect(sending.map(({ name }) => name)).toEqual(['1.txt', '2.txt', '3.txt', '4.txt']);
  sending[1]!.end();
  await settled();
  expect(sending.map(({ name }) => name)).toContain('5.txt');
  expect(uploads().map(({ file_name }) => file_name)).not.toContain('2.txt');
  expect(uploads()).toHaveLength(5);
});

test('one that is taken away while it waits is never sent, and one that is being sent is cut off', async () => {
  const { sending, context } = slowServer();
  addToLibrary(context, files('1.txt', '2.txt', '3.txt', '4.txt', '5.txt'));
  await settled();
  for (const name of ['5.txt', '1.txt'])
    dropUpload(uploads().find(({ file_name }) => file_name === name)!.id);
  await settled();
  expect(uploads().map(({ file_name }) => file_name)).toEqual(['2.txt', '3.txt', '4.txt']);
  for (const { end } of sending) end();
  await settled();
  expect(sending).toHaveLength(4);
  expect(uploads()).toEqual([]);
});

test('what cannot be read is told without being sent; what did not arrive is sent again', async () => {
  const { sending, context } = slowServer();
  addToLibrary(context, [
    new File(['Words'], 'song.mp3', { type: 'audio/mpeg' }),
    ...files('notes.txt'),
    new File([], 'empty.txt'),
  ]);
  await settled();
  expect(sending.map(({ name }) => name)).toEqual(['notes.txt']);
  sending[0]!.end(new ApiError('unavailable', 503, 'The site is busy. Nothing was saved.'));
  await settled();
  expect(uploads()).toMatchObject([
    { file_name: 'song.mp3', state: 'failed', retryable: false },
    {
      file_name: 'notes.txt',
      state: 'failed',
      retryable: true,
      detail: 'The site is busy. Nothing was saved.',
    },
    { file_name: 'empty.txt', state: 'failed', retryable: false },
  ]);
  retryUpload(context, uploads()[1]!.id);
  await settled();
  sending[1]!.end();
  await settled();
  expect(uploads().map(({ file_name }) => file_name)).toEqual(['song.mp3', 'empty.txt']);
});
