import { type InfiniteData, useQueryClient } from '@tanstack/react-query';
import { ApiError, sentenceFor } from '../platform/api-error.ts';
import { usePlatform } from '../platform/platform-context.ts';
import { showToast } from '../platform/toasts.tsx';
import { changeFiles, type LibraryFile, type LibraryPage, libraryKey } from './library.ts';

type Pages = InfiniteData<LibraryPage>;

/** Renaming, keeping and deleting, with a word where the server does not follow. Each answers whether it did. */
export function useLibraryChanges() {
  const { api } = usePlatform();
  const queryClient = useQueryClient();

  /** Writes a file down wherever it is listed; null takes it out. */
  function note(id: string, file: LibraryFile | null) {
    queryClient.setQueriesData<Pages>({ queryKey: [...libraryKey, 'list'] }, (data) => {
      return data && changeFiles(data, (one) => (one.id === id ? file : one));
    });
  }

  async function attempt(id: string, ask: () => Promise<LibraryFile | null>, complaint: string) {
    // What was asked before would bring the former state back.
    await queryClient.cancelQueries({ queryKey: libraryKey });
    try {
      note(id, await ask());
      // Chats name the file too.
      void queryClient.invalidateQueries({ queryKey: ['chat-sessions'] });
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) note(id, null);
      showToast(`${complaint} ${sentenceFor(error)}`);
      return false;
    } finally {
      void queryClient.invalidateQueries({ queryKey: [...libraryKey, 'list'] });
      void queryClient.invalidateQueries({ queryKey: ['me'] });
    }
  }

  return {
    rename: ({ id, file_name: before }: LibraryFile, file_name: string) =>
      attempt(
        id,
        () => api.patch<LibraryFile>(`/api/library/${id}`, { file_name }),
        `The file is still called “${before}”.`,
      ),
    keep: ({ id, file_name }: LibraryFile, kept: boolean) =>
      attempt(
        id,
        () => api.put<LibraryFile>(`/api/library/${id}/kept`, { kept }),
        kept ? `“${file_name}” was not put into the library.` : `“${file_name}” is still in the library.`,
      ),
    remove: ({ id, file_name }: LibraryFile) =>
      attempt(
        id,
        async () => {
          try {
            await api.delete(`/api/library/${id}`);
          } catch (error) {
            // It went in another tab.
            if (!(error instanceof ApiError && error.status === 404)) throw error;
          }
          return null;
        },
        `“${file_name}” was not deleted.`,
      ),
  };
}
