import type { Api } from '../platform/api.ts';
import type { MemberFile } from './file.ts';

/**
 * Sends one file. `onProgress` hears the share that has been sent, 0 to 1. Throws `ApiError`, or the signal's
 * reason when aborted.
 */
export function uploadFile(
  api: Api,
  file: File,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (share: number) => void },
): Promise<MemberFile> {
  const body = new FormData();
  body.append('file', file);
  return api.upload('/api/files', { method: 'POST', body, signal, onProgress });
}
