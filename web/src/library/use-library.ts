import { type InfiniteData, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { usePlatform } from '../platform/platform-context.ts';
import { changeFiles, isUnderWay, type LibraryPage, libraryKey, libraryQuery } from './library.ts';

const ask_again_ms = 3_000;
/** As many as the server tells of at once. */
const most_watched = 100;

/**
 * The member's files whose names hold all the words of `search`, page by page. While some are being made ready, only these
 * are asked for again, however many are listed.
 */
export function useLibrary(search: string) {
  const { api } = usePlatform();
  const queryClient = useQueryClient();
  const list = useInfiniteQuery({
    ...libraryQuery(api, search),
    placeholderData: (before) => before,
  });
  const ids = (list.data?.files ?? [])
    .filter(isUnderWay)
    .slice(0, most_watched)
    .map(({ id }) => id);
  useQuery({
    queryKey: [...libraryKey, 'under-way', ...ids],
    queryFn: async ({ signal }) => {
      const query = new URLSearchParams({ limit: String(most_watched), ids: ids.join() });
      const { files, storage } = await api.get<LibraryPage>(`/api/library?${query}`, signal);
      const now = new Map(files.map((file) => [file.id, file]));
      queryClient.setQueriesData<InfiniteData<LibraryPage>>({ queryKey: [...libraryKey, 'list'] }, (data) => {
        if (data === undefined) return data;
        // What does not come back was deleted elsewhere.
        const changed = changeFiles(data, (file) =>
          ids.includes(file.id) ? (now.get(file.id) ?? null) : file,
        );
        return { ...changed, pages: changed.pages.map((page) => ({ ...page, storage })) };
      });
      return null;
    },
    enabled: ids.length > 0,
    refetchInterval: ask_again_ms,
    gcTime: 0,
  });
  return list;
}
