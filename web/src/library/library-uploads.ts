import type { QueryClient } from '@tanstack/react-query';
import { refusalFor } from '../files/file.ts';
import { type FileUpload, sendFile } from '../files/file-upload.ts';
import type { Api } from '../platform/api.ts';
import type { Config } from '../platform/config.ts';
import { newId } from '../platform/new-id.ts';
import { createStore } from '../platform/store.ts';
import { type LibraryFile, libraryKey } from './library.ts';

type LibraryUpload = FileUpload<LibraryFile>;
type UploadContext = { api: Api; config: Config; queryClient: QueryClient };

/** The server takes ten at once of a member; chats want some of them. */
const most_at_once = 4;

/** What is on its way into the library. It goes on while the member is on another page of the app. */
export const uploadStore = createStore<LibraryUpload[]>();
const waiting: (() => Promise<void>)[] = [];
let running = 0;

const all = () => uploadStore.get('all') ?? [];

function change(id: string, next: LibraryUpload | null) {
  const uploads = all();
  // One that was taken away meanwhile does not come back.
  if (!uploads.some((upload) => upload.id === id)) return;
  uploadStore.set(
    'all',
    uploads.flatMap((upload) => (upload.id !== id ? [upload] : next === null ? [] : [next])),
  );
}

/** Begins to upload files into the library; those that cannot be read are told at once. */
export function addToLibrary(context: UploadContext, files: File[]) {
  for (const source of files) {
    const id = newId();
    const common = { id, file_name: source.name, file_size: source.size, source };
    const refusal = refusalFor(source, context.config);
    if (refusal !== null) {
      uploadStore.set('all', [...all(), { ...common, state: 'failed', detail: refusal, retryable: false }]);
    } else {
      uploadStore.set('all', [...all(), { ...common, state: 'uploading', share: 0, cancel: () => {} }]);
      send(context, { id, source });
    }
  }
}

/** Sends one again that did not arrive. */
export function retryUpload(context: UploadContext, id: string) {
  const upload = all().find((one) => one.id === id);
  if (upload?.source == null || upload.state !== 'failed') return;
  const { source, file_name, file_size } = upload;
  change(id, { id, file_name, file_size, source, state: 'uploading', share: 0, cancel: () => {} });
  send(context, { id, source });
}

/** Takes one away; its upload is cut off. */
export function dropUpload(id: string) {
  const upload = all().find((one) => one.id === id);
  if (upload?.state === 'uploading') upload.cancel();
  change(id, null);
}

function send({ api, queryClient }: UploadContext, { id, source }: { id: string; source: File }) {
  waiting.push(async () => {
    // It was taken away while it waited.
    if (!all().some((upload) => upload.id === id)) return;
    await sendFile<LibraryFile>(api, '/api/library', { id, source }, (upload) => {
      change(id, upload.state === 'ready' ? null : upload);
    });
    await queryClient.invalidateQueries({ queryKey: libraryKey });
    void queryClient.invalidateQueries({ queryKey: ['me'] });
  });
  sendNext();
}

function sendNext() {
  if (running >= most_at_once) return;
  const next = waiting.shift();
  if (next === undefined) return;
  running++;
  void next().finally(() => {
    running--;
    sendNext();
  });
}
