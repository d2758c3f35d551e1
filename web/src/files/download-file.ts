import type { Api } from '../platform/api.ts';

/**
 * Fetches the original and hands it to the browser's downloads. `path`: `/api/files/{id}` or `/api/library/{id}`. Throws
 * `ApiError`.
 */
export async function downloadFile(api: Api, path: string, file: { file_name: string }) {
  const response = await api.open(`${path}/content`);
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = file.file_name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
