import type { Api } from '../platform/api.ts';
import { apiErrorFrom, unreachable } from '../platform/api-error.ts';
import type { MemberFile } from './file.ts';

/**
 * Sends one file. `onProgress` hears the share that has been sent, 0 to 1. XMLHttpRequest, because fetch
 * does not tell the progress of what it sends. Throws `ApiError`, or the signal's reason when aborted.
 */
export async function uploadFile(
  api: Api,
  file: File,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (share: number) => void },
): Promise<MemberFile> {
  const send = (token: string | null) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      signal.throwIfAborted();
      const request = new XMLHttpRequest();
      signal.addEventListener('abort', () => request.abort(), { once: true });
      request.upload.onprogress = (event) => {
        if (event.lengthComputable) onProgress(event.loaded / event.total);
      };
      request.onload = () => resolve({ status: request.status, body: request.responseText });
      request.onerror = () => reject(unreachable());
      request.onabort = () => reject(signal.reason);
      request.open('POST', '/api/files');
      if (token !== null) request.setRequestHeader('authorization', `Bearer ${token}`);
      const form = new FormData();
      form.append('file', file);
      request.send(form);
    });
  let answer = await send(await api.token());
  if (answer.status === 401) answer = await send(await api.refresh());
  if (answer.status !== 201) throw apiErrorFrom(answer.status, answer.body);
  return JSON.parse(answer.body);
}
