import { sentenceFor } from '../platform/api-error.ts';
import { usePlatform } from '../platform/platform-context.ts';
import { showToast } from '../platform/toasts.tsx';
import { downloadFile } from './download-file.ts';

/** Downloads a file and tells when it did not work. `path`: where it is not a chat's file. */
export function useDownload() {
  const { api } = usePlatform();
  return async (file: { id: string; file_name: string }, path = `/api/files/${file.id}`) => {
    try {
      await downloadFile(api, path, file);
    } catch (error) {
      showToast(`“${file.file_name}” was not downloaded. ${sentenceFor(error)}`);
    }
  };
}
