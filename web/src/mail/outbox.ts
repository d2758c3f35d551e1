import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { Api } from '../platform/api.ts';

/** A mail that stayed on the server's machine, because no mail server is set. */
export type OutboxEntry = { id: string; to: string; subject: string; sent_at: string };
type OutboxMail = OutboxEntry & { text: string };

/** The mails, the newest first; asked for again every few seconds while somebody looks. */
export const outboxQuery = (api: Api) =>
  queryOptions({
    queryKey: ['outbox'],
    queryFn: async ({ signal }) => (await api.get<{ mails: OutboxEntry[] }>('/api/outbox', signal)).mails,
    staleTime: 0,
    refetchInterval: 3_000,
  });

/** One mail with its words; a mail never changes. The one before stays until it is there. */
export const outboxMailQuery = (api: Api, id: string) =>
  queryOptions({
    queryKey: ['outbox', id],
    queryFn: ({ signal }) => api.get<OutboxMail>(`/api/outbox/${encodeURIComponent(id)}`, signal),
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
  });
