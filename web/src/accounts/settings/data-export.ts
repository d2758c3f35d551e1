import { queryOptions } from '@tanstack/react-query';
import type { Api } from '../../platform/api.ts';

/** A copy of everything that is held of the member, made by a job. `parts`: what it is made of, counted. */
export type DataExport = {
  id: string;
  status: 'queued' | 'running' | 'ready' | 'failed';
  parts_done: number;
  parts_total: number;
  size_bytes: number | null;
  created_at: string;
  expires_at: string | null;
};

export const exportsKey = ['me', 'exports'];

export const isBeingMade = ({ status }: DataExport) => status === 'queued' || status === 'running';

/** The member's copies, the newest first; asked for again while one is being made. */
export const exportsQuery = (api: Api) =>
  queryOptions({
    queryKey: exportsKey,
    queryFn: async ({ signal }) => {
      const { exports } = await api.get<{ exports: DataExport[] }>('/api/me/exports', signal);
      return exports.sort((a, b) => b.created_at.localeCompare(a.created_at));
    },
    refetchInterval: ({ state }) => (state.data?.some(isBeingMade) ? 1_500 : false),
  });

/** Fetches a copy and hands it to the browser's downloads. Throws `ApiError`. */
export async function downloadExport(api: Api, { id, created_at }: DataExport) {
  const response = await api.open(`/api/me/exports/${id}/file`);
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = `touchline-${created_at.slice(0, 10)}.zip`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
