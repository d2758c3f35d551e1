import type { Api } from '../platform/api.ts';

/** Fetches the original and hands it to the browser's downloads. Throws `ApiError`. */
export async function downloadFile(api: Api, file: { id: string; file_name: string }) {
  const response = await api.open(`/api/files/${file.id}/content`);
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = file.file_name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
