import { type InfiniteData, infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { MemberFile } from '../files/file.ts';
import type { Api } from '../platform/api.ts';

/** One of the member's files, wherever it is used. `id` is the file's own; a message names it by `file_id`. */
export type LibraryFile = Required<
  Pick<MemberFile, 'file_name' | 'file_size' | 'file_type' | 'created_at'>
> & {
  id: string;
  file_id: string;
  kind: 'document' | 'image';
  pages: number | null;
  words: number;
  width: number | null;
  height: number | null;
  in_library: boolean;
  /** The latest 20 that have it. */
  chats: { id: string; title: string | null }[];
  chat_count: number;
  state: 'ready' | 'indexing' | 'rebuilding' | 'failed';
  /** Why it failed, as a sentence. */
  reason: string | null;
};

export type LibraryPage = {
  files: LibraryFile[];
  next: string | null;
  storage: { used_bytes: number; limit_bytes: number | null };
};

export const libraryKey = ['library'];

/** Somebody is at it: how it stands will change by itself. */
export const isUnderWay = ({ state }: LibraryFile) => state === 'indexing' || state === 'rebuilding';

/** The member's files whose names hold all the words of `search`, the latest first, page by page. */
export const libraryQuery = (api: Api, search: string) =>
  infiniteQueryOptions({
    queryKey: [...libraryKey, 'list', search],
    queryFn: ({ pageParam, signal }) => {
      const query = new URLSearchParams({ limit: '50' });
      if (pageParam !== null) query.set('before', pageParam);
      if (search !== '') query.set('search', search);
      return api.get<LibraryPage>(`/api/library?${query}`, signal);
    },
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    // Each message and each chat that goes changes it.
    staleTime: 0,
    select: ({ pages }) => ({ files: pages.flatMap(({ files }) => files), storage: pages[0]!.storage }),
  });

/** Has each listed file changed; null takes it out. */
export function changeFiles<Page extends Pick<LibraryPage, 'files'>>(
  data: InfiniteData<Page>,
  change: (file: LibraryFile) => LibraryFile | null,
): InfiniteData<Page> {
  const pages = data.pages.map((page) => ({
    ...page,
    files: page.files.flatMap((file) => change(file) ?? []),
  }));
  return { ...data, pages };
}

type Preview = {
  passages: { ordinal: number; page: number | null; content: string }[];
  /** The file goes on. */
  is_shortened: boolean;
};

/** The beginning of a document. */
export const previewQuery = (api: Api, id: string) =>
  queryOptions({
    queryKey: [...libraryKey, 'preview', id],
    queryFn: ({ signal }) => api.get<Preview>(`/api/library/${id}/preview`, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** The file as a message brings it along. */
export function fileForMessage({ id: library_id, file_id: id, ...file }: LibraryFile): MemberFile {
  const { file_name, file_size, file_type, created_at, kind, pages, width, height } = file;
  return { id, library_id, file_name, file_size, file_type, created_at, kind, pages, width, height };
}

/** How a file stands, in a word or two; null where there is nothing to say. */
export function stateWords({ state }: Pick<LibraryFile, 'state'>) {
  switch (state) {
    case 'ready':
      return null;
    case 'indexing':
      return 'Being made ready';
    case 'rebuilding':
      return 'Being made ready again';
    case 'failed':
      return 'Not ready';
  }
}

/** What deleting a file takes with it, as sentences. */
export function deletionWords({ chat_count }: Pick<LibraryFile, 'chat_count'>) {
  const everywhere = 'It goes for good, from here and from everything that your coaches know.';
  if (chat_count === 0) return `${everywhere} This cannot be undone.`;
  const chats = chat_count === 1 ? 'The chat that has it keeps' : `The ${chat_count} chats that have it keep`;
  return `${everywhere} ${chats} a note that it was there. This cannot be undone.`;
}
