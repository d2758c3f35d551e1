import type { Api } from '../platform/api.ts';
import { ApiError, sentenceFor } from '../platform/api-error.ts';
import type { MemberFile } from './file.ts';

/** A file on its way to the server, and there. `source` is null for one that an earlier visit uploaded. */
export type FileUpload<Uploaded = MemberFile> = {
  id: string;
  file_name: string;
  file_size: number;
  source: File | null;
} & (
  | { state: 'uploading'; share: number; cancel: () => void }
  | { state: 'ready'; file: Uploaded }
  /** `used_up`: of the plan, where that is why. */
  | { state: 'failed'; detail: string; retryable: boolean; used_up?: 'files' | 'storage' }
);

/**
 * Sends a file, and tells each state that its upload comes to; nothing any more once it was cancelled. `id` is the
 * upload's own.
 */
export async function sendFile<Uploaded>(
  api: Api,
  path: '/api/files' | '/api/library',
  { id, source }: { id: string; source: File },
  onChange: (upload: FileUpload<Uploaded>) => void,
): Promise<void> {
  const abort = new AbortController();
  const { signal } = abort;
  const common = { id, file_name: source.name, file_size: source.size, source };
  const onProgress = (share: number) =>
    onChange({ ...common, state: 'uploading', share, cancel: () => abort.abort() });
  onProgress(0);
  const body = new FormData();
  body.append('file', source);
  try {
    const file = await api.upload<Uploaded>(path, { method: 'POST', body, signal, onProgress });
    if (!signal.aborted) onChange({ ...common, state: 'ready', file });
  } catch (error) {
    if (signal.aborted) return;
    const retryable =
      !(error instanceof ApiError) || error.status === 0 || error.status === 429 || error.status >= 500;
    onChange({ ...common, state: 'failed', detail: sentenceFor(error), retryable, ...usedUpBy(error) });
  }
}

/** What of the plan is used up, where that is why a file was refused. */
function usedUpBy(error: unknown) {
  if (!(error instanceof ApiError) || error.code !== 'quota_exhausted') return {};
  return { used_up: error.details.counter === 'storage' ? ('storage' as const) : ('files' as const) };
}
